// See tests/browser/run.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";

const installed = `${process.cwd()}/.local/browser`;
const { chromium } = createRequire(`${installed}/`)("playwright-core");
const [executablePath, write] = process.argv.slice(2);
const key = "a-key-of-the-test";
const pictures = `${installed}/pictures`;
// The pictures that docs/ shows.
const shown = ["docs-light", "docs-dark-narrow", "problems-light"];

// Starts the stack with a fresh database; resolves to its process and its address.
async function start(manifest, database) {
  const stack = spawn("target/debug/azure-sql-rest", ["--exit-on-stdin-eof", "up", "--host", "local", "--manifest", manifest,
    "--listen", "127.0.0.1:0", "--bridge-listen", "127.0.0.1:0", "--database", database],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, DAB_URL: "", SPIN_VARIABLE_API_KEY: key } });
  for await (const line of createInterface(stack.stdout)) {
    const ready = line.match(/^API ready at (.*)/);
    if (ready) {
      stack.stdout.resume();
      return { stack, url: ready[1] };
    }
  }
  throw new Error("the stack did not start; build it with: make build stack");
}

// The file of the CDN, as npm has it; `change` spoils it.
async function serveCdn(context, change = bytes => bytes) {
  await context.route(url => url.protocol === "https:", async route => {
    const [, name, version, file] = new URL(route.request().url()).pathname.match(/^\/npm\/([\w-]+)@([\d.]+)\/([\w.-]+)$/);
    const folder = `${installed}/node_modules/${name}`;
    assert.equal(JSON.parse(await readFile(`${folder}/package.json`, "utf8")).version, version);
    await route.fulfill({
      body: change(await readFile(`${folder}/${file}`)),
      contentType: file.endsWith(".css") ? "text/css" : "text/javascript",
      headers: { "access-control-allow-origin": "*" },
    });
  });
}

// A page on which everything that a browser complains about is an error.
async function open(browser, options) {
  const context = await browser.newContext(options);
  await serveCdn(context);
  const page = await context.newPage();
  const complaints = [];
  // The answers of the API that are tried are no defects of the page.
  page.on("console", message => message.type() === "error" && !/status of 4\d\d/.test(message.text()) && complaints.push(message.text()));
  page.on("pageerror", error => complaints.push(String(error)));
  return { page, complaints, close: async () => { assert.deepEqual(complaints, []); await context.close(); } };
}

async function looksRight(page, theme, place) {
  const [overflow, brightness] = await page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d");
    const system = getComputedStyle(document.documentElement).colorScheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
    const colors = [document.body, document.documentElement].map(element => getComputedStyle(element).backgroundColor);
    const opaque = colors.find(color => color !== "rgba(0, 0, 0, 0)");
    canvas.fillStyle = opaque ?? (system ? "#121212" : "#ffffff");
    canvas.fillRect(0, 0, 1, 1);
    const data = canvas.getImageData(0, 0, 1, 1).data;
    return [document.documentElement.scrollWidth - innerWidth, (data[0] + data[1] + data[2]) / 3];
  });
  assert.ok(overflow <= 0, `${place} is ${overflow} pixels too wide`);
  assert.equal(brightness < 128 ? "dark" : "light", theme, place);
}

const themes = ["light", "dark"];
const widths = [["", { width: 1280, height: 800 }], ["-narrow", { width: 390, height: 800 }]];

async function everyLook(browser, url) {
  for (const colorScheme of themes) {
    for (const [suffix, viewport] of widths) {
      const { page, close } = await open(browser, { colorScheme, viewport });
      await page.goto(url);
      assert.equal(new URL(page.url()).pathname, "/docs");
      await page.getByRole("heading", { name: "Customer API" }).waitFor();
      await page.locator(".opblock-put").waitFor();
      await looksRight(page, colorScheme, `/docs, ${colorScheme}${suffix}`);
      await page.screenshot({ path: `${pictures}/docs-${colorScheme}${suffix}.png` });
      // The link opens in a tab of its own.
      await page.goto(new URL(await page.getByRole("link", { name: "/problems" }).getAttribute("href"), page.url()).href);
      await page.getByRole("heading", { name: "unavailable" }).waitFor();
      await looksRight(page, colorScheme, `/problems, ${colorScheme}${suffix}`);
      await page.screenshot({ path: `${pictures}/problems-${colorScheme}${suffix}.png` });
      await close();
    }
  }
  console.log("  ✓ / redirects to /docs, and both pages fit, light and dark, narrow and wide, under their policies");
}

async function tryACall(browser, url) {
  const { page, close } = await open(browser, { viewport: { width: 1280, height: 1400 } });
  await page.goto(`${url}/docs`);
  const put = page.locator(".opblock-put");
  await put.locator(".opblock-summary-control").click();
  const status = put.locator(".live-responses-table tbody .response-col_status");
  const execute = async expected => {
    await put.getByRole("button", { name: "Execute" }).click();
    await status.filter({ hasText: expected }).waitFor();
  };
  await execute("401");
  await page.getByRole("button", { name: "Authorize" }).first().click();
  const credentials = page.locator(".auth-container").filter({ hasText: "x-api-key" });
  await credentials.getByLabel("Value:").fill(key);
  await credentials.getByRole("button", { name: "Apply credentials" }).click();
  await credentials.getByRole("button", { name: "Close" }).click();
  await put.locator("tr[data-param-name='Idempotency-Key'] input").fill("7b1f0c52-6f0a-4c8e-9d41-2f8a4f1f3a10");
  await execute("201");
  assert.match(await put.locator(".live-responses-table").innerText(), /John Doe/);
  await put.getByRole("button", { name: "Clear" }).click();
  await execute("201");
  await put.locator(".live-responses-table").filter({ hasText: /idempotency-replayed: +true/ }).waitFor();
  await put.scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${pictures}/docs-tried.png` });
  await close();
  console.log("  ✓ a call is tried: 401 without the key, 201 with it, and under its Idempotency-Key it is done once");
}

async function keepsLargeNumbers(browser, url) {
  const { page, close } = await open(browser, { viewport: { width: 1280, height: 1400 } });
  await page.route("**/customer/123", route => route.fulfill({ contentType: "application/json", body: '[{"CustomerID":9007199254740993}]' }));
  await page.goto(`${url}/docs`);
  const get = page.locator(".opblock-get").filter({ hasText: "/customer/{id}" }).first();
  await get.locator(".opblock-summary-control").click();
  await get.locator("tr[data-param-name='id'] input").fill("123");
  await get.getByRole("button", { name: "Execute" }).click();
  await get.locator(".live-responses-table tbody .response-col_description").filter({ hasText: "9007199254740993" }).waitFor();
  await close();
  console.log("  ✓ a number of 64 bits is shown unrounded");
}

async function explains(browser, url) {
  const { page, close } = await open(browser, { viewport: { width: 1280, height: 800 } });
  const problem = await (await page.request.get(`${url}/customer/123`)).json();
  await page.goto(new URL(problem.type, `${url}/customer/123`).href);
  const heading = page.getByRole("heading", { name: "unauthorized" });
  await heading.waitFor();
  assert.ok((await heading.boundingBox()).y < 100, "the type of a problem links to its heading");
  await close();
  console.log("  ✓ the type of a problem is the address of its heading");
}

async function refusesWhatIsNotSwaggerUi(browser, url) {
  const context = await browser.newContext();
  await serveCdn(context, bytes => Buffer.concat([bytes, Buffer.from("\n")]));
  const page = await context.newPage();
  await page.goto(`${url}/docs`);
  await page.getByText("This page needs JavaScript and cdn.jsdelivr.net").waitFor();
  assert.equal(await page.evaluate(() => typeof SwaggerUIBundle), "undefined");
  await context.close();
  console.log("  ✓ a file of the CDN with other bytes is refused, and the page says what it needs");
}

// A proxy that takes a prefix from the paths; resolves to the proxy and to the address of the API behind it.
async function strip(url) {
  const proxy = createServer((incoming, outgoing) => {
    if (!incoming.url.startsWith("/shop/")) return outgoing.writeHead(404).end();
    const { method, headers } = incoming;
    incoming.pipe(request(url + incoming.url.slice("/shop".length), { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    }));
  });
  await new Promise(resolve => proxy.listen(0, "127.0.0.1", resolve));
  return { proxy, prefixed: `http://127.0.0.1:${proxy.address().port}/shop` };
}

// The component that has Swagger UI's files.
async function needsNoCdn(browser, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on("console", message => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", error => complaints.push(String(error)));
  const asked = new Set();
  page.on("request", request => request.url().startsWith("data:") || asked.add(new URL(request.url()).origin));
  const begin = performance.now();
  await page.goto(`${url}/docs`);
  await page.locator(".opblock-put").waitFor();
  const took = performance.now() - begin;
  assert.deepEqual([[...asked], complaints], [[url], []]);
  await context.close();
  console.log(`  ✓ with SWAGGER_UI, /docs asks no other host and works after ${Math.round(took)} ms`);
}

const folder = await mkdtemp(`${tmpdir()}/browser-`);
await mkdir(pictures, { recursive: true });
const { stack, url } = await start("spin.toml", `${folder}/customers.db`);
const whole = await start(".local/browser/spin.toml", `${folder}/whole.db`);
const { proxy, prefixed } = await strip(url);
const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
try {
  for (const check of [everyLook, tryACall, keepsLargeNumbers, explains, refusesWhatIsNotSwaggerUi]) await check(browser, url);
  console.log("  · the same behind a prefix:");
  for (const check of [tryACall, explains]) await check(browser, prefixed);
  await needsNoCdn(browser, whole.url);
  if (write === "--write") for (const name of shown) await copyFile(`${pictures}/${name}.png`, `docs/pictures/${name}.png`);
} finally {
  await browser.close();
  proxy.close();
  for (const process of [stack, whole.stack]) {
    process.stdin.end();
    await once(process, "exit");
  }
  await rm(folder, { recursive: true });
}

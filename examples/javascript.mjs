// A client with fetch, in Node.js 20 or later: node examples/javascript.mjs [API]
// The key of the API is taken from the environment variable API_KEY.
const api = process.argv[2] ?? "http://localhost:3000";

// Send and repeat
const repeated = [408, 429, 502, 503, 504];

// Sends a request. Repeats it, unchanged, while a failure may pass. Returns status, headers, URL and text.
async function call(method, url, body, headers = {}) {
  const request = {
    method,
    headers: { "Content-Type": "application/json", "x-api-key": process.env.API_KEY ?? "none", ...headers },
    body: body && JSON.stringify(body),
  };
  // One key for each write. Each repetition has the same key, so the write is done once.
  if (method !== "GET") request.headers["Idempotency-Key"] = crypto.randomUUID();
  for (let attempt = 0; ; attempt++) {
    // Up to 1, 2, 4, 8 seconds; a random wait keeps clients from returning all at once.
    let wait = Math.random() * 2 ** attempt;
    try {
      // Longer than the API itself tries (25 seconds).
      const answer = await fetch(new URL(url, api), { ...request, signal: AbortSignal.timeout(30_000) });
      const text = await answer.text();
      if (!repeated.includes(answer.status) || attempt === 5) return { status: answer.status, headers: answer.headers, url: answer.url, text };
      wait += Number(answer.headers.get("Retry-After") ?? 0);
    } catch (error) {
      // There is no answer, so nobody knows whether a write was done. The key makes it safe to repeat.
      if (attempt === 5) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
}

function good(answer) {
  if (answer.status >= 400) throw new Error(answer.text);
  console.log(answer.text);
  return answer;
}

// Change without overwriting
// Reads the row and changes it. If somebody else changed it in between, reads it and decides again.
async function change(url, decide) {
  for (;;) {
    const row = await call("GET", url);
    if (row.status !== 200) return row;
    const answer = await call("PATCH", url, decide(JSON.parse(row.text)[0]), { "If-Match": row.headers.get("ETag") });
    if (answer.status !== 412) return answer;
  }
}

// Read to the end
// Yields each row of a list, page by page.
async function* rows(url) {
  while (url) {
    const page = await call("GET", url);
    if (page.status !== 200) throw new Error(page.text);
    yield* JSON.parse(page.text);
    const following = /<([^>]*)>; rel="next"/.exec(page.headers.get("Link") ?? "");
    url = following && new URL(following[1], page.url);
  }
}

// Use it
good(await call("GET", "/customer/123"));
const jane = {
  CustomerName: "Jane Doe",
  PhoneNumber: "123-234-5678",
  FaxNumber: "123-234-5678",
  WebsiteURL: "http://www.something.com",
  Delivery: { AddressLine1: "One Microsoft Way", PostalCode: "98052" },
};
const created = good(await call("PUT", "/customer", jane));
// The address of the new row is relative to the address of the request.
const address = new URL(created.headers.get("Location"), created.url);
good(await change(address, () => ({ PhoneNumber: "123-234-9999" })));
good(await call("DELETE", address));
let count = 0;
for await (const _ of rows("/customers?limit=250")) count++;
console.log(count, "customers");

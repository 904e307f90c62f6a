// Makes an SVG of each .d2 beside this file, in light and dark: make pictures.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";

// The folder with node_modules.
const { D2 } = await import(`${process.argv[2]}/node_modules/@terrastruct/d2/dist/node-esm/index.js`);
const d2 = new D2();
const folder = new URL(".", import.meta.url);
for (const name of (await readdir(folder)).filter(name => name.endsWith(".d2"))) {
  const source = await readFile(new URL(name, folder), "utf8");
  const { diagram, renderOptions } = await d2.compile(source, { layout: "elk" });
  const options = { ...renderOptions, themeID: 0, darkThemeID: 200, pad: 20, noXMLTag: true, salt: name };
  const svg = await d2.render(diagram, options);
  const hash = createHash("sha256").update(source).digest("hex");
  await writeFile(new URL(name.replace(".d2", ".svg"), folder), `<!-- ${name} ${hash} -->\n${svg}\n`);
}
process.exit();

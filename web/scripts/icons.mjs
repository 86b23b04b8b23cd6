// Draws the icons that systems want as PNG from public/icons/icon.svg, with a browser.
//
//     CONFORMANCE_NODE=…/node node scripts/icons.mjs
//
// Needed only when the mark changes; the results are committed.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(`${process.env.CONFORMANCE_NODE}/`);
const { chromium } = require("playwright-core");

const folder = new URL("../public/icons/", import.meta.url);
const mark = readFileSync(new URL("icon.svg", folder), "utf8");
// Systems cut these to their own shape: no round corners of ours, and room around the mark.
const square = mark.replace('rx="14"', "");
const padded = square.replace('viewBox="0 0 64 64"', 'viewBox="-7 -7 78 78"').replace(
  '<rect width="64" height="64" />',
  "",
);

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [name, size, svg] of [
  ["icon-192.png", 192, mark],
  ["icon-512.png", 512, mark],
  ["maskable-512.png", 512, padded],
  ["apple-touch-icon.png", 180, square],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const ground = svg === mark ? "transparent" : "#10503c";
  await page.setContent(`<style>*{margin:0}html{background:${ground}}svg{display:block;width:100vw;height:100vh}</style>${svg}`);
  await page.screenshot({ path: fileURLToPath(new URL(name, folder)), omitBackground: true });
  await page.close();
}
await browser.close();

// One message on the server's own list, from waiting to sent, in a real browser (R-PHONE-2). Reads
// {url, link, key} from its input, writes {id, href} to its output.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.CONFORMANCE_NODE}/`);
const { chromium } = require("playwright-core");

const input = JSON.parse(await new Response(process.stdin).text());
const TEXT = "Your table for four is confirmed: 19:30, 100% sure.";

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const phone = await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, baseURL: input.url });
const page = await phone.newPage();
page.setDefaultTimeout(30_000);
const button = (name) => page.getByRole("button", { name, exact: true });

await page.goto(`${input.url}/${input.link}`);
await page.getByLabel("New password").fill("a few plain words");
await button("Save and sign in").click();
await page.getByRole("heading", { level: 1, name: "Waiting" }).waitFor();

// It appears by itself: the page follows the list.
const sent = await fetch(`${input.url}/v1/messages`, {
  method: "POST",
  headers: { authorization: `Bearer ${input.key}`, "content-type": "application/json" },
  body: JSON.stringify({ to: "+40721000001", text: TEXT, channel: "sms" }),
});
assert.equal(sent.status, 202);
const id = (await sent.json()).message.id;
await page.getByText("+40721000001").click();
await button("I'll send it").click();
const link = page.getByRole("link", { name: "Open in my SMS app" });
const href = await link.getAttribute("href");
await page.evaluate(() => {
  document.querySelector('a[href^="sms:"]').addEventListener("click", (event) => event.preventDefault(), { once: true });
});
await link.click();
await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
await page.getByRole("dialog").waitFor();
await page.getByRole("dialog").getByRole("button", { name: /^Yes/ }).click();
await page.getByText("Noted: sent from your phone.").waitFor();
await page.locator("main li").first().waitFor({ state: "detached" });
await browser.close();
console.log(JSON.stringify({ id, href }));

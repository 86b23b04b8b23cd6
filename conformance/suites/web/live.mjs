// Two people at two browsers: what one does, the other sees. Reads {url, links, test, live, pictures}
// from its input, writes {step: null or why it failed} to its output. Steps build on each other.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.CONFORMANCE_NODE}/`);
const { chromium } = require("playwright-core");

const input = JSON.parse(await new Response(process.stdin).text());
const results = {};
const PASSWORD = "a few plain words";
const IONA = "+40721000001";
const WAITER = "+40721000009";

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
/** Somebody's browser. Without `asks`, its page never asks by itself: what it shows it was told of. */
async function person(link, asks) {
  const own = await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, baseURL: input.url, serviceWorkers: "block" });
  const page = await own.newPage();
  page.setDefaultTimeout(30_000);
  if (!asks) {
    await page.addInitScript(() => {
      window.setInterval = () => 0;
    });
  }
  await page.goto(`${input.url}/${link}`);
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Save and sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Waiting" }).waitFor();
  return page;
}
async function api(method, path, body, key = input.test, more = {}) {
  const answer = await fetch(input.url + path, {
    method, headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...more },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}
const ana = await person(input.links.ana, false);
const ion = await person(input.links.ion, true);

async function step(name, body) {
  try {
    await body();
    results[name] = null;
  } catch (error) {
    results[name] = String(error.stack ?? error);
    for (const [who, page] of Object.entries({ ana, ion })) {
      await page.screenshot({ path: `${input.pictures}/failed-${name}-${who}.png` }).catch(() => undefined);
    }
  }
}
const button = (name, of) => of.getByRole("button", { name, exact: true });
const log = (of) => of.getByRole("log");
async function openThread(of) {
  await of.goto("/#/conversations");
  await of.locator("main li", { hasText: IONA }).click();
  await log(of).getByText("Is the blue one still there?").waitFor();
}
async function answer(of, text) {
  await of.getByLabel(`Your answer to ${IONA}`).fill(text);
  await button("Send", of).click();
  await log(of).getByText(text, { exact: true }).waitFor();
}
const shownTimes = (text, of) => log(of).getByText(text, { exact: true }).count();

await api("POST", "/v1/simulator/inbound", { from: IONA, text: "Is the blue one still there?", channel: "whatsapp" });

await step("an_answer_of_a_colleague_and_how_far_it_came_appear_in_the_open_thread", async () => {
  await openThread(ana);
  await openThread(ion);
  await answer(ion, "Yes, it is here.");
  await log(ana).getByText("Yes, it is here.", { exact: true }).waitFor();
  await log(ana).getByRole("button", { name: /^(Delivered|Read), WhatsApp by sim-wa/ }).waitFor();
  assert.equal(await shownTimes("Yes, it is here.", ana), 1);
});

await step("what_others_write_reaches_the_tab_while_a_thread_is_open", async () => {
  await api("POST", "/v1/simulator/inbound", { from: "+40722000102", text: "When do you open?", channel: "sms" });
  await ana.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: /^Conversations\s*1 unread/ }).waitFor();
});

await step("a_stream_that_broke_comes_back_and_nothing_is_missing_or_there_twice", async () => {
  // As by a proxy whose server restarts: browsers give up a stream that is answered so.
  await ion.route("**/v1/events?*", (it) => it.fulfill({ status: 503, body: "" }));
  await ion.goto("/#/conversations");
  await openThread(ion);
  // It is asked for while the stream is away.
  await answer(ana, "Shall I keep it?");
  await log(ion).getByText("Shall I keep it?", { exact: true }).waitFor();
  await ion.unroute("**/v1/events?*");
  await ion.waitForResponse((it) => it.url().includes("conversationId=") && it.status() === 200);
  await answer(ana, "I keep it until six.");
  await log(ion).getByText("I keep it until six.", { exact: true }).waitFor();
  for (const text of ["Yes, it is here.", "Shall I keep it?", "I keep it until six."]) assert.equal(await shownTimes(text, ion), 1, text);
});

await step("who_takes_a_waiting_message_and_gives_it_back_is_seen_by_the_others", async () => {
  await ana.goto("/#/waiting");
  await ana.getByRole("heading", { level: 1, name: "Waiting" }).waitFor();
  await api("POST", "/v1/messages", { to: WAITER, text: "Your table is confirmed.", channel: "sms" }, input.live, { "Zavu-Sender": "sms" });
  const row = ana.locator("main li", { hasText: WAITER });
  await row.getByText("From SMS").waitFor();
  await ion.goto("/#/waiting");
  await ion.locator("main li", { hasText: WAITER }).click();
  await button("I'll send it", ion).click();
  await row.getByText(/Ion has it until/).waitFor();
  await button("Give it back", ion).click();
  await row.getByText("From SMS").waitFor();
  assert.equal(await ana.getByText(/has it until/).count(), 0);
});

await step("what_a_colleague_sent_leaves_the_list", async () => {
  await ion.locator("main li", { hasText: WAITER }).click();
  await button("I'll send it", ion).click();
  await ion.getByRole("link", { name: "Open in my SMS app" }).waitFor();
  await button("I have sent it", ion).click();
  await ana.locator("main li", { hasText: WAITER }).waitFor({ state: "detached" });
});

await step("what_became_of_a_message_that_was_stopped_in_somebodys_hands_is_said", async () => {
  await api("POST", "/v1/messages", { to: WAITER, text: "Shall we keep the table?", channel: "sms" }, input.live, { "Zavu-Sender": "sms" });
  await ion.locator("main li", { hasText: WAITER }).click();
  await button("I'll send it", ion).click();
  await ion.getByRole("link", { name: "Open in my SMS app" }).waitFor();
  const contact = await api("GET", `/v1/contacts/phone/${encodeURIComponent(WAITER)}`, undefined, input.live);
  await api("POST", `/v1/contacts/${contact.id}/opt-out`, {}, input.live);
  await ion.getByText(/^They opted out of messages: do not send it any more/).waitFor();
});

const pages = (of) => of.getByRole("navigation", { name: "Pages" });
const unread = (of, count) => pages(of).getByRole("link", { name: new RegExp(`^Conversations\\s*${count === 0 ? "$" : `${count} unread`}`) });

await step("what_is_unread_is_counted_and_found_behind_any_number_of_others", async () => {
  for (let no = 100; no < 135; no += 1) await api("POST", "/v1/messages", { to: `+40733000${no}`, text: `Order ${no} is ready.`, channel: "sms" });
  await ana.goto("/#/conversations");
  // No event tells what the team sends to others, and this page never asks by itself.
  await ana.reload();
  await ana.locator("main li").nth(29).waitFor();
  await unread(ana, 1).waitFor();
  assert.equal(await ana.locator("main li", { hasText: "When do you open?" }).count(), 0, "it is beyond the newest page");
  await ana.getByRole("button", { name: /^Unread only/ }).click();
  await ana.locator("main li", { hasText: "When do you open?" }).waitFor();
  assert.equal(await ana.locator("main li").count(), 1);
});

await step("what_a_colleague_reads_is_not_unread_any_more", async () => {
  await ion.goto("/#/conversations");
  await ion.getByRole("button", { name: /^Unread only/ }).click();
  await ion.locator("main li", { hasText: "When do you open?" }).click();
  await unread(ana, 0).waitFor();
  await ana.getByText("Nothing is unread.").waitFor();
});

await step("who_acknowledges_and_silences_an_alert_is_seen_by_the_others", async () => {
  await ana.goto("/#/alerts");
  const alerts = ana.getByRole("list", { name: "Open alerts" }).getByRole("listitem");
  const down = alerts.filter({ hasText: "is down" }).first();
  await down.waitFor();
  const { items } = await api("GET", "/v1/alerts?status=raised", undefined, input.live);
  const { id } = items.find((it) => it.kind === "route_down");
  await api("POST", `/v1/alerts/${id}/acknowledge`, undefined, input.live);
  await down.getByText("Acknowledged").waitFor();
});

await browser.close();
process.stdout.write(JSON.stringify(results));
process.exit(0);

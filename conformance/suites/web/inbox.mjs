// Alerts and conversations in a real browser, against the server's own. Reads {url, links, smsc, test,
// live, pictures} from its input, writes {step: null or why it failed} to its output. Steps build on
// each other, as a person's day does.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { barriersInBoth } from "./axe.mjs";

const require = createRequire(`${process.env.CONFORMANCE_NODE}/`);
const { chromium } = require("playwright-core");
const smpp = require("smpp");

const input = JSON.parse(await new Response(process.stdin).text());
const results = {};
const PASSWORD = "a few plain words";
const IONA = "+40721000001";
const MIHAI = "+40722000102";

// The SMSC of the route "gw": it takes binds and nothing else, and can be away.
const smsc = {
  sessions: new Set(),
  back() {
    this.server = smpp.createServer((session) => {
      this.sessions.add(session);
      session.on("error", () => undefined);
      session.on("close", () => this.sessions.delete(session));
      for (const bind of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) session.on(bind, (pdu) => session.send(pdu.response()));
      session.on("enquire_link", (pdu) => session.send(pdu.response()));
    });
    return new Promise((done) => this.server.listen(input.smsc, "127.0.0.1", done));
  },
  away() {
    this.server.close();
    this.sessions.forEach((it) => it.destroy());
  },
};

async function api(method, path, body, key = input.test, headers = {}) {
  const answer = await fetch(input.url + path, {
    method, headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}
const writes = (from, text, channel = "whatsapp") => api("POST", "/v1/simulator/inbound", { from, text, channel });
async function name(number, displayName) {
  const contact = await api("GET", `/v1/contacts/phone/${encodeURIComponent(number)}`);
  await api("PATCH", `/v1/contacts/${contact.id}`, { displayName });
  return contact.id;
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const PHONE = {
  viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, userAgent: ANDROID,
  colorScheme: "light", reducedMotion: "reduce", baseURL: input.url,
};
const phone = await browser.newContext(PHONE);
const page = await phone.newPage();
page.setDefaultTimeout(15_000);
const faults = [];
page.on("pageerror", (error) => faults.push(String(error)));
page.on("console", (message) => {
  // The browser itself reports answers and lost connections; those are steps here.
  if (message.type() === "error" && !/Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(message.text())) faults.push(message.text());
});

async function step(name, body) {
  try {
    await body();
    results[name] = null;
  } catch (error) {
    results[name] = String(error.stack ?? error);
    await page.screenshot({ path: `${input.pictures}/failed-${name}.png` }).catch(() => undefined);
  }
}
const heading = (name, of = page) => of.getByRole("heading", { level: 1, name });
const button = (name, of = page) => of.getByRole("button", { name, exact: true });
const tab = (name) => page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name });
const openAlerts = (of = page) => of.getByRole("list", { name: "Open alerts" }).getByRole("listitem");
async function picture(of, name) {
  await of.screenshot({ path: `${input.pictures}/${name}-light.png` });
  await of.emulateMedia({ colorScheme: "dark" });
  await of.screenshot({ path: `${input.pictures}/${name}-dark.png` });
  await of.emulateMedia({ colorScheme: "light" });
}
async function signIn(of, link) {
  await of.goto(`${input.url}/${link}`);
  await of.getByLabel("New password").fill(PASSWORD);
  await button("Save and sign in", of).click();
  await heading("Waiting", of).waitFor();
}
/** What the person said in the page is gone. */
const quiet = () => page.locator(".toast p").waitFor({ state: "detached" });

await smsc.back();
await writes(IONA, "Hello! Is the blue one still there?");
await name(IONA, "Ioana Marin");

await step("while_nothing_is_wrong_the_page_says_so", async () => {
  await signIn(page, input.links.ana);
  await tab(/^Alerts/).click();
  await heading("Alerts").waitFor();
  await page.getByText("Nothing is wrong.").waitFor();
});

await step("a_route_that_goes_down_appears_by_itself_and_is_counted_in_the_tab", async () => {
  smsc.away();
  await openAlerts().first().waitFor();
  const text = await openAlerts().first().innerText();
  for (const words of ["Urgent", "Route gw is down", "Nothing goes out by it", "since", "Route gw"]) assert.ok(text.includes(words), `${words}: ${text}`);
  assert.equal(await openAlerts().count(), 1);
  assert.match(await tab(/^Alerts/).innerText(), /1/);
  assert.equal(await page.getByText("Nothing is wrong.").count(), 0);
  await picture(page, "web-alerts");
});

await step("an_alert_is_acknowledged", async () => {
  await button("Acknowledge").click();
  await page.getByText(/^by Ana, /).waitFor();
  assert.equal(await button("Acknowledge").count(), 0);
  const [alert] = (await api("GET", "/v1/alerts?status=raised")).items;
  assert.equal(alert.acknowledgedBy, "Ana");
});

await step("a_time_that_is_over_is_no_time_to_silence_until", async () => {
  await button("Silence…").click();
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("radio", { name: "Until…" }).check();
  await sheet.getByLabel("Until", { exact: true }).evaluate((it) => {
    it.min = "";
    it.value = "2020-01-01T10:00";
    it.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await button("Silence it").click();
  await sheet.getByText("Choose a time that is still to come.").waitFor();
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  assert.deepEqual((await api("GET", "/v1/alerts/silences")).items, []);
});

await step("an_alert_is_silenced_for_hours_with_a_reason_and_the_silence_is_ended", async () => {
  await button("Silence…").click();
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("radio", { name: "8 hours" }).check();
  await sheet.getByLabel("Why?").fill("The provider works on it");
  await quiet();
  await picture(page, "web-silence");
  await button("Silence it").click();
  await sheet.waitFor({ state: "hidden" });
  await page.getByText(/^until .* by Ana: The provider works on it$/).waitFor();
  const [silence] = (await api("GET", "/v1/alerts/silences")).items;
  assert.deepEqual([silence.kind, silence.subject, silence.reason, silence.by], ["route_down", "route:gw", "The provider works on it", "Ana"]);
  const hours = (Date.parse(silence.until) - Date.now()) / 3_600_000;
  assert.ok(hours > 7.9 && hours < 8.1, silence.until);
  await quiet();
  await page.screenshot({ path: `${input.pictures}/web-silenced-light.png` });
  await page.getByRole("button", { name: /^End the silence/ }).click();
  await button("Silence…").waitFor();
  assert.deepEqual((await api("GET", "/v1/alerts/silences")).items, []);
});

await step("an_agent_reads_who_has_seen_it_and_why_there_are_no_buttons", async () => {
  const other = await browser.newContext(PHONE);
  const ions = await other.newPage();
  await signIn(ions, input.links.ion);
  await ions.goto("/#/alerts");
  await openAlerts(ions).first().waitFor();
  await ions.getByText(/^by Ana, /).waitFor();
  await ions.getByText("Acknowledging and silencing is for admins and owners.").waitFor();
  assert.equal(await openAlerts(ions).getByRole("button").count(), 0);
  // Not only the page says so.
  const refused = await ions.evaluate(async () => {
    const { csrfToken } = await (await fetch("/ui/v1/session")).json();
    const [alert] = (await (await fetch("/v1/alerts")).json()).items;
    return (await fetch(`/v1/alerts/${alert.id}/acknowledge`, { method: "POST", headers: { "X-CSRF-Token": csrfToken } })).status;
  });
  assert.equal(refused, 403);
  await other.close();
});

await step("an_alert_that_is_over_is_resolved_by_itself", async () => {
  await smsc.back();
  await page.getByText("Nothing is wrong.").waitFor();
  await page.getByRole("heading", { level: 2, name: "Resolved" }).waitFor();
  await page.getByText(/acknowledged by Ana/).waitFor();
  assert.doesNotMatch(await tab(/^Alerts/).innerText(), /\d/);
});

await step("what_the_server_cannot_answer_is_said_and_can_be_tried_again", async () => {
  await page.route("**/v1/alerts?*", (it) => it.fulfill({ status: 503, json: { code: "unavailable", message: "The store is not available" } }));
  await page.goto("/#/waiting");
  await page.goto("/#/alerts");
  await page.getByText("The store is not available.").waitFor();
  await page.unroute("**/v1/alerts?*");
  await button("Try again").click();
  await page.getByText("Nothing is wrong.").waitFor();
});

await step("a_conversation_is_listed_with_what_is_unread", async () => {
  assert.match(await tab(/^Conversations/).innerText(), /1/);
  await tab(/^Conversations/).click();
  await heading("Conversations").waitFor();
  const first = page.locator("main li").first();
  assert.match(await first.innerText(), /Ioana Marin[\s\S]*Is the blue one still there\?[\s\S]*1\s+unread[\s\S]*WhatsApp/);
  // Another writes, and stands above without a reload.
  await writes(MIHAI, "Bună! La ce oră deschideți mâine?", "sms");
  await page.locator("main li").first().getByText(/La ce oră/).waitFor();
  assert.equal(await page.locator("main li").count(), 2);
  await name(MIHAI, "Mihai Dobre");
});

await step("a_thread_is_read_and_then_nothing_is_unread", async () => {
  await page.getByText("Ioana Marin").click();
  await heading("Ioana Marin").waitFor();
  await page.getByText("Is the blue one still there?").first().waitFor();
  await page.getByText(/WhatsApp takes free texts for/).waitFor();
  let unread = 1;
  for (let tries = 0; tries < 50 && unread > 0; tries += 1) {
    const { items } = await api("GET", "/v1/conversations");
    unread = items.find((it) => it.displayName === "Ioana Marin").unreadCount;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.equal(unread, 0);
});

await step("an_answer_by_the_router_goes_back_the_way_they_came_and_says_why", async () => {
  const box = page.getByLabel("Your answer to Ioana Marin");
  assert.ok(await button("Send").isDisabled());
  await box.fill("Yes, the blue one is here. Shall I keep it for you?");
  await button("Send").click();
  await page.getByText("On its way by WhatsApp.").waitFor();
  assert.equal(await box.inputValue(), "");
  const meta = page.getByRole("button", { name: /^(Delivered|Read), WhatsApp by sim-wa/ });
  await meta.waitFor();
  assert.equal(await meta.getAttribute("aria-expanded"), "false");
  await meta.click();
  await page.getByRole("region", { name: "Why this route" }).getByText(/answer|repl/i).first().waitFor();
  await page.getByText(/^WhatsApp by sim-wa: (delivered|read)$/).waitFor();
  const [message] = (await api("GET", "/v1/messages?limit=1")).items;
  assert.deepEqual([message.channel, message.route, message.trafficClass], ["whatsapp", "sim-wa", "direct"]);
  await quiet();
  await page.screenshot({ path: `${input.pictures}/web-why-light.png` });
  await meta.click();
});

await step("what_they_write_meanwhile_appears_in_the_thread", async () => {
  await writes(IONA, "Please do! Can you text me the address?");
  await page.getByText("Can you text me the address?").first().waitFor();
});

await step("before_an_answer_from_ones_own_phone_the_page_says_where_the_next_one_arrives", async () => {
  await page.getByLabel("Your answer to Ioana Marin").fill("We are at 12 Harbour Street. Ring twice!");
  await picture(page, "web-thread");
  await button("From my phone").click();
  const sheet = page.getByRole("dialog", { name: "From your own phone?" });
  await sheet.getByText(/reaches only your phone/).waitFor();
  await sheet.getByText(/SMSGate/).waitFor();
  await picture(page, "web-from-my-phone");
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  assert.equal(await page.getByLabel("Your answer to Ioana Marin").inputValue(), "We are at 12 Harbour Street. Ring twice!");
});

await step("an_answer_from_ones_own_phone_is_handed_to_the_sms_app_and_comes_back_to_the_thread", async () => {
  await button("From my phone").click();
  await button("Go on to my SMS app").click();
  const link = page.getByRole("link", { name: "Open in my SMS app" });
  assert.equal(await link.getAttribute("href"), `sms:${IONA}?body=${encodeURIComponent("We are at 12 Harbour Street. Ring twice!")}`);
  await page.getByText("The conversation").click();
  await page.getByRole("link", { name: "Send it from my phone" }).click();
  await link.waitFor();
  await page.evaluate(() => {
    document.querySelector('a[href^="sms:"]').addEventListener("click", (event) => event.preventDefault(), { once: true });
  });
  await link.click();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await button("Yes, it is sent").click();
  await heading("Ioana Marin").waitFor();
  await page.getByRole("button", { name: /^Sent, not confirmed, from the phone of ana/ }).waitFor();
  const [message] = (await api("GET", "/v1/messages?limit=1")).items;
  assert.deepEqual([message.status, message.channel, message.route], ["sent", "sms", "phone:ana"]);
  assert.equal(await page.getByRole("link", { name: "Send it from my phone" }).count(), 0);
});

await step("an_answer_whose_reception_was_not_heard_of_is_one_message", async () => {
  let isLost = true;
  await page.route("**/v1/messages", async (it) => {
    if (!isLost || it.request().method() !== "POST") return it.continue();
    isLost = false;
    await it.fetch();
    await it.abort();
  });
  const box = page.getByLabel("Your answer to Ioana Marin");
  await box.fill("See you at five.");
  await button("Send").click();
  await page.getByText(/^There (is|was) no connection/).waitFor();
  assert.equal(await box.inputValue(), "See you at five.");
  await button("Send").click();
  await page.getByText("Accepted.").waitFor();
  await page.unroute("**/v1/messages");
  const { items } = await api("GET", "/v1/messages?limit=20");
  assert.equal(items.filter((it) => it.text === "See you at five.").length, 1);
});

await step("an_answer_whose_reception_was_not_heard_of_is_one_message_also_when_they_wrote_meanwhile", async () => {
  let isLost = true;
  await page.route("**/v1/messages", async (it) => {
    if (!isLost || it.request().method() !== "POST") return it.continue();
    isLost = false;
    await it.fetch();
    await it.abort();
  });
  const box = page.getByLabel("Your answer to Ioana Marin");
  await box.fill("The key is under the mat.");
  await button("Send").click();
  await page.getByText(/^There (is|was) no connection/).waitFor();
  await writes(IONA, "Where is the key?");
  await page.getByRole("log").getByText("Where is the key?").waitFor();
  // Also when one looked at something else meanwhile.
  await page.getByText("All conversations").click();
  await heading("Conversations").waitFor();
  await page.getByText("Ioana Marin").click();
  await button("Send").click();
  await page.getByText("Accepted.").waitFor();
  await page.unroute("**/v1/messages");
  const { items } = await api("GET", "/v1/messages?limit=20");
  assert.equal(items.filter((it) => it.text === "The key is under the mat.").length, 1);
});

await step("the_same_text_again_on_purpose_is_another_message", async () => {
  const box = page.getByLabel("Your answer to Ioana Marin");
  for (let no = 1; no <= 2; no += 1) {
    await quiet();
    await box.fill("ok");
    await button("Send").click();
    await page.getByText("On its way by WhatsApp.").waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
  }
  const { items } = await api("GET", "/v1/messages?limit=20");
  assert.equal(items.filter((it) => it.text === "ok").length, 2);
});

await step("a_text_that_is_too_long_is_kept_whole_and_not_sent", async () => {
  const box = page.getByLabel("Your answer to Ioana Marin");
  await box.fill("a".repeat(5_000));
  await page.getByText("Too long: 5,000 characters, and one message takes 4,096.").waitFor();
  assert.equal((await box.inputValue()).length, 5_000);
  assert.ok(await button("Send").isDisabled());
  await box.fill("");
});

await step("a_session_that_ends_loses_no_text_and_shows_it_to_nobody_else", async () => {
  const other = await browser.newContext(PHONE);
  const of = await other.newPage();
  const signInAs = async (name) => {
    await heading("Sign in", of).waitFor();
    await of.getByLabel("E-mail address").fill(`${name}@example.com`);
    await of.getByLabel("Password").fill(PASSWORD);
    await button("Sign in", of).click();
  };
  const box = of.getByLabel("Your answer to Ioana Marin");
  await of.goto("/");
  await signInAs("ana");
  await heading("Waiting", of).waitFor();
  await of.goto("/#/conversations");
  await of.getByText("Ioana Marin").click();
  await box.fill("Half a sentence");
  await other.clearCookies();
  // Or the page finds out by itself before that.
  await button("Send", of).click({ timeout: 5_000 }).catch(() => undefined);
  await of.getByText("Your session ended.").waitFor();
  await signInAs("ana");
  await box.waitFor();
  assert.equal(await box.inputValue(), "Half a sentence");
  await other.clearCookies();
  // Or the page finds out by itself before that.
  await button("Send", of).click({ timeout: 5_000 }).catch(() => undefined);
  await of.getByText("Your session ended.").waitFor();
  await signInAs("ion");
  await box.waitFor();
  assert.equal(await box.inputValue(), "");
  await other.close();
});

await step("keys_alone_send_an_answer", async () => {
  const box = page.getByLabel("Your answer to Ioana Marin");
  await box.focus();
  await page.keyboard.type("One line");
  await page.keyboard.press("Enter");
  await page.keyboard.type("and another");
  await page.keyboard.press("Control+Enter");
  await page.getByText("One line\nand another").first().waitFor();
  await page.waitForFunction(() => document.querySelector("textarea").value === "");
});

await step("who_opted_out_cannot_be_written_to", async () => {
  const contact = await name(MIHAI, "Mihai Dobre");
  await api("POST", `/v1/contacts/${contact}/opt-out`);
  await page.goto("/#/conversations");
  await page.getByText("Mihai Dobre").click();
  await page.getByText(/Mihai Dobre opted out of messages from Support/).waitFor();
  assert.equal(await button("Send").count(), 0);
});

await step("long_lists_and_threads_are_read_page_by_page", async () => {
  for (let no = 0; no < 34; no += 1) await writes(`+4073100${String(1000 + no)}`, `Question ${no}`, "sms");
  for (let no = 0; no < 34; no += 1) await writes(IONA, `Line ${no}`);
  await page.goto("/#/conversations");
  // A page that followed all of it knows all of it.
  await page.reload();
  await page.locator("main li").nth(29).waitFor();
  await page.getByText("Line 33").waitFor();
  await button("Show older ones").click();
  await page.locator("main li").nth(35).waitFor();
  assert.equal(await page.locator("main li").count(), 36);
  assert.equal(await button("Show older ones").count(), 0);
  // What is read anew leaves what was read beyond it.
  await writes(MIHAI, "Are you there?", "sms");
  await page.locator("main li").first().getByText("Are you there?").waitFor();
  assert.equal(await page.locator("main li").count(), 36);
  await page.getByText("Ioana Marin").click();
  await page.getByText("Line 33").first().waitFor();
  await page.waitForFunction(() => scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2);
  assert.equal(await page.getByRole("log").getByText("Is the blue one still there?").count(), 0);
  await button("Show older messages").click();
  await page.getByRole("log").getByText("Is the blue one still there?").waitFor();
  const texts = await page.getByRole("log").locator("li .text").allInnerTexts();
  assert.equal(texts[0], "Hello! Is the blue one still there?");
  assert.equal(texts.at(-1), "Line 33");
  assert.equal(new Set(texts.filter((it) => it.startsWith("Line "))).size, 34);
});

await step("without_a_connection_the_pages_say_so_and_lose_no_text", async () => {
  await page.getByLabel("Your answer to Ioana Marin").fill("Kept");
  await phone.setOffline(true);
  await button("Send").click();
  await page.getByText("There is no connection. Try again when you are online.").waitFor();
  assert.equal(await page.getByLabel("Your answer to Ioana Marin").inputValue(), "Kept");
  await page.goto("/#/alerts");
  await page.getByText("No connection.", { exact: false }).waitFor();
  assert.equal(await page.getByText("This is how it was when you were last online.").count(), 0, "two things that cannot both be true");
  await page.goto("/#/conversations");
  assert.equal(await page.locator("main li").count(), 36);
  await page.getByText("Ioana Marin").click();
  await page.getByText("Conversations are not kept in this browser.").waitFor();
  await phone.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.getByLabel("Your answer to Ioana Marin").waitFor();
  assert.equal(await page.getByLabel("Your answer to Ioana Marin").inputValue(), "Kept");
});

await step("what_was_said_of_a_lost_connection_goes_when_it_is_back", async () => {
  await phone.setOffline(true);
  await button("Send").click();
  const said = page.getByText("There is no connection. Try again when you are online.");
  await said.waitFor();
  await phone.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  // What is back is not said to be away, and what may not have got through is not forgotten.
  await said.waitFor({ state: "detached" });
  await page.getByText("There was no connection, so that this may not have got through. Try it again.").waitFor();
  assert.equal(await page.getByLabel("Your answer to Ioana Marin").inputValue(), "Kept");
});

await step("the_pages_fit_and_everything_has_a_name_and_room_for_a_thumb", async () => {
  smsc.away();
  await page.goto("/#/alerts");
  await openAlerts().first().waitFor();
  const [{ id }] = (await api("GET", "/v1/conversations")).items.filter((it) => it.displayName === "Ioana Marin");
  for (const path of ["alerts", "conversations", `conversations/${id}`]) {
    await page.goto(`/#/${path}`);
    await page.locator("main li").first().waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${path} is ${wide} pixels too wide`);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], input, textarea")]
        .filter((it) => !(it.textContent.trim() || it.labels?.length || it.ariaLabel))
        .map((it) => it.outerHTML));
    assert.deepEqual(nameless, [], path);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button, nav a, a.button, main li > a")]
        .filter((it) => it.offsetHeight > 0 && it.offsetHeight < 44)
        .map((it) => it.outerHTML));
    assert.deepEqual(small, [], path);
    assert.equal(await page.locator("h1").count(), 1, path);
    assert.equal(await page.locator("main").count(), 1, path);
    const squeezed = await page.evaluate(() =>
      [...document.querySelectorAll("nav a")].filter((it) => it.scrollWidth > it.clientWidth).map((it) => it.innerText));
    assert.deepEqual(squeezed, [], path);
    assert.deepEqual(await barriersInBoth(page), [], path);
  }
  await page.goto("/#/conversations");
  await page.locator("main li").first().waitFor();
  await picture(page, "web-conversations");
});

await step("on_a_wide_screen_list_and_thread_stand_side_by_side", async () => {
  const desk = await browser.newContext({ viewport: { width: 1280, height: 800 }, storageState: await phone.storageState(), baseURL: input.url, serviceWorkers: "block" });
  const wide = await desk.newPage();
  await wide.goto("/#/conversations");
  await wide.getByText("Choose a conversation").waitFor();
  await wide.getByText("Ioana Marin").click();
  await heading("Ioana Marin", wide).waitFor();
  await wide.getByRole("complementary", { name: "All conversations" }).getByText("Mihai Dobre").waitFor();
  await wide.getByLabel("Your answer to Ioana Marin").waitFor();
  await picture(wide, "web-desktop-thread");
  await wide.goto("/#/alerts");
  await openAlerts(wide).first().waitFor();
  await picture(wide, "web-desktop-alerts");
  await desk.close();
});

await step("no_page_broke_or_ran_into_its_own_rules", async () => assert.deepEqual(faults, []));

await browser.close();
process.stdout.write(JSON.stringify(results));
process.exit(0);

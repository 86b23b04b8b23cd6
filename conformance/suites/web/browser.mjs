// The pages in a real browser. Reads {url, links, pictures} from its input, writes {step: null or why
// it failed} to its output. Steps build on each other, as a person's day does.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { barriersInBoth } from "./axe.mjs";
import { claims, service } from "./push.mjs";
import { start } from "./stub.mjs";

const require = createRequire(`${process.env.CONFORMANCE_NODE}/`);
const { chromium } = require("playwright-core");

const input = JSON.parse(await new Response(process.stdin).text());
const results = {};
const PASSWORD = "a few plain words";
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const item = (id, to, contactName, text, minutes, more = {}) => ({
  id, to, ...(contactName ? { contactName } : {}), text, senderName: "Acme support",
  acceptedAt: ago(minutes), expiresAt: ago(minutes - 600), ...more,
});
const world = await start(input.url, [
  item("msg_1", "+40721000001", "Ana Ionescu", "Bună ziua, Ana!\nComanda 4417 & factura sunt gata: 100% plătite. O puteți ridica azi până la ora 18.", 42),
  item("msg_2", "+40722000134", null, "Your table for four is confirmed for 19:30. Reply here if anything changes.", 12),
  item("msg_3", "+40733000077", "Mihai Dobre", "The technician is on the way and will be with you in about twenty minutes.", 6,
    { claimedBy: { id: "usr_other", name: "Radu", until: ago(-8) } }),
  item("msg_4", "+447700900123", "Priya Nair", "Thanks for waiting. Your parcel was found and leaves tonight.", 1),
]);
const push = await service();

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";

const phone = await browser.newContext({
  viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, userAgent: ANDROID,
  colorScheme: "light", baseURL: world.url,
});
await phone.grantPermissions(["notifications", "clipboard-read", "clipboard-write"], { origin: world.url });
const page = await phone.newPage();
page.setDefaultTimeout(10_000);
const faults = [];
for (const it of [page]) {
  it.on("pageerror", (error) => faults.push(String(error)));
  it.on("console", (message) => {
    // The browser itself reports answers and lost connections; those are steps here.
    if (message.type() === "error" && !/Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(message.text())) faults.push(message.text());
  });
}

async function step(name, body) {
  try {
    await body();
    results[name] = null;
  } catch (error) {
    results[name] = String(error.stack ?? error);
    await page.screenshot({ path: `${input.pictures}/failed-${name}.png` }).catch(() => undefined);
  }
}
const heading = (name) => page.getByRole("heading", { level: 1, name });
const picture = (of, name) => of.screenshot({ path: `${input.pictures}/${name}.png` });
const button = (name) => page.getByRole("button", { name, exact: true });

await step("a_link_leads_to_a_password_and_in", async () => {
  await page.goto(`${world.url}/${input.links.ana}`);
  await heading("Choose your password").waitFor();
  await page.getByLabel("New password").fill("short");
  await button("Save and sign in").click();
  assert.equal(await heading("Waiting").count(), 0);
  await page.getByLabel("New password").fill(PASSWORD);
  await button("Save and sign in").click();
  await heading("Waiting").waitFor();
  assert.ok(!page.url().includes("welcome"), page.url());
  const session = await page.evaluate(() => fetch("/ui/v1/session").then((it) => it.json()));
  world.me = { id: session.user.id, name: session.user.name };
});

await step("the_list_shows_what_waits_longest_first", async () => {
  await page.getByText("Ana Ionescu").waitFor();
  const names = await page.locator("main li .who").allTextContents();
  assert.deepEqual(names, ["Ana Ionescu", "+40722000134", "Mihai Dobre", "Priya Nair"]);
  await page.getByText(/Radu has it until/).waitFor();
  await picture(page, "web-waiting-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "web-waiting-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

await step("the_list_follows_the_stream", async () => {
  world.items.push(item("msg_5", "+40744000005", "Late Guest", "Hello", 0));
  world.changed();
  await page.getByText("Late Guest").waitFor();
  world.items = world.items.filter((it) => it.id !== "msg_5");
  world.changed();
  await page.getByText("Late Guest").waitFor({ state: "detached" });
});

await step("a_message_is_taken_and_opens_the_sms_app", async () => {
  await page.getByText("Ana Ionescu").click();
  await heading("Ana Ionescu").waitFor();
  await picture(page, "web-message-light");
  await button("I'll send it").click();
  const link = page.getByRole("link", { name: "Open in my SMS app" });
  await link.waitFor();
  const text = world.items[0].text;
  assert.equal(await link.getAttribute("href"), `sms:+40721000001?body=${encodeURIComponent(text)}`);
  assert.ok(!(await link.getAttribute("href")).includes("+4072100000%"), "no blank is a plus");
  await button("Copy number").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "+40721000001");
  await button("Copy text").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
  await picture(page, "web-claimed-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "web-claimed-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

/** Presses the link without leaving the browser, and comes back as from another app. */
async function thereAndBack() {
  await page.evaluate(() => {
    document.querySelector('a[href^="sms:"]').addEventListener("click", (event) => event.preventDefault(), { once: true });
  });
  await page.getByRole("link", { name: "Open in my SMS app" }).click();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.getByRole("dialog").waitFor();
}

await step("who_comes_back_is_asked_and_not_yet_keeps_it", async () => {
  await thereAndBack();
  await picture(page, "web-asking-light");
  await button("Not yet").click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.getByRole("link", { name: "Open in my SMS app" }).waitFor();
  assert.deepEqual(world.told, []);
});

await step("who_closed_the_page_meanwhile_is_asked_when_it_opens_again", async () => {
  await page.evaluate(() => {
    document.querySelector('a[href^="sms:"]').addEventListener("click", (event) => event.preventDefault(), { once: true });
  });
  await page.getByRole("link", { name: "Open in my SMS app" }).click();
  await page.goto("about:blank");
  await page.goto(`${world.url}/`);
  await page.getByRole("dialog").waitFor();
  await button("Yes, it is sent").click();
  await heading("Waiting").waitFor();
  await page.getByText("Noted: sent from your phone.").waitFor();
  assert.deepEqual(world.told, [["msg_1", "sent"]]);
  assert.equal(await page.getByText("Ana Ionescu").count(), 0);
});

await step("somebody_elses_message_is_left_alone", async () => {
  await page.getByText("Mihai Dobre").click();
  await page.getByText(/Radu has it until/).first().waitFor();
  assert.equal(await button("I'll send it").count(), 0);
  await page.getByText("All waiting").click();
  // Taken by another in the moment between the list and the tap.
  await page.getByText("Priya Nair").click();
  await button("I'll send it").waitFor();
  const other = { id: "usr_other", name: "Radu", until: ago(-8) };
  world.items.find((it) => it.id === "msg_4").claimedBy = other;
  await button("I'll send it").click();
  await page.getByText("Radu has it now.").waitFor();
  delete world.items.find((it) => it.id === "msg_4").claimedBy;
  world.changed();
  await page.getByText("All waiting").click();
});

await step("without_a_connection_the_app_opens_and_an_answer_is_kept_and_passed_on_later", async () => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.reload();
  await page.getByText("+40722000134").click();
  await button("I'll send it").click();
  await page.getByRole("link", { name: "Open in my SMS app" }).waitFor();
  await phone.setOffline(true);
  world.isAway = true;
  await thereAndBack();
  await button("Yes, it is sent").click();
  await page.getByText("Saved. It is passed on when you are online.").waitFor();
  await page.reload();
  await heading("Waiting").waitFor();
  await page.getByText("No connection.").waitFor();
  await page.getByText("One answer will be passed on when you are online.").waitFor();
  assert.equal(await page.locator("main li", { hasText: "+40722000134" }).count(), 0);
  await page.getByText("Priya Nair").waitFor();
  await picture(page, "web-offline-light");
  assert.deepEqual(world.told.at(-1), ["msg_1", "sent"]);
  world.isAway = false;
  await phone.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.getByText("Your answer was passed on.").waitFor();
  assert.deepEqual(world.told.at(-1), ["msg_2", "sent"]);
});

await step("a_message_is_given_back", async () => {
  await page.getByText("Priya Nair").click();
  await button("I'll send it").click();
  await button("Give it back").click();
  await heading("Waiting").waitFor();
  assert.deepEqual(world.told.at(-1), ["msg_4", "release"]);
});

/** The list is another one, also where the stream has not come back yet. */
async function changed() {
  world.changed();
  await page.evaluate(() => dispatchEvent(new Event("online")));
}

await step("what_is_ones_own_for_a_while_is_not_any_more_when_that_is_over", async () => {
  world.items.push(item("msg_6", "+40755000006", "Slow Sender", "See you", 3));
  await changed();
  world.claimMs = 1_500;
  await page.getByText("Slow Sender").click();
  await button("I'll send it").click();
  const link = page.getByRole("link", { name: "Open in my SMS app" });
  await link.waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === "Open in my SMS app");
  await page.getByText(/^Your time is over: a route or somebody else may send it now/).waitFor();
  assert.equal(await link.count(), 0);
  delete world.claimMs;
  await button("Take it again").click();
  await link.waitFor();
  world.items.find((it) => it.id === "msg_6").claimedBy = { id: "usr_other", name: "Radu", until: ago(-8) };
  await changed();
  await page.getByText("Your time is over. Do not send it any more.").waitFor();
  await page.locator("main").getByText(/Radu has it until/).first().waitFor();
  assert.equal(await link.count(), 0);
});

await step("a_message_that_went_while_the_sms_app_was_open_is_not_asked_for", async () => {
  delete world.items.find((it) => it.id === "msg_6").claimedBy;
  await changed();
  await button("Take it again").click();
  await page.getByRole("link", { name: "Open in my SMS app" }).waitFor();
  await thereAndBack();
  world.items = world.items.filter((it) => it.id !== "msg_6");
  await changed();
  await heading("No longer waiting").waitFor();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => localStorage.getItem("tandem.handed")), null);
  await page.goto(`${world.url}/#/waiting`);
});

/** Ends the session at the server, as from another device; the page is not told. */
async function endSession() {
  const cookie = (await phone.cookies()).map((it) => `${it.name}=${it.value}`).join("; ");
  const { csrfToken } = await (await fetch(`${input.url}/ui/v1/session`, { headers: { cookie } })).json();
  const ended = await fetch(`${input.url}/ui/v1/logout`, { method: "POST", headers: { cookie, "X-CSRF-Token": csrfToken } });
  assert.ok(ended.ok, `logout: ${ended.status}`);
  world.isOut = true;
}
const kept = () => page.evaluate(async () => {
  const database = await new Promise((done, fail) => {
    const request = indexedDB.open("tandem");
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  const all = (name) => new Promise((done) => {
    const request = database.transaction(name).objectStore(name).getAll();
    request.onsuccess = () => done(request.result);
  });
  const found = { seen: await all("seen"), outbox: await all("outbox"), me: localStorage.getItem("tandem.me") };
  database.close();
  return found;
});
async function network(isThere) {
  world.isAway = !isThere;
  await phone.setOffline(!isThere);
  if (isThere) await page.evaluate(() => dispatchEvent(new Event("online")));
}

await step("a_phone_whose_session_was_ended_shows_nothing_any_more_also_offline", async () => {
  await page.goto(`${world.url}/#/waiting`);
  await heading("Waiting").waitFor();
  world.items.push(item("msg_7", "+40755000007", "Late Caller", "We are open until nine.", 2));
  await changed();
  await page.getByText("Late Caller").click();
  await button("I'll send it").click();
  await page.getByRole("link", { name: "Open in my SMS app" }).waitFor();
  await network(false);
  await thereAndBack();
  await button("Yes, it is sent").click();
  await page.getByText("Saved. It is passed on when you are online.").waitFor();
  const before = await kept();
  assert.ok(before.seen.length > 0 && before.me !== null);
  await endSession();
  await network(true);
  await heading("Sign in").waitFor();
  let after = await kept();
  for (let tries = 0; tries < 50 && after.seen.length > 0; tries += 1) after = await kept();
  assert.deepEqual([after.seen, after.me, after.outbox.length], [[], null, 1]);
  await network(false);
  await page.reload();
  await heading("Sign in").waitFor();
  assert.equal(await page.getByText("Priya Nair").count(), 0);
  await network(true);
});

await step("an_answer_that_waits_is_passed_on_in_the_session_of_who_gave_it_only", async () => {
  const before = world.told.length;
  world.isOut = false;
  await page.goto(`${world.url}/${input.links.ion}`);
  await page.getByLabel("New password").fill(PASSWORD);
  await button("Save and sign in").click();
  await heading("Waiting").waitFor();
  await page.getByText("Late Caller").waitFor();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  assert.equal(await page.getByText(/will be passed on/).count(), 0);
  await page.goto(`${world.url}/#/account`);
  await heading("Account").waitFor();
  await button("Sign out here").click();
  await heading("Sign in").waitFor();
  assert.deepEqual([world.told.length, (await kept()).outbox.length], [before, 1]);
  await page.getByLabel("E-mail address").fill("ana@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await button("Sign in").click();
  await page.getByText("Your answer was passed on.").waitFor();
  assert.deepEqual(world.told.slice(before), [["msg_7", "sent"]]);
  assert.deepEqual((await kept()).outbox, []);
});

await step("a_broken_address_leads_to_the_list", async () => {
  await page.goto(`${world.url}/#/account`);
  await heading("Account").waitFor();
  assert.equal(await page.title(), "Account – Tandem");
  await page.goto(`${world.url}/#/waiting/%E0%A4%A`);
  await heading("Waiting").waitFor();
  assert.equal(await page.title(), "Waiting – Tandem");
});

await step("a_push_shows_a_notification", async () => {
  const cdp = await phone.newCDPSession(page);
  const found = new Promise((done) => cdp.on("ServiceWorker.workerRegistrationUpdated", (it) => {
    if (it.registrations.length > 0) done(it.registrations[0].registrationId);
  }));
  await cdp.send("ServiceWorker.enable");
  const registrationId = await found;
  const note = { page: "/waiting/msg_4", notification: { title: "A message is waiting", body: "Open it", tag: "msg_4" } };
  await cdp.send("ServiceWorker.deliverPushMessage", { origin: world.url, registrationId, data: JSON.stringify(note) });
  const shown = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    for (let tries = 0; tries < 100; tries += 1) {
      const [it] = await registration.getNotifications();
      if (it) return { title: it.title, page: it.data.page, tag: it.tag };
      await new Promise((done) => setTimeout(done, 50));
    }
    return null;
  });
  assert.deepEqual(shown, { title: "A message is waiting", page: "/waiting/msg_4", tag: "msg_4" });
});

await step("the_server_rings_so_that_a_browser_can_open_it", async () => {
  const told = await page.evaluate(async (subscription) => {
    const { csrfToken } = await (await fetch("/ui/v1/session")).json();
    const ask = (method, path, body) =>
      fetch(`/ui/v1/push/${path}`, { method, headers: { "X-CSRF-Token": csrfToken }, body: JSON.stringify(body) });
    const kept = await ask("PUT", "subscription", subscription);
    const sent = await ask("POST", "test", {});
    return [kept.status, await sent.json()];
  }, push.subscription);
  assert.deepEqual(told, [204, { sent: 1 }]);
  const [letter] = push.letters;
  assert.equal(push.open(letter.body).notification.title, "This is a test");
  assert.equal(letter.headers["content-encoding"], "aes128gcm");
  assert.equal(claims(letter.headers.authorization).aud, push.origin);
});

await step("an_iphone_gets_the_form_that_it_understands", async () => {
  const state = await phone.storageState();
  const iphone = await browser.newContext({ viewport: { width: 390, height: 844 }, userAgent: IPHONE, storageState: state, baseURL: world.url, serviceWorkers: "block" });
  const other = await iphone.newPage();
  await other.goto("/#/waiting/msg_4");
  await other.getByRole("button", { name: "I'll send it" }).click();
  const href = await other.getByRole("link", { name: "Open in my SMS app" }).getAttribute("href");
  assert.ok(href.startsWith("sms:+447700900123&body=Thanks%20for%20waiting."), href);
  await other.getByText("It may leave as an iMessage.").waitFor();
  await other.getByRole("button", { name: "Give it back" }).click();
  await other.getByRole("heading", { level: 1, name: "Waiting" }).waitFor();
  await iphone.close();
});

await step("the_pages_fit_a_narrow_phone_and_a_wide_screen", async () => {
  for (const [path, name] of [["waiting", "Waiting"], ["phones", "Notifications"], ["account", "Account"], ["waiting/msg_4", "Priya Nair"]]) {
    await page.goto(`${world.url}/#/${path}`);
    await heading(name).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${path} is ${wide} pixels too wide`);
  }
  await page.goto(`${world.url}/#/phones`);
  await heading("Notifications").waitFor();
  await button("Switch on notifications").waitFor();
  // What the step before said is gone by then.
  await page.locator(".toast p").waitFor({ state: "detached" });
  await picture(page, "web-notifications-light");
  await page.goto(`${world.url}/#/account`);
  await page.getByText(/Chrome on Android/).first().waitFor();
  await picture(page, "web-account-light");
  const desk = await browser.newContext({ viewport: { width: 1280, height: 800 }, storageState: await phone.storageState(), baseURL: world.url, serviceWorkers: "block" });
  const wide = await desk.newPage();
  await wide.goto("/#/waiting/msg_4");
  await wide.getByRole("heading", { level: 1, name: "Priya Nair" }).waitFor();
  await picture(wide, "web-desktop-light");
  await wide.emulateMedia({ colorScheme: "dark" });
  await picture(wide, "web-desktop-dark");
  await wide.goto("/#/waiting");
  await wide.getByRole("heading", { level: 1, name: "Waiting" }).waitFor();
  await picture(wide, "web-desktop-list");
  await desk.close();
});

await step("everything_can_be_reached_by_key_and_has_a_name", async () => {
  for (const path of ["waiting", "waiting/msg_4", "phones", "account"]) {
    await page.goto(`${world.url}/#/${path}`);
    await page.locator("h1").waitFor();
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], input:not([type=hidden])")]
        .filter((it) => !(it.textContent.trim() || it.labels?.length || it.ariaLabel))
        .map((it) => it.outerHTML));
    assert.deepEqual(nameless, [], path);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button, nav a, a.button")]
        .filter((it) => it.offsetHeight > 0 && it.offsetHeight < 44)
        .map((it) => it.outerHTML));
    assert.deepEqual(small, [], path);
    assert.equal(await page.locator("h1").count(), 1, path);
    assert.equal(await page.locator("main").count(), 1, path);
    assert.deepEqual(await barriersInBoth(page), [], path);
  }
});

await step("more_than_the_list_holds_is_said_and_an_error_leaves_what_is_known_in_sight", async () => {
  world.more = true;
  await page.goto(`${world.url}/#/waiting`);
  await changed();
  await page.getByText("More messages wait than fit in this list.", { exact: false }).waitFor();
  await page.goto(`${world.url}/#/waiting/msg_of_later`);
  await heading("Not in the list").waitFor();
  world.more = false;
  await changed();
  await heading("No longer waiting").waitFor();
  await page.goto(`${world.url}/#/waiting`);
  world.isBroken = true;
  await changed();
  await page.getByText("The store is not available.").waitFor();
  await page.getByText("Priya Nair").waitFor();
  // What is still being asked for would be answered, and take the button away under the finger.
  for (let seen = -1; seen !== world.lists; await new Promise((done) => setTimeout(done, 1_000))) seen = world.lists;
  world.isBroken = false;
  await button("Try again").click();
  await page.getByText("The store is not available.").waitFor({ state: "detached" });
});

await step("a_text_of_sixteen_hundred_characters_leaves_the_button_under_the_thumb", async () => {
  world.items.push(item("msg_8", "+40755000008", "A very long name ".repeat(12).trim(), "x".repeat(800) + " مرحبا ".repeat(100), 3));
  await changed();
  await page.goto(`${world.url}/#/waiting/msg_8`);
  await button("I'll send it").waitFor();
  const { bottom, height, wide } = await button("I'll send it").evaluate((it) => ({
    bottom: it.getBoundingClientRect().bottom, height: innerHeight, wide: document.documentElement.scrollWidth - innerWidth,
  }));
  assert.ok(bottom <= height, `${bottom} of ${height}`);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  world.items = world.items.filter((it) => it.id !== "msg_8");
  await changed();
  await heading("No longer waiting").waitFor();
});

await step("signing_out_leaves_nothing_of_the_person_in_the_browser", async () => {
  await page.goto(`${world.url}/#/account`);
  await button("Sign out here").click();
  await heading("Sign in").waitFor();
  const left = await page.evaluate(async () => {
    const names = (await indexedDB.databases()).map((it) => it.name);
    const open = () => new Promise((done) => { const it = indexedDB.open("tandem"); it.onsuccess = () => done(it.result); });
    const database = names.includes("tandem") ? await open() : null;
    const seen = database ? await new Promise((done) => {
      const it = database.transaction("seen").objectStore("seen").count();
      it.onsuccess = () => done(it.result);
    }) : 0;
    return [localStorage.getItem("tandem.me"), seen];
  });
  assert.deepEqual(left, [null, 0]);
  await picture(page, "web-login-light");
  await page.getByLabel("E-mail address").fill("ana@example.com");
  await page.getByLabel("Password").fill("wrong password");
  await button("Sign in").click();
  await page.getByText("The e-mail address or the password is wrong.").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await button("Sign in").click();
  await heading("Waiting").waitFor();
});

await step("no_page_broke_or_ran_into_its_own_rules", async () => assert.deepEqual(faults, []));

await browser.close();
world.close();
push.close();
process.stdout.write(JSON.stringify(results));
process.exit(0);

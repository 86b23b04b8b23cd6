import assert from "node:assert/strict";
import { test } from "node:test";

import { read, title } from "../src/state/address";
import { hold } from "../src/state/hold";
import { inShort, kindName } from "../src/state/wording";

const NOW = Date.parse("2026-01-01T01:50:00Z");
const by = (id: string, until: string): { id: string; name: string; until: string } => ({ id, name: "Radu", until });
const LATER = "2026-01-01T01:55:00Z";
const BEFORE = "2026-01-01T01:50:00Z";

test("a message is mine until its time is over, and then it is over", () => {
  assert.equal(hold(by("usr_1", LATER), "usr_1", true, NOW), "mine");
  assert.equal(hold(by("usr_1", BEFORE), "usr_1", true, NOW), "over");
  assert.equal(hold(by("usr_1", BEFORE), "usr_1", false, NOW), "over");
});

test("a message that somebody else took after me is theirs", () => {
  assert.equal(hold(by("usr_2", LATER), "usr_1", true, NOW), "theirs");
});

test("a message that was mine and is nobody's now is over", () => {
  assert.equal(hold(undefined, "usr_1", true, NOW), "over");
});

test("a message whose other holder's time is over is free", () => {
  assert.equal(hold(by("usr_2", BEFORE), "usr_1", false, NOW), "free");
  assert.equal(hold(null, "usr_1", false, NOW), "free");
});

test("an address that is no text leads to the list", () => {
  assert.deepEqual(read("#/waiting/%E0%A4%A"), { name: "waiting" });
  assert.deepEqual(read("#/conversations/%"), { name: "conversations" });
  assert.deepEqual(read("#/waiting/msg_1%2F"), { name: "message", id: "msg_1/" });
});

test("each page has a title of its own, without names", () => {
  const pages = ["#/waiting", "#/waiting/a", "#/conversations", "#/conversations/a", "#/alerts", "#/phones", "#/account", "#/welcome/a"];
  assert.equal(new Set(pages.map((it) => title(read(it), true))).size, pages.length);
  assert.equal(title(read("#/waiting"), false), "Sign in – Tandem");
});

test("a message without a text is named by its kind", () => {
  assert.equal(kindName("image"), "Picture");
  assert.equal(kindName("audio"), "Voice");
  assert.equal(inShort("[text]"), "No text");
  assert.equal(inShort("[request_contact_info]"), "Request contact info");
  assert.equal(inShort("[Sale] today"), "[Sale] today");
});

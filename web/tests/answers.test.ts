import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import type { Reply } from "../src/api/conversations";
import { draft, forgetDrafts, keep, ownedBy } from "../src/state/drafts";
import { entry, ofPerson } from "../src/state/owned";
import { attempt, isCertainNo, length, MOST } from "../src/state/reply";

const OK = { to: "+40721000001", inReplyTo: "msg_1", text: "ok", conversationId: "cnv_1" };

test("the same text after a success is another message", () => {
  assert.notEqual(attempt(undefined, OK).idempotencyKey, attempt(undefined, OK).idempotencyKey);
});

test("an answer whose outcome is open is sent again as it was, whatever they wrote since", () => {
  const first = attempt(undefined, OK);
  assert.deepEqual(attempt(first, { ...OK, to: "+40721000002", inReplyTo: "msg_2" }), first);
});

test("another text, subject, way or conversation is another message", () => {
  const first = attempt(undefined, OK);
  const others: Omit<Reply, "idempotencyKey">[] = [
    { ...OK, text: "ok!" },
    { ...OK, subject: "Your order" },
    { ...OK, fromMyPhone: true },
    { ...OK, conversationId: "cnv_2" },
  ];
  for (const other of others) {
    const next = attempt(first, other);
    assert.notEqual(next.idempotencyKey, first.idempotencyKey);
    assert.deepEqual(next, { ...other, idempotencyKey: next.idempotencyKey });
  }
});

test("only a refusal of the message itself says that it was not taken", () => {
  assert.deepEqual([400, 401, 403, 404, 409, 422, 429, 500, 503].filter(isCertainNo), [400, 404, 409, 422]);
});

test("characters are counted as the server does, without the blanks around them", () => {
  assert.equal(length(` ${"a".repeat(MOST)}\n`), MOST);
  assert.equal(length("🙂ș"), 2);
});

beforeEach(forgetDrafts);

const DRAFT = { text: "Half a sen", subject: "" };

test("a draft is there after the same person signed in again", () => {
  ownedBy("usr_1");
  keep("usr_1", "cnv_1", DRAFT);
  ownedBy("usr_1");
  assert.deepEqual(draft("cnv_1"), DRAFT);
});

test("a draft is gone when somebody else signs in", () => {
  ownedBy("usr_1");
  keep("usr_1", "cnv_1", DRAFT);
  ownedBy("usr_2");
  assert.equal(draft("cnv_1").text, "");
  ownedBy("usr_1");
  assert.equal(draft("cnv_1").text, "");
});

test("what one person still wrote is not kept for the next one, nor after signing out", () => {
  ownedBy("usr_2");
  keep("usr_1", "cnv_1", DRAFT);
  assert.equal(draft("cnv_1").text, "");
  forgetDrafts();
  keep("usr_2", "cnv_1", DRAFT);
  assert.equal(draft("cnv_1").text, "");
});

test("an answer that is kept is its giver's alone, oldest first", () => {
  const entries = [entry("msg_2", "usr_1", "sent", 2), entry("msg_1", "usr_2", "release", 1), entry("msg_1", "usr_1", "sent", 1)];
  assert.deepEqual(ofPerson(entries, "usr_1").map((it) => it.message), ["msg_1", "msg_2"]);
  assert.deepEqual(ofPerson(entries, "usr_3"), []);
  assert.deepEqual(ofPerson(entries, undefined), []);
  assert.equal(new Set(entries.map((it) => it.id)).size, 3);
});

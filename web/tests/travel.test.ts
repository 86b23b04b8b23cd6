import assert from "node:assert/strict";
import { test } from "node:test";

import type { Conversation, Message } from "../src/api/types";
import { byPhone, byRouter } from "../src/state/reply";
import { left, local } from "../src/state/time";
import { carrier, isMoving, standing } from "../src/state/travel";

const message = (more: Partial<Message>): Message => ({
  id: "msg_1", to: "+40721000001", channel: "sms", messageType: "text", status: "sent", direction: "outbound",
  metadata: {}, createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z", ...more,
});
const conversation = (contactIdentifier: string): Conversation => ({ contactIdentifier }) as Conversation;

test("what a person sent is never said to be more than that", () => {
  const sent = message({ route: "phone:ana" });
  assert.deepEqual([standing(sent), carrier(sent)], ["Sent, not confirmed", "from the phone of ana"]);
});

test("a message says how it travels, and why it failed", () => {
  assert.deepEqual([standing(message({})), carrier(message({ route: "gw" }))], ["Sent", "SMS by gw"]);
  assert.equal(carrier(message({ channel: "auto" })), "");
  assert.equal(standing(message({ status: "failed", errorMessage: "not a number" })), "Failed: not a number");
});

test("a page asks often only while something may change soon", () => {
  const now = Date.parse("2026-01-01T00:01:00Z");
  assert.ok(isMoving(message({ status: "queued" }), now));
  assert.ok(isMoving(message({}), now));
  assert.ok(!isMoving(message({}), now + 120_000));
  assert.ok(!isMoving(message({ status: "delivered" }), now));
  assert.ok(!isMoving(message({ direction: "inbound", status: "received" }), now));
});

test("an answer goes to the address that they wrote from, and a chat's id with its channel", () => {
  const wrote = message({ id: "msg_2", direction: "inbound", from: "+40722000002" });
  assert.deepEqual(byRouter(conversation("+40721000001"), wrote), { to: "+40722000002", inReplyTo: "msg_2" });
  assert.deepEqual(byRouter(conversation("123456789"), undefined), { to: "123456789", channel: "telegram" });
  assert.equal(byPhone(conversation("ana@example.com")), undefined);
  assert.equal(byPhone(conversation("+40721000001")), "+40721000001");
});

test("times are short", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.deepEqual(["2026-01-01T00:00:01Z", "2026-01-01T01:30:00Z", "2026-01-01T23:59:00Z"].map((it) => left(it, now)), ["1 min", "90 min", "23 h"]);
  assert.equal(local(new Date(2026, 0, 2, 3, 4)), "2026-01-02T03:04");
});

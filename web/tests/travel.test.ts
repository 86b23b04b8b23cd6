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

test("a message that failed by one channel says what it waits for, and never that it is sent", () => {
  const of = (waits: NonNullable<Message["waits"]>, more: Partial<Message> = {}): string[] => {
    const it = message({ channel: "whatsapp", route: "wa", waits, ...more });
    return [standing(it), carrier(it)];
  };
  assert.deepEqual(of({ for: "fallback", failed: ["whatsapp"] }), ["WhatsApp failed, waits for another channel", ""]);
  assert.deepEqual(of({ for: "route", channel: "sms", failed: ["whatsapp"] }), ["WhatsApp failed, waits for SMS", ""]);
  assert.deepEqual(of({ for: "person", channel: "sms", failed: ["whatsapp"] }), ["WhatsApp failed, in a colleague's hands", ""]);
  const outcome = of({ for: "outcome", channel: "sms", failed: ["whatsapp"] }, { channel: "sms", route: "gw" });
  assert.deepEqual(outcome, ["WhatsApp failed, being sent by SMS", "SMS by gw"]);
  const again = of({ for: "route", channel: "sms", failed: [] }, { channel: "sms", route: "gw" });
  assert.deepEqual(again, ["Waits for SMS", "SMS by gw"]);
});

test("a message that has not gone at all says so in the usual words", () => {
  const queued = message({ status: "queued", route: "gw", waits: { for: "route", channel: "sms", failed: [] } });
  assert.deepEqual([standing(queued), carrier(queued)], ["Waiting to be sent", "SMS by gw"]);
  const held = message({ status: "queued", waits: { for: "person", channel: "sms", failed: [] } });
  assert.deepEqual([standing(held), carrier(held)], ["In a colleague's hands", ""]);
  assert.equal(standing(held, true), "Waits for your phone");
});

test("the reason of a failure ends without a full stop, since a comma follows", () => {
  assert.equal(standing(message({ status: "failed", errorMessage: "The recipient opted out of messages from this sender." })), "Failed: The recipient opted out of messages from this sender");
});

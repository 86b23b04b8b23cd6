import assert from "node:assert/strict";
import { test } from "node:test";

import type { Message } from "../src/api/types";
import { became } from "../src/state/ended";

const message = (more: Partial<Message>): Message => ({
  id: "msg_1", to: "+40721000001", channel: "sms", messageType: "text", status: "sent", direction: "outbound",
  metadata: {}, createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z", ...more,
});

test("who comes back to a message is told what became of it, and an opt-out by its name", () => {
  assert.match(became(message({ status: "failed", errorCode: "recipient_opted_out" })), /^They opted out of messages: do not send it/);
  assert.match(became(message({ status: "failed", errorCode: "expired" })), /^Its time is over: do not send it/);
  assert.match(became(message({ status: "failed", errorMessage: "Not a number." })), /^Failed: Not a number\. There/);
  assert.match(became(message({ status: "sent", route: "phone:ion" })), /^Sent, not confirmed, from the phone of ion\./);
  assert.match(became(message({ status: "delivered", route: "gw" })), /^Delivered, SMS by gw\./);
  assert.match(became(message({ status: "queued" })), /goes by itself/);
  assert.match(became(message({ status: "queued", waits: { for: "person", channel: "sms", failed: [] } })), /colleague has it/);
});

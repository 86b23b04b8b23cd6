import assert from "node:assert/strict";
import { test } from "node:test";

import { isAmong, noted, type Had } from "../src/state/had";

const HOUR = 60 * 60_000;

test("what somebody had is remembered for a day, and is nobody else's", () => {
  const known = noted([], "ana", "msg_1", 0);
  assert.ok(isAmong(known, "ana", "msg_1", 23 * HOUR));
  assert.ok(!isAmong(known, "ana", "msg_1", 24 * HOUR));
  assert.ok(!isAmong(known, "ion", "msg_1", 0));
  assert.ok(!isAmong(known, "ana", "msg_2", 0));
});

test("seen again it is remembered anew, once, and the oldest of very many are forgotten", () => {
  const twice = noted(noted([], "ana", "msg_1", 0), "ana", "msg_1", HOUR);
  assert.deepEqual(twice, [{ by: "ana", id: "msg_1", at: HOUR }]);
  let many: Had[] = twice;
  for (let no = 2; no <= 60; no += 1) many = noted(many, "ana", `msg_${no}`, HOUR);
  assert.equal(many.length, 50);
  assert.ok(!isAmong(many, "ana", "msg_1", HOUR));
  assert.ok(isAmong(many, "ana", "msg_60", HOUR));
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { inTurn } from "../src/state/pace";

/** Work whose end the test chooses. */
function slow(): { work: () => Promise<void>; begun: () => number; end: () => Promise<void> } {
  const ends: (() => void)[] = [];
  let count = 0;
  return {
    work: () => {
      count += 1;
      return new Promise((done) => ends.push(done));
    },
    begun: () => count,
    end: async () => {
      ends.shift()?.();
      await new Promise((done) => setImmediate(done));
    },
  };
}

test("who asks while it is being done waits until it was done once more, however many ask", async () => {
  const it = slow();
  const turn = inTurn(it.work);
  const seen: string[] = [];
  void turn().then(() => seen.push("first"));
  for (const name of ["second", "third"]) void turn().then(() => seen.push(name));
  assert.equal(it.begun(), 1);
  await it.end();
  assert.deepEqual([it.begun(), seen], [2, ["first"]]);
  await it.end();
  assert.deepEqual([it.begun(), seen], [2, ["first", "second", "third"]]);
  void turn();
  assert.equal(it.begun(), 3);
});

test("work that fails is done again for who asked meanwhile", async () => {
  let count = 0;
  const turn = inTurn(() => {
    count += 1;
    return count === 1 ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  const [first, second] = await Promise.allSettled([turn(), turn()]);
  assert.deepEqual([first.status, second.status, count], ["rejected", "fulfilled", 2]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { call, onceReached, onReached, Refused, remember, words } from "../src/api/client";
import type { Session } from "../src/api/types";

const session = (id: string): Session => ({ csrfToken: `proof of ${id}`, user: { id } }) as Session;

/** A server whose answers the test gives, in the order of its questions. */
function server(): ((status: number) => void)[] {
  const open: ((status: number) => void)[] = [];
  globalThis.fetch = () => new Promise((done) => open.push((status) => done(new Response(JSON.stringify({ status }), { status }))));
  return open;
}

test("a refusal that belongs to the session before is no refusal of this one", async () => {
  const answers = server();
  remember(session("ion"));
  const asked = call<{ status: number }>("GET", "/v1/alerts");
  remember(session("ana"));
  answers[0]?.(401);
  await new Promise((done) => setImmediate(done));
  answers[1]?.(200);
  assert.deepEqual([await asked, answers.length], [{ status: 200 }, 2]);
});

test("a refusal of this session is one", async () => {
  const answers = server();
  remember(session("ana"));
  const asked = call("GET", "/v1/alerts");
  remember(session("ana"));
  answers[0]?.(401);
  await assert.rejects(asked, (it) => it instanceof Refused && it.status === 401);
});

test("that a connection is away is not said any more when the server is reached again", async () => {
  let isAway = true;
  let told = 0;
  const end = onReached(() => (told += 1));
  globalThis.fetch = () => (isAway ? Promise.reject(new TypeError("no network")) : Promise.resolve(new Response("{}", { status: 503 })));
  const said = await call("GET", "/v1/alerts").then(() => "", words);
  assert.match(said, /no connection/);
  assert.equal(told, 0);
  isAway = false;
  // Any answer of the server's will do.
  await assert.rejects(call("GET", "/v1/alerts"));
  await assert.rejects(call("GET", "/v1/alerts"));
  assert.equal(told, 1, "once, and not with each answer");
  assert.match(onceReached(said), /^There was no connection/);
  assert.equal(onceReached("Not that."), "Not that.");
  end();
});

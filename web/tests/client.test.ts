import assert from "node:assert/strict";
import { test } from "node:test";

import { call, Refused, remember } from "../src/api/client";
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

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Alert, Silence } from "../src/api/types";
import { named, silenced, silenceOf, wording } from "../src/state/wording";

const KINDS: Alert["kind"][] = [
  "route_down", "failure_rate", "quota_80", "quota_100", "backlog_age", "receipts_missing", "webhook_failing", "phone_offline", "all_routes_out",
];
const silence = (kind: string | null, subject: string | null, until: string): Silence => ({
  id: "sil_1", kind, subject, until, reason: "", by: "Ana", createdAt: "2026-01-01T00:00:00Z",
});

test("every kind of alert has words of its own", () => {
  const said = KINDS.map((kind) => wording({ kind, subject: "route:gw", message: "words" }));
  assert.equal(new Set(said.map((it) => it.title)).size, KINDS.length);
  assert.ok(said.every((it) => it.meaning !== "" && it.seen === "Words"));
});

test("a kind that the page does not know says what the server says", () => {
  const kind = "something_new" as Alert["kind"];
  assert.equal(wording({ kind, subject: "route:gw", message: "it is odd" }).title, "It is odd");
});

test("each quota of a route is told by its own name", () => {
  const quota = { per: "day", unit: "spend", limit: 100, used: 83, usedPercent: 83 };
  const title = (kind: Alert["kind"], of: Alert["quota"]): string => wording({ kind, subject: "route:gw", message: "words", quota: of }).title;
  assert.equal(title("quota_80", quota), "The daily quota of money of route gw is nearly used up");
  assert.equal(title("quota_100", { ...quota, per: "month", unit: "messages" }), "The monthly quota of messages of route gw is used up");
  // Alerts from before quotas were told apart.
  assert.equal(title("quota_80", null), "The quota of route gw is nearly used up");
});

test("what the title says is not said twice", () => {
  const of = (message: string): string => wording({ kind: "route_down", subject: "route:gw", message }).seen;
  assert.equal(of("route gw is down: login refused"), "Login refused");
  assert.equal(of("route gw is down"), "Route gw is down");
});

test("subjects are said as people say them", () => {
  assert.deepEqual(["route:gw:2", "channel:sms", "country:RO", "project", "odd"].map(named), ["route gw:2", "channel SMS", "country RO", "the whole project", "odd"]);
  assert.equal(silenced(silence("quota_80", "route:gw", "")), "Quota 80 %, route gw");
  assert.equal(silenced(silence(null, null, "")), "Everything");
});

test("the silence that lasts longest counts, and one that is over does not", () => {
  const alert = { kind: "route_down" as const, subject: "route:gw" };
  const found = (...of: Silence[]): string | undefined => silenceOf(alert, of, Date.parse("2026-01-02T00:00:00Z"))?.until;
  const [soon, late, over] = ["2026-01-02T01:00:00Z", "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z"];
  assert.equal(found(silence("route_down", "route:gw", soon), silence(null, null, late)), late);
  assert.equal(found(silence("route_down", null, over)), undefined);
  assert.equal(found(silence("quota_100", "route:gw", late), silence("route_down", "route:other", late)), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { continued, renewed, type Known, type Order, type Page } from "../src/state/pages";

interface Item {
  id: string;
  at: string;
}
const ORDER: Order<Item> = { id: (it) => it.id, at: (it) => it.at };
const items = (...names: string[]): Item[] => names.map((it) => ({ id: it.charAt(0), at: it.slice(1) }));
const known = (next: string | null, ...names: string[]): Known<Item> => ({ items: items(...names), next });
const page = (nextCursor: string | null, ...names: string[]): Page<Item> => ({ items: items(...names), nextCursor });
const ids = (of: Known<Item>): string => of.items.map((it) => it.id).join("");

test("the first page is all that is known", () => {
  assert.deepEqual(renewed(known(null), page("c", "b2", "a1"), ORDER), known("c", "b2", "a1"));
});

test("what is new stands before what was read beyond the newest page", () => {
  const after = renewed(known("z", "d4", "c3", "b2", "a1"), page("c", "e5", "d4"), ORDER);
  assert.deepEqual([ids(after), after.next], ["edcba", "z"]);
});

test("what moved to the top stands there only", () => {
  assert.equal(ids(renewed(known("z", "d4", "c3", "b2", "a1"), page("c", "a5", "d4"), ORDER)), "adcb");
});

test("what is gone from the newest page is gone", () => {
  assert.equal(ids(renewed(known("z", "d4", "c3", "b2", "a1"), page("c", "d4", "b2"), ORDER)), "dba");
});

test("more news than a page begins the list anew, so that nothing is missing in it", () => {
  assert.deepEqual(renewed(known("z", "b2", "a1"), page("c", "f6", "e5"), ORDER), known("c", "f6", "e5"));
});

test("a page that has everything is everything", () => {
  assert.deepEqual(renewed(known(null, "b2", "a1"), page(null, "b2"), ORDER), known(null, "b2"));
});

test("reading on adds what is not there yet", () => {
  assert.deepEqual(continued(known("c", "d4", "c3"), page("e", "c3", "b2"), ORDER), known("e", "d4", "c3", "b2"));
});

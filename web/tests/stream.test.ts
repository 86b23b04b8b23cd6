import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { conversationOf } from "../src/api/news";
import { AWAY_MS, listen } from "../src/api/stream";

/** The browser's stream, as the test has it. */
class FakeSource extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static all: FakeSource[] = [];
  readyState = FakeSource.CONNECTING;
  constructor(readonly path: string) {
    super();
    FakeSource.all.push(this);
  }
  close(): void {
    this.readyState = FakeSource.CLOSED;
  }
  opens(): void {
    this.readyState = FakeSource.OPEN;
    this.dispatchEvent(new Event("open"));
  }
  /** It ended; `forGood` where the browser gives it up. */
  breaks(forGood: boolean): void {
    this.readyState = forGood ? FakeSource.CLOSED : FakeSource.CONNECTING;
    this.dispatchEvent(new Event("error"));
  }
  tells(name: string): void {
    if (this.readyState === FakeSource.OPEN) this.dispatchEvent(new MessageEvent(name, { data: "{}" }));
  }
}
const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
const turnPage = (to: string): void => {
  page.visibilityState = to;
  page.dispatchEvent(new Event("visibilitychange"));
};
const frame = new EventTarget();
Object.assign(globalThis, {
  EventSource: FakeSource,
  document: page,
  addEventListener: frame.addEventListener.bind(frame),
  removeEventListener: frame.removeEventListener.bind(frame),
});
mock.timers.enable({ apis: ["setInterval"] });

let heard: string[] = [];
const ears = { names: ["changed"], heard: (name: string) => heard.push(name), missed: () => heard.push("missed") };
const open = (): string[] => FakeSource.all.filter((it) => it.readyState !== FakeSource.CLOSED).map((it) => it.path);
const last = (): FakeSource => FakeSource.all.at(-1) as FakeSource;

beforeEach(() => {
  heard = [];
  FakeSource.all = [];
  page.visibilityState = "visible";
});

test("what happened before the stream stood is asked for when it does", () => {
  const it = listen("/a", ears);
  last().opens();
  last().tells("changed");
  assert.deepEqual(heard, ["missed", "changed"]);
  it.end();
});

test("a stream that the browser brings back is asked for what it missed, once", () => {
  const it = listen("/a", ears);
  last().opens();
  last().breaks(false);
  assert.deepEqual(heard, ["missed"]);
  last().opens();
  assert.deepEqual([heard, FakeSource.all.length], [["missed", "missed"], 1]);
  it.end();
});

test("a stream that the browser gave up is looked for again, and asked for meanwhile", () => {
  const it = listen("/a", ears);
  last().breaks(true);
  assert.deepEqual(heard, ["missed"]);
  mock.timers.tick(AWAY_MS);
  assert.deepEqual([heard.length, open()], [2, ["/a"]]);
  last().opens();
  mock.timers.tick(AWAY_MS * 3);
  assert.deepEqual(heard.length, 3, "nothing is asked for while it stands");
  it.end();
  assert.deepEqual(open(), []);
});

test("the stream before stands until the next one does", () => {
  const it = listen("/a", ears);
  const first = last();
  first.opens();
  it.turnTo("/b");
  first.tells("changed");
  assert.deepEqual([heard, open()], [["missed", "changed"], ["/a", "/b"]]);
  it.turnTo("/c");
  assert.deepEqual(open(), ["/a", "/c"], "one that never stood is not waited for");
  last().opens();
  assert.deepEqual(open(), ["/c"]);
  it.turnTo("/c");
  assert.equal(FakeSource.all.length, 3);
  it.end();
});

test("a page in the background listens to nothing", () => {
  const it = listen("/a", ears);
  last().opens();
  turnPage("hidden");
  it.turnTo("/b");
  mock.timers.tick(AWAY_MS * 3);
  assert.deepEqual([heard, open()], [["missed"], []]);
  turnPage("visible");
  assert.deepEqual(open(), ["/b"]);
  it.end();
});

test("an event says which conversation it is of, or nothing", () => {
  assert.equal(conversationOf('{"data":{"conversationId":"conv_1"}}'), "conv_1");
  for (const text of ["", "null", "{}", '{"data":{"conversationId":null}}']) assert.equal(conversationOf(text), undefined, text);
});

// The list of what waits: told by the server when it changes, asked for from time to time, and as it
// was last seen while there is no connection.

import { Offline, Refused, serverNow, words } from "../api/client";
import { follow, list, type Waiting } from "../api/waiting";
import { asked, toAsk } from "./asked";
import { byColleagues } from "./follow";
import { had, note } from "./had";
import { all, put, replace } from "./kept";
import { whileSeen } from "./live";
import { flush, load as loadOutbox, pending, unload } from "./outbox.svelte";
import { inTurn } from "./pace";
import { expired, session } from "./session.svelte";

/** How often the list is asked for while the page is looked at. */
const EVERY_MS = 30_000;
/** How often what it says is held against the clock: whose time is over has it no more. */
const CLOCK_MS = 5_000;

export const waiting = $state<{
  items: Waiting[];
  /** More waits than is listed. */
  more: boolean;
  state: "loading" | "fresh" | "offline" | "failed";
  problem: string;
  now: number;
}>({ items: [], more: false, state: "loading", problem: "", now: Date.now() });

/** What is left to do: not what was answered already and only waits to be passed on. */
export function open(): Waiting[] {
  return waiting.items.filter((it) => pending(it.id) === undefined);
}

/** Asks for the list. */
export const refresh = inTurn(async () => {
  waiting.now = serverNow();
  try {
    const { items, more } = await list();
    const found = sorted(items);
    noteHad(found);
    // The session ended meanwhile: nothing is kept any more.
    if (session.state !== "in") return;
    waiting.items = found;
    waiting.more = more === true;
    waiting.now = serverNow();
    waiting.state = "fresh";
    const handed = toAsk();
    // It has gone: there is nothing left to ask.
    if (handed !== null && !found.some((it) => it.id === handed)) asked();
    await replace("seen", $state.snapshot(waiting.items)).catch(() => undefined);
  } catch (error) {
    if (error instanceof Offline) {
      waiting.state = "offline";
    } else if (error instanceof Refused && error.status === 401) {
      expired();
    } else {
      waiting.state = "failed";
      waiting.problem = words(error);
    }
  }
  badge();
});

/** Notes that one has it oneself, before the list is asked for again. */
export async function noteMine(id: string, until: string): Promise<void> {
  const { me } = session;
  if (me === undefined) return;
  note(me.user.id, id, serverNow());
  waiting.items = waiting.items.map((it) => (it.id === id ? { ...it, claimedBy: { id: me.user.id, name: me.user.name, until } } : it));
  const item = waiting.items.find((it) => it.id === id);
  if (item) await put("seen", $state.snapshot(item)).catch(() => undefined);
}

/** Remembers what one has, so that it is known to have been one's own when its time is over. */
function noteHad(items: Waiting[]): void {
  const me = session.me?.user.id;
  if (me === undefined) return;
  for (const it of items) if (it.claimedBy?.id === me) note(me, it.id, serverNow());
}

/** Whether one had it a while ago. */
export function hadIt(id: string): boolean {
  const me = session.me?.user.id;
  return me !== undefined && had(me, id, serverNow());
}

/** Oldest first: who waited longest is served first. */
function sorted(items: Waiting[]): Waiting[] {
  return items.toSorted((a, b) => a.acceptedAt.localeCompare(b.acceptedAt) || a.id.localeCompare(b.id));
}

function badge(): void {
  const count = open().filter((it) => !it.claimedBy).length;
  // Not every launcher shows a number.
  void navigator.setAppBadge?.(count).catch(() => undefined);
}

/** Keeps the list as it is at the server; call the result to end that. */
export function keepFresh(): () => void {
  const again = (): void => void flush().then(refresh);
  let stop: (() => void) | undefined = undefined;
  let isOver = false;
  void loadOutbox()
    .then(async () => {
      const seen = sorted(await all<Waiting>("seen").catch(() => []));
      if (!isOver && waiting.state === "loading") waiting.items = seen;
    })
    .then(() => {
      if (!isOver) stop = whileSeen(again, EVERY_MS);
    });
  const unfollow = follow({ changed: again, alerts: () => byColleagues.alerts(), conversations: () => byColleagues.conversations() });
  const clock = setInterval(() => {
    if (document.visibilityState === "visible") waiting.now = serverNow();
  }, CLOCK_MS);
  return () => {
    isOver = true;
    unfollow();
    clearInterval(clock);
    stop?.();
    // Nothing of it stays in a page that nobody is signed in to.
    Object.assign(waiting, { items: [], more: false, state: "loading", problem: "" });
    unload();
  };
}

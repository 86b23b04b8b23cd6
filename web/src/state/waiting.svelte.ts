// The list of what waits: told by the server when it changes, asked for from time to time, and as it
// was last seen while there is no connection.

import { Offline, Refused, words } from "../api/client";
import { follow, list, type Waiting } from "../api/waiting";
import { all, replace } from "./kept";
import { flush, load as loadOutbox, pending } from "./outbox.svelte";
import { expired } from "./session.svelte";

/** How often the list is asked for while the page is looked at: streams break without a word. */
const EVERY_MS = 30_000;

export const waiting = $state<{
  items: Waiting[];
  state: "loading" | "fresh" | "offline" | "failed";
  problem: string;
  now: number;
}>({ items: [], state: "loading", problem: "", now: Date.now() });

/** What is left to do: not what was answered already and only waits to be passed on. */
export function open(): Waiting[] {
  return waiting.items.filter((it) => pending(it.id) === undefined);
}

/** Asks for the list. */
export async function refresh(): Promise<void> {
  waiting.now = Date.now();
  try {
    waiting.items = sorted(await list());
    waiting.state = "fresh";
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
}

/** Oldest first: who waited longest is served first. */
function sorted(items: Waiting[]): Waiting[] {
  return items.toSorted((a, b) => a.acceptedAt.localeCompare(b.acceptedAt) || a.id.localeCompare(b.id));
}

function badge(): void {
  const count = open().filter((it) => it.claimedBy === undefined).length;
  // Not every launcher shows a number.
  void navigator.setAppBadge?.(count).catch(() => undefined);
}

/** Keeps the list as it is at the server; call the result to end that. */
export function keepFresh(): () => void {
  const again = (): void => {
    if (document.visibilityState !== "visible") return;
    void flush().then(refresh);
  };
  void loadOutbox()
    .then(async () => {
      if (waiting.state === "loading") waiting.items = sorted(await all<Waiting>("seen").catch(() => []));
    })
    .then(again);
  const unfollow = follow(again);
  const timer = setInterval(again, EVERY_MS);
  document.addEventListener("visibilitychange", again);
  addEventListener("online", again);
  return () => {
    unfollow();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", again);
    removeEventListener("online", again);
  };
}

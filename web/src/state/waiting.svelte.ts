// The list of what waits: told by the server when it changes, asked for from time to time, and as it
// was last seen while there is no connection.

import { Offline, Refused, words } from "../api/client";
import { follow, list, type Waiting } from "../api/waiting";
import { all, replace } from "./kept";
import { whileSeen } from "./live";
import { flush, load as loadOutbox, pending } from "./outbox.svelte";
import { expired } from "./session.svelte";

/** How often the list is asked for while the page is looked at. */
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
  const again = (): void => void flush().then(refresh);
  let stop: (() => void) | undefined = undefined;
  let isOver = false;
  void loadOutbox()
    .then(async () => {
      if (waiting.state === "loading") waiting.items = sorted(await all<Waiting>("seen").catch(() => []));
    })
    .then(() => {
      if (!isOver) stop = whileSeen(again, EVERY_MS);
    });
  const unfollow = follow(again);
  return () => {
    isOver = true;
    unfollow();
    stop?.();
  };
}

// What is wrong now, kept as it is at the server, and what was before, page by page.

import { acknowledge, open, over, silences } from "../api/alerts";
import { Offline, Refused, words } from "../api/client";
import type { Alert, Silence } from "../api/types";
import { continued, type Known, type Order } from "./pages";
import { expired } from "./session.svelte";

/** How many alerts that are over are read at a time. */
const PAST_PAGE = 20;

export const alerts = $state<{
  open: Alert[];
  past: Known<Alert>;
  silences: Silence[];
  state: "loading" | "fresh" | "offline" | "failed";
  problem: string;
  now: number;
}>({ open: [], past: { items: [], next: null }, silences: [], state: "loading", problem: "", now: Date.now() });

const ORDER: Order<Alert> = { id: (it) => it.id, at: (it) => it.raisedAt };

/** Forgets everything: somebody else may be signed in now. */
export function forget(): void {
  Object.assign(alerts, { open: [], past: { items: [], next: null }, silences: [], state: "loading", problem: "" });
}

/** Asks for everything that is open, and with `past` for the newest of what is over. */
export async function refresh(past: boolean): Promise<void> {
  alerts.now = Date.now();
  try {
    [alerts.open, alerts.silences] = await Promise.all([open(), silences()]);
    // What was open when a page of the past was read may be over by now: it begins anew.
    if (past) alerts.past = first(await over(null, PAST_PAGE));
    alerts.state = "fresh";
  } catch (error) {
    if (error instanceof Offline) {
      alerts.state = "offline";
    } else if (error instanceof Refused && error.status === 401) {
      expired();
    } else {
      alerts.state = "failed";
      alerts.problem = words(error);
    }
  }
}

/** The newest page; what was read beyond it stays where it joins. */
function first(page: { items: Alert[]; nextCursor: string | null }): Known<Alert> {
  const fresh = { items: page.items, next: page.nextCursor };
  const joins = alerts.past.items.some((it) => it.id === page.items.at(-1)?.id);
  if (!joins || page.nextCursor === null) return fresh;
  return { ...continued(fresh, { items: alerts.past.items, nextCursor: alerts.past.next }, ORDER) };
}

/** Reads on in what is over. */
export async function older(): Promise<void> {
  const page = await over(alerts.past.next, PAST_PAGE);
  alerts.past = continued(alerts.past, page, ORDER);
}

/** Says that one has seen it. */
export async function seen(id: string): Promise<void> {
  const after = await acknowledge(id);
  alerts.open = alerts.open.map((it) => (it.id === id ? after : it));
}

// Alerts and silences (R-ALERT), as the API has them.

import { call } from "./client";
import type { Alert, Silence } from "./types";
import type { Page } from "../state/pages";

const BASE = "/v1/alerts";
/** How many are asked for at a time. */
const PAGE = 100;
/** Nobody reads more open alerts than that. */
const OPEN_PAGES = 5;

/** All that are open, newest first. */
export async function open(): Promise<Alert[]> {
  const found: Alert[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < OPEN_PAGES; page += 1) {
    const answer: Page<Alert> = await call("GET", `${BASE}?status=raised&limit=${PAGE}${after(cursor)}`);
    found.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  return found;
}

/** A page of those that are over. */
export function over(cursor: string | null, limit: number): Promise<Page<Alert>> {
  return call("GET", `${BASE}?status=resolved&limit=${limit}${after(cursor)}`);
}

/** Says that one has seen it; the alert as it stands then. */
export function acknowledge(id: string): Promise<Alert> {
  return call("POST", `${BASE}/${encodeURIComponent(id)}/acknowledge`);
}

/** The silences that hold. */
export async function silences(): Promise<Silence[]> {
  return (await call<Page<Silence>>("GET", `${BASE}/silences`)).items;
}

/** Has nobody told of alerts like this one until then. */
export async function silence(alert: Alert, until: Date, reason: string): Promise<void> {
  const { kind, subject } = alert;
  await call<unknown>("POST", `${BASE}/silences`, { kind, subject, until: until.toISOString(), reason });
}

/** Ends a silence. */
export async function unsilence(id: string): Promise<void> {
  await call<unknown>("DELETE", `${BASE}/silences/${encodeURIComponent(id)}`);
}

function after(cursor: string | null): string {
  return cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
}

// Messages that wait for somebody's phone (R-PHONE-2): the contract with the server, all in one file.

import { call, Refused } from "./client";
import { listen } from "./stream";

/** Who has a message at the moment. */
export interface Claimed {
  id: string;
  name: string;
  until: string;
}

/** A message that waits. */
export interface Waiting {
  id: string;
  to: string;
  contactName?: string;
  text: string;
  senderName: string;
  acceptedAt: string;
  expiresAt: string;
  claimedBy?: Claimed;
}

/** Somebody else was quicker. */
export class Taken extends Error {
  constructor(readonly by: string) {
    super(`${by} has it now.`);
  }
}

const BASE = "/ui/v1/waiting";

/** What waits, and whether that is not all of it. */
export function list(): Promise<{ items: Waiting[]; more?: boolean }> {
  return call("GET", BASE);
}

/** Takes a message, so that nobody else sends it meanwhile; until when. */
export async function claim(id: string): Promise<string> {
  try {
    const answer = await call<{ claim: { until: string } }>("POST", path(id, "claim"));
    return answer.claim.until;
  } catch (error) {
    if (error instanceof Refused && error.status === 409 && error.code === "claimed") {
      const by = error.details.by;
      const name = typeof by === "object" && by !== null ? (by as { name?: string }).name : by;
      throw new Taken(typeof name === "string" ? name : "Somebody else");
    }
    throw error;
  }
}

/** What a person says of a message that they had: it left their phone, or somebody else shall send it. */
export type Answer = "sent" | "release";

/** Tells the server. */
export async function tell(id: string, answer: Answer): Promise<void> {
  await call<unknown>("POST", path(id, answer));
}

/** What a stream of the pages says that somebody changed. */
export interface Told {
  /** The list, or who has something of it. */
  changed: () => void;
  /** Which conversations are unread. */
  conversations: () => void;
  /** Who has seen an alert, or what is silenced. */
  alerts: () => void;
}

/** Calls these whenever it may be another; call the result to end it. */
export function follow(told: Told): () => void {
  const names: (keyof Told)[] = ["changed", "conversations", "alerts"];
  const missed = (): void => names.forEach((it) => told[it]());
  return listen(`${BASE}/events`, { names, heard: (name) => told[name as keyof Told](), missed }).end;
}

function path(id: string, action: string): string {
  return `${BASE}/${encodeURIComponent(id)}/${action}`;
}

// Answers that were given without a connection or a session: kept, and told to the server as soon as the
// person who gave them has both. Somebody else who signs in meanwhile neither sees nor sends them.
//
// iOS has no background sync, so this happens while a page is open: at its start, when it is looked
// at again, and when the network comes back.

import { Offline, Refused } from "../api/client";
import { tell, type Answer } from "../api/waiting";
import { all, put, remove } from "./kept";
import { entry, ofPerson, type Entry } from "./owned";
import { session } from "./session.svelte";
import { say } from "./toast.svelte";

/** Answers of who is signed in that wait, oldest first. */
export const outbox = $state<{ entries: Entry[] }>({ entries: [] });

const me = (): string | undefined => session.me?.user.id;

/** Reads what an earlier page left. */
export async function load(): Promise<void> {
  try {
    outbox.entries = ofPerson(await all<Entry>("outbox"), me());
  } catch {
    // A browser that keeps nothing: answers need a connection there.
    outbox.entries = [];
  }
}

/** Shows none any more; they stay in the browser. */
export function unload(): void {
  outbox.entries = [];
}

/** The answer that waits for this message. */
export function pending(message: string): Answer | undefined {
  return outbox.entries.find((it) => it.message === message)?.answer;
}

/** What became of an answer: the server knows it, or it is kept until there is a connection, or a session. */
export type Given = "told" | "offline" | "signed-out";

/** Gives an answer, now or later. */
export async function answer(message: string, given: Answer): Promise<Given> {
  const by = me();
  try {
    await tell(message, given);
    const known = outbox.entries.find((it) => it.message === message);
    if (known) await forget(known.id);
    return "told";
  } catch (error) {
    const isOut = error instanceof Refused && error.status === 401;
    if (by === undefined || !(error instanceof Offline || isOut)) throw error;
    const fresh = entry(message, by, given, Date.now());
    await put("outbox", fresh);
    outbox.entries = ofPerson([...outbox.entries.filter((it) => it.id !== fresh.id), fresh], me());
    return isOut ? "signed-out" : "offline";
  }
}

let flushing: Promise<boolean> | undefined;

/** Tells the server what waits, oldest first; whether anything was told. */
export function flush(): Promise<boolean> {
  flushing ??= flushAll().finally(() => (flushing = undefined));
  return flushing;
}

async function flushAll(): Promise<boolean> {
  let told = 0;
  for (const entry of [...outbox.entries]) {
    // Only in the session of who gave it.
    if (entry.by !== me()) continue;
    try {
      await tell(entry.message, entry.answer);
      told += 1;
    } catch (error) {
      const later = error instanceof Offline || (error instanceof Refused && isForLater(error.status));
      if (later) break;
      // The server knows better by now: somebody else answered, or the time was over.
      say(`An answer that you gave offline came too late: ${error instanceof Error ? error.message : ""}`);
    }
    await forget(entry.id);
  }
  if (told > 0) say(told === 1 ? "Your answer was passed on." : `Your ${told} answers were passed on.`);
  return told > 0;
}

/** Signed out, too many requests, or a fault that passes. */
function isForLater(status: number): boolean {
  return status === 401 || status === 403 || status === 429 || status >= 500;
}

async function forget(id: string): Promise<void> {
  await remove("outbox", id);
  outbox.entries = outbox.entries.filter((it) => it.id !== id);
}

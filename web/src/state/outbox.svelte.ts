// Answers that were given without a connection: kept, and told to the server as soon as there is one.
//
// iOS has no background sync, so this happens while a page is open: at its start, when it is looked
// at again, and when the network comes back.

import { Offline, Refused } from "../api/client";
import { tell, type Answer } from "../api/waiting";
import { all, put, remove } from "./kept";
import { say } from "./toast.svelte";

interface Entry {
  id: string;
  answer: Answer;
  at: number;
}

/** Answers that wait, by message. */
export const outbox = $state<{ entries: Entry[] }>({ entries: [] });

/** Reads what an earlier page left. */
export async function load(): Promise<void> {
  try {
    outbox.entries = await all<Entry>("outbox");
  } catch {
    // A browser that keeps nothing: answers need a connection there.
    outbox.entries = [];
  }
}

/** The answer that waits for this message. */
export function pending(id: string): Answer | undefined {
  return outbox.entries.find((it) => it.id === id)?.answer;
}

/** Gives an answer, now or when there is a connection; whether the server knows it. */
export async function answer(id: string, given: Answer): Promise<boolean> {
  try {
    await tell(id, given);
    await forget(id);
    return true;
  } catch (error) {
    if (!(error instanceof Offline)) throw error;
    const entry: Entry = { id, answer: given, at: Date.now() };
    await put("outbox", { ...entry });
    outbox.entries = [...outbox.entries.filter((it) => it.id !== id), entry];
    return false;
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
  for (const entry of [...outbox.entries].sort((a, b) => a.at - b.at)) {
    try {
      await tell(entry.id, entry.answer);
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
  if (pending(id) === undefined) return;
  await remove("outbox", id);
  outbox.entries = outbox.entries.filter((it) => it.id !== id);
}

// Whose is an answer that waits to be passed on? Several people may use one browser, one after the other.

import type { Answer } from "../api/waiting";

/** An answer that was given and not told to the server yet. */
export interface Entry {
  /** Person and message: two people may have answered the same one. */
  id: string;
  message: string;
  by: string;
  answer: Answer;
  at: number;
}

/** One that is to be kept. */
export function entry(message: string, by: string, answer: Answer, at: number): Entry {
  return { id: `${by} ${message}`, message, by, answer, at };
}

/** Those of one person, oldest first; what others gave is not theirs to see or to pass on. */
export function ofPerson(entries: Entry[], person: string | undefined): Entry[] {
  return entries.filter((it) => it.by === person && person !== undefined).toSorted((a, b) => a.at - b.at);
}

// Which messages did somebody have a while ago? The server forgets that as soon as their time is over, and then
// they may have sent one, and must be able to say so: also after the page was closed.

const KEY = "tandem.had";
/** How long it is remembered. */
const KEPT_MS = 24 * 60 * 60_000;
/** Most that are remembered. */
const MOST = 50;

/** That somebody had a message, and when that was seen last. */
export interface Had {
  by: string;
  id: string;
  at: number;
}

/** With one more; the oldest are forgotten. */
export function noted(known: Had[], by: string, id: string, now: number): Had[] {
  const others = known.filter((it) => !(it.by === by && it.id === id) && now - it.at < KEPT_MS);
  return [...others, { by, id, at: now }].slice(-MOST);
}

/** Whether this person had it. */
export function isAmong(known: Had[], by: string, id: string, now: number): boolean {
  return known.some((it) => it.by === by && it.id === id && now - it.at < KEPT_MS);
}

function read(): Had[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]") as Had[];
  } catch {
    return [];
  }
}

function write(known: Had[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // A browser that keeps nothing knows it as long as the page is open.
  }
}

/** Remembers that somebody has it. */
export function note(by: string, id: string, now: number): void {
  write(noted(read(), by, id, now));
}

/** Whether somebody had it a while ago. */
export function had(by: string, id: string, now: number): boolean {
  return isAmong(read(), by, id, now);
}

/** Forgets it: they gave it back, or said that it was sent. */
export function forget(by: string, id: string): void {
  write(read().filter((it) => !(it.by === by && it.id === id)));
}

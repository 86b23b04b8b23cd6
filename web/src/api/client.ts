// How is the server asked? One function: the cookie goes by itself, the proof in a header.

import type { Session } from "./types";

/** The server said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** The server was not reached. */
export class Offline extends Error {
  constructor() {
    super("There is no connection.");
  }
}

let csrfToken = "";
/** How many sessions this page has had. */
let sessions = 0;
/** Whose page this is. */
let person = "";
/** The last request did not reach the server. */
let isAway = false;
/** What is said of that. */
const AWAY = "There is no connection. Try again when you are online.";
/** Who waits until it is reached again. */
const waiting = new Set<() => void>();
/** How far the server's clock is ahead of this one. */
let ahead = 0;
/** What may as well be the way of an answer, and its whole seconds. */
const NO_DIFFERENCE_MS = 5_000;

/** Remembers the proof that changes need. */
export function remember(session: Session): Session {
  if (csrfToken !== session.csrfToken) sessions += 1;
  csrfToken = session.csrfToken;
  person = session.user.id;
  return session;
}

/** Says whose page this is from now on, before the server was asked. */
export function belongTo(id: string): void {
  person = id;
}

/** What the server's clock says: a phone's own may be wrong, and claims end by the server's. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/** One request, perhaps with more headers; the answer's body, empty where it has none. */
export async function call<T>(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<T> {
  const session = sessions;
  const first = await request(method, path, body, more);
  // Asked in a session that has ended, and answered in the next one: that says nothing about this one.
  if (first.status === 401 && method === "GET" && session !== sessions) return call<T>(method, path);
  if (first.status === 403 && method !== "GET" && (await isStale(first.clone()))) {
    // Signed in anew in another tab: the proof of before fits no more.
    const found = await read<Session>(await request("GET", "/ui/v1/session"));
    // What one person does in this page is nothing that the other one did.
    if (person !== "" && found.user.id !== person) throw new Refused(401, "somebody_else", "Somebody else is signed in in this browser now.", {});
    remember(found);
    return read<T>(await request(method, path, body, more));
  }
  return read<T>(first);
}

async function request(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  try {
    const response = await fetch(path, init);
    const told = Date.parse(response.headers.get("Date") ?? "") - Date.now();
    if (!Number.isNaN(told)) ahead = Math.abs(told) < NO_DIFFERENCE_MS ? 0 : told;
    return response;
  } catch {
    throw away();
  }
}

function away(): Offline {
  isAway = true;
  return new Offline();
}

function reached(): void {
  if (!isAway) return;
  isAway = false;
  waiting.forEach((work) => work());
}

/** Does it whenever the server is reached again after it was not; call the result to end that. */
export function onReached(work: () => void): () => void {
  waiting.add(work);
  return () => waiting.delete(work);
}

/** What there is to say of what went wrong when the server is reached again: that it was not is over. */
export function onceReached(problem: string): string {
  return problem === AWAY ? "There was no connection, so that this may not have got through. Try it again." : problem;
}

async function isStale(response: Response): Promise<boolean> {
  const body = await parsed(response);
  return details(body).csrf === true;
}

async function read<T>(response: Response): Promise<T> {
  const body = await parsed(response);
  // A proxy in between that cannot reach the server is no answer of the server's.
  if ([502, 504].includes(response.status) && typeof body.code !== "string") throw away();
  reached();
  if (response.ok) return body as T;
  throw new Refused(
    response.status,
    typeof body.code === "string" ? body.code : "unknown",
    typeof body.message === "string" ? body.message : `The server answered ${response.status}.`,
    // What another answer carries beside its code is read as details, too.
    { ...body, ...details(body) },
  );
}

async function parsed(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    return {};
  }
}

function details(body: Record<string, unknown>): Record<string, unknown> {
  const found = body.details;
  return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
}

/** What to tell a person about a failure. */
export function words(error: unknown): string {
  if (error instanceof Refused) {
    const first = (error.details.errors as { message?: string; path?: string[] }[] | undefined)?.[0];
    if (first?.message) return `${label(first.path?.at(-1))} ${first.message}.`;
    return error.message.endsWith(".") ? error.message : `${error.message}.`;
  }
  if (error instanceof Offline) return AWAY;
  return "Something went wrong in this page. Reload it and try again.";
}

function label(field: string | undefined): string {
  switch (field) {
    case "current":
      return "What you gave as your password";
    case "new":
    case "password":
      return "The password";
    default:
      return field ? `“${field}”` : "It";
  }
}

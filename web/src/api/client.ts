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

/** Remembers the proof that changes need. */
export function remember(session: Session): Session {
  csrfToken = session.csrfToken;
  return session;
}

/** One request, perhaps with more headers; the answer's body, empty where it has none. */
export async function call<T>(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<T> {
  const first = await request(method, path, body, more);
  if (first.status === 403 && method !== "GET" && (await isStale(first.clone()))) {
    // Signed in anew in another tab: the proof of before fits no more.
    remember(await read<Session>(await request("GET", "/ui/v1/session")));
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
    return await fetch(path, init);
  } catch {
    throw new Offline();
  }
}

async function isStale(response: Response): Promise<boolean> {
  const body = await parsed(response);
  return details(body).csrf === true;
}

async function read<T>(response: Response): Promise<T> {
  const body = await parsed(response);
  if (response.ok) return body as T;
  // A proxy in between that cannot reach the server is no answer of the server's.
  if ([502, 504].includes(response.status) && typeof body.code !== "string") throw new Offline();
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
  if (error instanceof Offline) return "There is no connection. Try again when you are online.";
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

// Who is signed in? Asked once at the start; without a connection, who it was last time.

import { call, Offline, Refused, remember } from "../api/client";
import type { Session, SessionProject, User } from "../api/types";
import { forgetAll } from "./kept";

interface Me {
  user: User;
  project: SessionProject;
}

/** `unknown` until the server was asked. */
export const session = $state<{ state: "unknown" | "in" | "out"; me: Me | undefined }>({
  state: "unknown",
  me: undefined,
});

const KEY = "tandem.me";

function enter(found: Session): void {
  remember(found);
  session.me = { user: found.user, project: found.project };
  session.state = "in";
  // No secret: a name for the page that opens without a connection.
  localStorage.setItem(KEY, JSON.stringify(session.me));
}

/** Asks the server. */
export async function start(): Promise<void> {
  try {
    enter(await call<Session>("GET", "/ui/v1/session"));
  } catch (error) {
    const last = localStorage.getItem(KEY);
    if (error instanceof Refused && error.status === 401) {
      session.state = "out";
    } else if (error instanceof Offline && last !== null) {
      session.me = JSON.parse(last) as Me;
      session.state = "in";
    } else {
      session.state = "out";
    }
  }
}

/** Signs in. */
export async function signIn(email: string, password: string, stay: boolean): Promise<void> {
  enter(await call<Session>("POST", "/ui/v1/login", { email, password, stay }));
}

/** Signs out, and forgets in this browser what belonged to the person. */
export async function signOut(): Promise<void> {
  await call<unknown>("POST", "/ui/v1/logout");
  await left();
}

/** The server says that nobody is signed in any more. What waits to be told stays for the next login. */
export function expired(): void {
  session.me = undefined;
  session.state = "out";
}

async function left(): Promise<void> {
  localStorage.removeItem(KEY);
  sessionStorage.clear();
  await forgetAll().catch(() => undefined);
  expired();
}

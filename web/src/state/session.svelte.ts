// Who is signed in? Asked once at the start; without a connection, who it was last time.

import { belongTo, call, Offline, Refused, remember } from "../api/client";
import type { Session, SessionProject, User } from "../api/types";
import { asked } from "./asked";
import { forgetDrafts, ownedBy } from "./drafts";
import { replace } from "./kept";

interface Me {
  user: User;
  project: SessionProject;
}

/** `unknown` until the server was asked. */
export const session = $state<{ state: "unknown" | "in" | "out"; me: Me | undefined; isCutOff: boolean }>({
  state: "unknown",
  me: undefined,
  /** It ended while the person was at work. */
  isCutOff: false,
});

const KEY = "tandem.me";
/** Whose the rest is that this browser keeps: an id, and nothing that tells who that is. */
const OWNER = "tandem.owner";

function enter(found: Session): void {
  remember(found);
  begin({ user: found.user, project: found.project });
  // No secret: a name for the page that opens without a connection.
  localStorage.setItem(KEY, JSON.stringify(session.me));
}

function begin(me: Me): void {
  const before = localStorage.getItem(OWNER);
  if (before !== null && before !== me.user.id) {
    // What the other one had open is not this one's. Their unsent answers stay (state/outbox).
    asked();
    sessionStorage.clear();
    void forgetSeen();
  }
  localStorage.setItem(OWNER, me.user.id);
  ownedBy(me.user.id);
  session.me = me;
  session.isCutOff = false;
  session.state = "in";
}

/** Forgets the names, numbers and texts that were kept for times without a connection. */
async function forgetSeen(): Promise<void> {
  await replace("seen", []).catch(() => undefined);
}

/** Asks the server. */
export async function start(): Promise<void> {
  try {
    enter(await call<Session>("GET", "/ui/v1/session"));
  } catch (error) {
    const last = localStorage.getItem(KEY);
    if (error instanceof Refused && error.status === 401) {
      expired();
    } else if (error instanceof Offline && last !== null) {
      const me = JSON.parse(last) as Me;
      belongTo(me.user.id);
      begin(me);
    } else {
      session.state = "out";
    }
  }
}

/** Signs in. */
export async function signIn(email: string, password: string, stay: boolean): Promise<void> {
  enter(await call<Session>("POST", "/ui/v1/login", { email, password, stay }));
}

/** Signs out, and forgets in this browser what belonged to the person, but for answers that were not passed on. */
export async function signOut(): Promise<void> {
  await call<unknown>("POST", "/ui/v1/logout");
  sessionStorage.clear();
  asked();
  forgetDrafts();
  expired();
  session.isCutOff = false;
}

/**
 * The server says that nobody is signed in any more: perhaps since the phone is lost. So nothing stays that can
 * be read. Answers that wait to be told, and what is being written in this page, stay for the person's next login.
 */
export function expired(): void {
  session.isCutOff ||= session.state === "in";
  session.me = undefined;
  session.state = "out";
  localStorage.removeItem(KEY);
  void forgetSeen();
}

// Made from openapi.json by `npm run types`; not to be changed by hand.

/** A password, chosen by a link. */
export interface ChosenPassword {
  /** At least 10 characters, and not the e-mail address. */
  password: string;
  token: string;
}

/** A new user. */
export interface CreateUser {
  email: string;
  name: string;
  role: "owner" | "admin" | "agent";
}

/** What changes of a user. */
export interface EditUser {
  /** Whether they may not sign in any more; who is disabled is signed out everywhere. */
  isDisabled?: boolean | null;
  name?: string | null;
  role?: "owner" | "admin" | "agent";
}

/** The body of every refusal. */
export interface Error {
  /** What went wrong, for programs. */
  code: ErrorCode;
  details?: ErrorDetails | null;
  /** What went wrong, for people. */
  message: string;
}

/** What went wrong, for programs. */
export type ErrorCode = "invalid_request" | "invalid_json" | "bad_request" | "whatsapp_window_closed" | "template_not_approved" | "unauthorized" | "forbidden" | "recipient_opted_out" | "not_found" | "method_not_allowed" | "conflict" | "no_channel" | "payload_too_large" | "rate_limited" | "backlog_full" | "internal_error" | "unavailable" | "provider_error";

/** More about a refusal. */
export interface ErrorDetails {
  /** The wrong fields. */
  errors?: FieldError[];
}

/** One wrong field. */
export interface FieldError {
  /** What is wrong with it. */
  message: string;
  /** The way to the field: names, and indexes in lists. */
  path: string[];
}

/** Who signs in. */
export interface Login {
  /** The user's e-mail address. */
  email: string;
  password: string;
  /** Whether the session lasts 30 days unused instead of 12 hours: for one's own phone. */
  stay?: boolean;
}

/** A change of one's password. */
export interface PasswordChange {
  /** The one until now. */
  current: string;
  /** The new one: at least 10 characters, and not the e-mail address. */
  new: string;
}

/** A link's token. */
export interface PasswordLink {
  token: string;
}

/** Whose link it is. */
export interface PasswordLinkOwner {
  email: string;
  name: string;
}

/** Which subscription goes. */
export interface PushEndpoint {
  endpoint: string;
}

/** The key that a browser subscribes with. */
export interface PushKey {
  /** VAPID, base 64 for URLs. */
  publicKey: string;
}

/** A browser's subscription, as `PushSubscription.toJSON()` gives it. */
export interface PushSubscription {
  /** The URL at the browser's push service. */
  endpoint: string;
  keys: PushSubscriptionKeys;
}

export interface PushSubscriptionKeys {
  auth: string;
  p256dh: string;
}

/** What became of a test. */
export interface PushTest {
  /** How many browsers' push services took it. */
  sent: number;
}

/** Who is signed in. */
export interface Session {
  /** To be sent as `X-CSRF-Token` with everything that changes something. */
  csrfToken: string;
  project: SessionProject;
  user: User;
}

export interface SessionProject {
  id: string;
  name: string;
}

/** A browser in which one is signed in. */
export interface SignedInSession {
  /** What the browser calls itself. */
  agent: string;
  createdAt: string;
  /** When it ends if it is not used any more. */
  endsAt: string;
  id: string;
  /** Whether it is the one that asks. */
  isCurrent: boolean;
  /** When it was last used, to the minute. */
  seenAt: string;
}

/** All of one's sessions. */
export interface SignedInSessions {
  items: SignedInSession[];
}

/** A user. */
export interface User {
  createdAt: string;
  email: string;
  /** Whether they chose a password yet. */
  hasPassword: boolean;
  id: string;
  /** Whether they may not sign in any more. */
  isDisabled: boolean;
  name: string;
  role: "owner" | "admin" | "agent";
}

/** A user and the link by which they choose their password. */
export interface UserWithLink {
  /** Shown once; to be given to them by a way that nobody else reads. */
  link: string;
  linkExpiresAt: string;
  user: User;
}

/** All users of the project. */
export interface Users {
  items: User[];
}

// An answer: where it goes, and what is remembered of it until it is sent.

import type { Reply } from "../api/conversations";
import type { Conversation, Message } from "../api/types";

/** Texts that were begun, by conversation; gone with the page. */
export const drafts = new Map<string, string>();

/** Another text is another message; the same one again is the same. Works on pages without https too. */
export function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (it) => it.toString(16).padStart(2, "0")).join("");
}

/** Where an answer by the router goes: to the address that they wrote from last. */
export function byRouter(it: Conversation, newest: Message | undefined): Pick<Reply, "to" | "inReplyTo" | "channel"> {
  const to = newest?.from ?? it.contactIdentifier;
  const reply: Pick<Reply, "to" | "inReplyTo" | "channel"> = { to };
  if (newest) reply.inReplyTo = newest.id;
  // The id of a chat means nothing without its channel.
  if (/^-?\d+$/.test(to)) reply.channel = "telegram";
  return reply;
}

/** Where an answer from one's own phone goes; `undefined` where there is no number. */
export function byPhone(it: Conversation): string | undefined {
  return it.contactIdentifier.startsWith("+") ? it.contactIdentifier : undefined;
}

const ORIGIN = "tandem.origin.";

/** Remembers which conversation a message to be sent by hand came from, so that one returns there. */
export function cameFrom(message: string, conversation: string): void {
  sessionStorage.setItem(ORIGIN + message, conversation);
}

/** The conversation that a message came from. */
export function origin(message: string): string | null {
  return sessionStorage.getItem(ORIGIN + message);
}

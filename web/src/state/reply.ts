// An answer: where it goes, and what is remembered of it until it is sent.

import type { Reply } from "../api/conversations";
import type { Conversation, Message } from "../api/types";

/** The most characters of one answer, as the server counts them. */
export const MOST = 4_096;

/** How many characters the server sees in a text. */
export function length(text: string): number {
  return Array.from(text.trim()).length;
}

/** A key that no other answer has. Works on pages without https too. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (it) => it.toString(16).padStart(2, "0")).join("");
}

/**
 * What is sent for this answer. One that was sent before and whose outcome is not known is sent again as it
 * was, with its key, whatever was written to us since: so it stays one message. Anything else is a new one.
 */
export function attempt(open: Reply | undefined, fresh: Omit<Reply, "idempotencyKey">): Reply {
  const isAgain =
    open !== undefined &&
    open.conversationId === fresh.conversationId &&
    open.text === fresh.text &&
    open.subject === fresh.subject &&
    open.fromMyPhone === fresh.fromMyPhone;
  return isAgain ? open : { ...fresh, idempotencyKey: freshKey() };
}

/** Whether the server said for certain that it did not take it. */
export function isCertainNo(status: number): boolean {
  return [400, 404, 409, 413, 422].includes(status);
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

// Answers that are being written, by conversation. They outlive a session that ends in between, for the
// person who wrote them: nobody else who signs in on this page sees them. Gone with the page.

import type { Reply } from "../api/conversations";

/** What was begun. */
export interface Draft {
  text: string;
  subject: string;
  /** What was sent of it without an answer coming back: it may have arrived. */
  open?: Reply;
}

let owner: string | undefined;
const drafts = new Map<string, Draft>();

/** Says who writes from now on. */
export function ownedBy(person: string): void {
  if (owner !== person) drafts.clear();
  owner = person;
}

/** What was begun in a conversation. */
export function draft(conversation: string): Draft {
  return drafts.get(conversation) ?? { text: "", subject: "" };
}

/** Keeps what that person began; nothing where somebody else signed in meanwhile. */
export function keep(person: string | undefined, conversation: string, it: Draft): void {
  if (person === undefined || person !== owner) return;
  if (it.text === "" && it.subject === "" && it.open === undefined) drafts.delete(conversation);
  else drafts.set(conversation, it);
}

/** Forgets all of them: the person signed out. */
export function forgetDrafts(): void {
  drafts.clear();
  owner = undefined;
}

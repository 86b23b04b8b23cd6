// The list of conversations, newest first, kept as it is at the server.

import { Offline, Refused, words } from "../api/client";
import { countUnread, list, senderNames } from "../api/conversations";
import type { Conversation } from "../api/types";
import { inTurn } from "./pace";
import { continued, renewed, type Known, type Order, type Page } from "./pages";
import { expired } from "./session.svelte";

export const conversations = $state<{
  known: Known<Conversation>;
  /** Only those with something unread are listed. */
  unreadOnly: boolean;
  /** How many have something unread, as the server counts them: up to 100. */
  unread: number;
  /** What senders are called. */
  senders: Map<string, string>;
  state: "loading" | "fresh" | "offline" | "failed";
  problem: string;
  now: number;
}>({ known: { items: [], next: null }, unreadOnly: false, unread: 0, senders: new Map(), state: "loading", problem: "", now: Date.now() });

const ORDER: Order<Conversation> = { id: (it) => it.id, at: (it) => `${it.updatedAt} ${it.lastMessage.id}` };

/** Forgets everything: somebody else may be signed in now. */
export function forget(): void {
  Object.assign(conversations, { known: { items: [], next: null }, unreadOnly: false, unread: 0, senders: new Map(), state: "loading", problem: "" });
}

/** Lists only those with something unread, or all again. */
export function showUnread(only: boolean): void {
  if (only === conversations.unreadOnly) return;
  Object.assign(conversations, { known: { items: [], next: null }, unreadOnly: only, state: "loading", problem: "" });
  void refresh();
}

/** Asks for the newest. */
export const refresh = inTurn(async () => {
  conversations.now = Date.now();
  try {
    if (conversations.senders.size === 0) conversations.senders = await senderNames();
    const only = conversations.unreadOnly;
    const [page, count] = await Promise.all([list(null, only), countUnread()]);
    conversations.unread = count;
    // The list became another one meanwhile, which is asked for next.
    if (only !== conversations.unreadOnly) return;
    // What was read leaves the list of what is unread, also beyond its newest page.
    conversations.known = only ? whole(page) : renewed(conversations.known, page, ORDER);
    conversations.state = "fresh";
  } catch (error) {
    if (error instanceof Offline) {
      conversations.state = "offline";
    } else if (error instanceof Refused && error.status === 401) {
      expired();
    } else {
      conversations.state = "failed";
      conversations.problem = words(error);
    }
  }
});

/** The newest page alone. */
function whole(page: Page<Conversation>): Known<Conversation> {
  return { items: page.items, next: page.nextCursor };
}

/** Reads on. */
export async function older(): Promise<void> {
  const only = conversations.unreadOnly;
  const page = await list(conversations.known.next, only);
  if (only === conversations.unreadOnly) conversations.known = continued(conversations.known, page, ORDER);
}

/** Takes over what is known of one, where it stands. */
export function noted(fresh: Conversation): void {
  conversations.known.items = conversations.known.items.map((it) => (it.id === fresh.id ? fresh : it));
}

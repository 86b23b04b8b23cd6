// The list of conversations, newest first, kept as it is at the server.

import { Offline, Refused, words } from "../api/client";
import { list, senderNames } from "../api/conversations";
import type { Conversation } from "../api/types";
import { inTurn } from "./pace";
import { continued, renewed, type Known, type Order } from "./pages";
import { expired } from "./session.svelte";

export const conversations = $state<{
  known: Known<Conversation>;
  /** What senders are called. */
  senders: Map<string, string>;
  state: "loading" | "fresh" | "offline" | "failed";
  problem: string;
  now: number;
}>({ known: { items: [], next: null }, senders: new Map(), state: "loading", problem: "", now: Date.now() });

const ORDER: Order<Conversation> = { id: (it) => it.id, at: (it) => `${it.updatedAt} ${it.lastMessage.id}` };

/** Forgets everything: somebody else may be signed in now. */
export function forget(): void {
  Object.assign(conversations, { known: { items: [], next: null }, senders: new Map(), state: "loading", problem: "" });
}

/** How many of the newest have something unread. */
export function unread(): number {
  return conversations.known.items.filter((it) => it.unreadCount > 0).length;
}

/** Asks for the newest. */
export const refresh = inTurn(async () => {
  conversations.now = Date.now();
  try {
    if (conversations.senders.size === 0) conversations.senders = await senderNames();
    conversations.known = renewed(conversations.known, await list(null), ORDER);
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

/** Reads on. */
export async function older(): Promise<void> {
  conversations.known = continued(conversations.known, await list(conversations.known.next), ORDER);
}

/** Takes over what is known of one, where it stands. */
export function noted(fresh: Conversation): void {
  conversations.known.items = conversations.known.items.map((it) => (it.id === fresh.id ? fresh : it));
}

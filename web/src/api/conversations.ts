// Conversations and answers in them, as the API has them.

import { call, Refused } from "./client";
import type { Conversation, Message, MessageRouting, Routing } from "./types";
import type { Page } from "../state/pages";

const BASE = "/v1/conversations";

/** A page of conversations, newest first; only those with something unread, where that is wanted. */
export function list(cursor: string | null, unread: boolean): Promise<Page<Conversation>> {
  return call("GET", `${BASE}?limit=30${unread ? "&unread=true" : ""}${after(cursor)}`);
}

/** How many have something unread, however many there are; counted up to 100. */
export async function countUnread(): Promise<number> {
  return (await call<{ conversations: number }>("GET", "/ui/v1/unread")).conversations;
}

/** One conversation. */
export async function one(id: string): Promise<Conversation> {
  return (await call<{ conversation: Conversation }>("GET", path(id))).conversation;
}

/** A page of its messages, newest first. */
export function messages(id: string, cursor: string | null): Promise<Page<Message>> {
  return call("GET", `${path(id)}/messages?limit=30${after(cursor)}`);
}

/** Says that what came in is read. */
export async function markRead(id: string): Promise<Conversation> {
  return (await call<{ conversation: Conversation }>("POST", `${path(id)}/read`)).conversation;
}

/** One message as it stands. */
export async function message(id: string): Promise<Message> {
  return (await call<{ message: Message }>("GET", `/v1/messages/${encodeURIComponent(id)}`)).message;
}

/** Why a message went the way it did. */
export function routing(id: string): Promise<MessageRouting> {
  return call("GET", `/v1/messages/${encodeURIComponent(id)}/routing`);
}

/** What senders are called, by their ids. */
export async function senderNames(): Promise<Map<string, string>> {
  const { items } = await call<Page<{ id: string; name: string }>>("GET", "/v1/senders?limit=100");
  return new Map(items.map((it) => [it.id, it.name]));
}

/** An answer as it is sent. */
export interface Reply {
  to: string;
  text: string;
  conversationId: string;
  idempotencyKey: string;
  inReplyTo?: string;
  channel?: "telegram" | "email";
  subject?: string;
  /** From the own phone of who is signed in (R-PHONE-4). */
  fromMyPhone?: true;
}

/** What became of it. */
export interface Sent {
  id: string;
  routing: Routing | undefined;
}

/** Sends an answer; again with the same key, it is the same answer. */
export async function send(reply: Reply, sender: string): Promise<Sent> {
  try {
    const answer = await call<{ message: Message; routing?: Routing }>("POST", "/v1/messages", reply, { "Zavu-Sender": sender });
    return { id: answer.message.id, routing: answer.routing };
  } catch (error) {
    const first = error instanceof Refused && error.status === 409 ? (error.details.message as Message | undefined) : undefined;
    // It had arrived, and only the answer was lost.
    if (typeof first?.id === "string") return { id: first.id, routing: undefined };
    throw error;
  }
}

function path(id: string): string {
  return `${BASE}/${encodeURIComponent(id)}`;
}

function after(cursor: string | null): string {
  return cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
}

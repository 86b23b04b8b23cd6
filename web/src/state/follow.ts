// What the tabs show of alerts and conversations, and what a page is told when something happens in
// the conversation that it shows.

import { follow, type Following } from "../api/news";
import * as alerts from "./alerts.svelte";
import * as conversations from "./conversations.svelte";
import { whileSeen } from "./live";
import { gathered } from "./pace";
import { route } from "./route.svelte";

/** How often they are asked for while the page is looked at. */
const EVERY_MS = 60_000;
/** What comes within this time is one piece of news. */
const WITHIN_MS = 250;

interface Listener {
  id: string;
  heard: () => void;
}

/** What a colleague did that only the stream of the pages tells, while anything is followed. */
export const byColleagues = {
  alerts: (): void => undefined,
  conversations: (): void => undefined,
};

/** The page that shows a conversation. */
let listener: Listener | undefined;
let following: Following | undefined;

/** Calls `heard` when something happens in this conversation; call the result to end it. */
export function onConversation(id: string, heard: () => void): () => void {
  const own: Listener = { id, heard: gathered(heard, WITHIN_MS) };
  listener = own;
  following?.into(id);
  return () => {
    if (listener !== own) return;
    listener = undefined;
    following?.into(undefined);
  };
}

/** Keeps both as they are at the server; call the result to end that. */
export function keepFresh(): () => void {
  alerts.forget();
  conversations.forget();
  let isOver = false;
  const ofAlerts = (): void => {
    if (!isOver) void alerts.refresh(route.page.name === "alerts");
  };
  const ofConversations = (): void => {
    if (!isOver) void conversations.refresh();
  };
  const soonAlerts = gathered(ofAlerts, WITHIN_MS);
  const soonConversations = gathered(ofConversations, WITHIN_MS);
  byColleagues.alerts = soonAlerts;
  byColleagues.conversations = soonConversations;
  following = follow({
    alerts: soonAlerts,
    conversation: (id) => {
      soonConversations();
      if (id === undefined || id === listener?.id) listener?.heard();
    },
    missed: () => {
      soonAlerts();
      soonConversations();
      listener?.heard();
    },
  });
  following.into(listener?.id);
  const stop = whileSeen(() => {
    ofAlerts();
    ofConversations();
  }, EVERY_MS);
  return () => {
    isOver = true;
    following?.end();
    following = undefined;
    stop();
    // Nothing of it stays in a page that nobody is signed in to.
    conversations.forget();
  };
}

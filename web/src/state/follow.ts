// What the tabs show of alerts and conversations, and what pages are told when something happens.

import { follow } from "../api/news";
import * as alerts from "./alerts.svelte";
import * as conversations from "./conversations.svelte";
import { gathered, whileSeen } from "./live";
import { route } from "./route.svelte";

/** How often they are asked for while the page is looked at. */
const EVERY_MS = 60_000;
/** What comes within this time is one piece of news. */
const WITHIN_MS = 500;

const inbound = new Set<() => void>();

/** Calls `heard` when somebody wrote; call the result to end it. */
export function onInbound(heard: () => void): () => void {
  inbound.add(heard);
  return () => inbound.delete(heard);
}

/** Keeps both as they are at the server; call the result to end that. */
export function keepFresh(): () => void {
  alerts.forget();
  conversations.forget();
  const ofAlerts = (): void => void alerts.refresh(route.page.name === "alerts");
  const ofConversations = (): void => void conversations.refresh();
  const unfollow = follow({
    alerts: gathered(ofAlerts, WITHIN_MS),
    inbound: gathered(() => {
      ofConversations();
      inbound.forEach((it) => it());
    }, WITHIN_MS),
  });
  const stop = whileSeen(() => {
    ofAlerts();
    ofConversations();
  }, EVERY_MS);
  return () => {
    unfollow();
    stop();
    // Nothing of it stays in a page that nobody is signed in to.
    conversations.forget();
  };
}

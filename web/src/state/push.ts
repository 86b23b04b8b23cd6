// Being rung when a message waits: does this browser allow it, and is it switched on?

import { call } from "../api/client";
import type { PushKey, PushTest } from "../api/types";
import { system } from "./sms";

/** How it stands with notifications here. */
export type PushState = "on" | "off" | "blocked" | "needs-install" | "needs-https" | "impossible";

/** Whether the page was opened from the home screen. */
function isInstalled(): boolean {
  return matchMedia("(display-mode: standalone)").matches || (navigator as { standalone?: boolean }).standalone === true;
}

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.ready;
  return registration.pushManager.getSubscription();
}

/** Looks. */
export async function look(): Promise<PushState> {
  if (!isSecureContext) return "needs-https";
  if (!("serviceWorker" in navigator)) return "impossible";
  if (!("PushManager" in window) || !("Notification" in window)) {
    return system() === "apple" && !isInstalled() ? "needs-install" : "impossible";
  }
  if (Notification.permission === "denied") return "blocked";
  return (await subscription()) ? "on" : "off";
}

/** Switches them on; must follow a tap. */
export async function turnOn(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return look();
  const { publicKey } = await call<PushKey>("GET", "/ui/v1/push/key");
  const registration = await navigator.serviceWorker.ready;
  const made = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: publicKey,
  });
  await keep(made);
  return "on";
}

/** Switches them off. */
export async function turnOff(): Promise<PushState> {
  const found = await subscription();
  if (found) {
    await call<unknown>("DELETE", "/ui/v1/push/subscription", { endpoint: found.endpoint });
    await found.unsubscribe();
  }
  return "off";
}

/** Tells the server again where this browser is: it forgets it with each session. */
export async function keepOn(): Promise<void> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return;
  const registration = await navigator.serviceWorker.getRegistration();
  const found = await registration?.pushManager.getSubscription();
  if (found) await keep(found);
}

async function keep(it: PushSubscription): Promise<void> {
  const { endpoint, keys } = it.toJSON();
  await call<unknown>("PUT", "/ui/v1/push/subscription", { endpoint, keys });
}

/** Rings all of one's own browsers; how many. */
export async function test(): Promise<number> {
  return (await call<PushTest>("POST", "/ui/v1/push/test")).sent;
}

// How far a message came, and by what, in a few words.

import type { Attempt, Message } from "../api/types";
import { channelName } from "./wording";

/** What the route of a person's phone begins with. */
const PHONE_OF = "phone:";

type Outbound = Pick<Message, "status" | "errorMessage" | "errorCode" | "route" | "channel" | "receiptMissing">;

/** Where it stands. */
export function standing(message: Outbound): string {
  switch (message.status) {
    case "queued":
      return "Waiting to be sent";
    case "sending":
      return "Being sent";
    case "sent":
      // Nobody but the person who sent it knows.
      if (message.route?.startsWith(PHONE_OF)) return "Sent, not confirmed";
      return message.receiptMissing ? "Sent, no receipt came" : "Sent";
    case "delivered":
      return "Delivered";
    case "read":
      return "Read";
    case "failed":
      return `Failed: ${message.errorMessage ?? message.errorCode ?? "no reason is known"}`;
    case "received":
      return "Received";
  }
}

/** What carries it; empty before that is known. */
export function carrier(message: Outbound): string {
  const { route, channel } = message;
  if (route?.startsWith(PHONE_OF)) return `from the phone of ${route.slice(PHONE_OF.length)}`;
  // Each channel's schema of the API ends where "auto" begins.
  const name = (channel as string) === "auto" ? "" : channelName(channel);
  if (!route) return name;
  return name === "" ? route : `${name} by ${route}`;
}

/** One attempt. */
export function tried(attempt: Attempt): string {
  const by = attempt.route?.startsWith(PHONE_OF) ? `from the phone of ${attempt.route.slice(PHONE_OF.length)}` : `${channelName(attempt.channel)} by ${attempt.route ?? "a removed route"}`;
  const why = attempt.errorMessage ?? attempt.errorCode;
  const refused = attempt.refusedBy.length > 0 ? `, refused by ${attempt.refusedBy.join(", ")}` : "";
  return `${by}: ${attempt.state}${refused}${why ? ` (${why})` : ""}`;
}

/** Whether it may change within seconds. */
export function isMoving(message: Pick<Message, "direction" | "status" | "createdAt">, now: number): boolean {
  if (message.direction === "inbound") return false;
  if (message.status === "queued" || message.status === "sending") return true;
  return message.status === "sent" && now - Date.parse(message.createdAt) < 120_000;
}

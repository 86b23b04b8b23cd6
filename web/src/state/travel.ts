// How far a message came, and by what, in a few words.

import type { Attempt, Message } from "../api/types";
import { channelName, upper } from "./wording";

/** What the route of a person's phone begins with. */
const PHONE_OF = "phone:";

type Waits = NonNullable<Message["waits"]>;
type Outbound = Pick<Message, "status" | "errorMessage" | "errorCode" | "route" | "channel" | "receiptMissing" | "waits">;

/** Where it stands; `isMine` where one has it oneself, to send it from one's own phone. */
export function standing(message: Outbound, isMine = false): string {
  return ahead(message, isMine ? "waits for your phone" : "in a colleague's hands") ?? reached(message);
}

/** What is still to come of a message that failed by one channel, or that a person has: its status tells how far it came once. */
function ahead(message: Outbound, held: string): string | undefined {
  const { waits } = message;
  if (!waits) return undefined;
  const rest = waits.for === "person" ? held : next(waits);
  const failed = [...new Set(waits.failed)].filter((it) => it !== waits.channel).map(channelName).join(" and ");
  if (failed !== "") return `${upper(failed)} failed, ${rest}`;
  if (waits.for === "person") return upper(rest);
  // Said to have gone, and it has not.
  return message.status === "sent" || message.status === "delivered" || message.status === "read" ? upper(rest) : undefined;
}

function next(waits: Waits): string {
  const channel = waits.channel ? channelName(waits.channel) : "another channel";
  switch (waits.for) {
    case "time":
      return "waits for its time";
    case "outcome":
      return `being sent by ${channel}`;
    case "route":
    case "person":
    case "fallback":
      return `waits for ${channel}`;
  }
}

/** How far it came. */
function reached(message: Outbound): string {
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
      // The place in the line that follows has a comma of its own.
      return `Failed: ${(message.errorMessage ?? message.errorCode ?? "no reason is known").replace(/\.$/, "")}`;
    case "received":
      return "Received";
  }
}

/** What carries it; empty before that is known. */
export function carrier(message: Outbound): string {
  const { route, channel } = message;
  // What had it last does not have it any more.
  if (message.waits && message.waits.for !== "outcome" && (message.waits.failed.length > 0 || message.waits.for === "person")) return "";
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

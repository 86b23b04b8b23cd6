// Alerts in plain words: what is wrong, and what that means for messages.

import type { Alert, Silence } from "../api/types";

/** What one alert says. */
export interface Wording {
  title: string;
  meaning: string;
  /** What was seen, as the server says it. */
  seen: string;
}

/** An alert, as far as its words go by it. */
type Told = Pick<Alert, "kind" | "subject" | "message"> & Partial<Pick<Alert, "quota">>;

/** In words. */
export function wording(alert: Told): Wording {
  const said = ofKind(alert);
  // The server's words begin with what the title says already, where that is all there is to say.
  const rest = alert.message.startsWith(`${lower(said.title)}: `) ? alert.message.slice(said.title.length + 2) : alert.message;
  return { ...said, seen: upper(rest) };
}

function ofKind(alert: Told): Omit<Wording, "seen"> {
  const of = named(alert.subject);
  const quota = alert.quota ? quotaName(alert.quota) : "quota";
  switch (alert.kind) {
    case "route_down":
      return { title: `${upper(of)} is down`, meaning: "Nothing goes out by it: messages take other routes, or wait." };
    case "all_routes_out":
      return { title: "No route is left for direct messages", meaning: "They wait. Anybody can send them from their own phone, under Waiting." };
    case "quota_100":
      return { title: `The ${quota} of ${of} is used up`, meaning: "Nothing more goes out by it until its next period begins." };
    case "phone_offline":
      return { title: `No phone of ${of} is there`, meaning: "Messages wait for one. Is one paired, switched on, charged and in a network?" };
    case "backlog_age":
      return { title: `Direct messages wait too long for ${of}`, meaning: "It takes less than there is to send." };
    case "bulk_backlog_age":
      return { title: `Bulk messages wait long for ${of}`, meaning: "It takes less than there is to send." };
    case "quota_80":
      return { title: `The ${quota} of ${of} is nearly used up`, meaning: "When it is used up, messages take other routes, or wait." };
    case "failure_rate":
      return { title: `Many messages fail by ${of}`, meaning: "More of them than usual do not arrive." };
    case "receipts_missing":
      return { title: `No receipts come by ${of}`, meaning: "It takes messages, and nobody knows whether they arrive." };
    case "webhook_failing":
      return { title: `The webhook of ${of} fails`, meaning: "Your own system is not told what happens to messages." };
    default:
      // A newer server than this page.
      return { title: upper(alert.message), meaning: "" };
  }
}

const OFTEN: Record<string, string> = { hour: "hourly", day: "daily", month: "monthly" };

/** Which of several quotas: "daily quota of money". */
function quotaName(quota: NonNullable<Alert["quota"]>): string {
  return `${OFTEN[quota.per] ?? quota.per} quota of ${quota.unit === "spend" ? "money" : quota.unit}`;
}

/** What an alert hangs on, as people say it. */
export function named(subject: string): string {
  const [kind, ...rest] = subject.split(":");
  const id = rest.join(":");
  switch (kind) {
    case "project":
      return "the whole project";
    case "channel":
      return `channel ${channelName(id)}`;
    case "country":
      return `country ${id}`;
    default:
      return id === "" ? subject : `${kind} ${id}`;
  }
}

/** What people call a channel. */
export function channelName(channel: string): string {
  switch (channel) {
    case "sms":
      return "SMS";
    case "whatsapp":
      return "WhatsApp";
    case "telegram":
      return "Telegram";
    case "email":
      return "e-mail";
    default:
      return channel;
  }
}

/** What people call a kind of message. */
export function kindName(kind: string): string {
  switch (kind) {
    case "text":
      return "No text";
    case "image":
      return "Picture";
    case "audio":
      return "Voice";
    case "document":
      return "File";
    default:
      return upper(kind.replaceAll("_", " "));
  }
}

/** The newest message of a conversation in the list: where it has no text, the server says its kind in brackets. */
export function inShort(text: string): string {
  const kind = /^\[([a-z_]+)\]$/.exec(text)?.[1];
  return kind === undefined ? text : kindName(kind);
}

/** The silence that covers an alert for longest. */
export function silenceOf(alert: Pick<Alert, "kind" | "subject">, silences: Silence[], now: number): Silence | undefined {
  return silences
    .filter((it) => (it.kind === null || it.kind === alert.kind) && (it.subject === null || it.subject === alert.subject) && Date.parse(it.until) > now)
    .toSorted((a, b) => b.until.localeCompare(a.until))[0];
}

/** What a silence is about. */
export function silenced(silence: Pick<Silence, "kind" | "subject">): string {
  const kind = silence.kind?.replaceAll("_", " ").replace(/ (\d+)$/, " $1 %") ?? "Everything";
  return silence.subject === null ? upper(kind) : `${upper(kind)}, ${named(silence.subject)}`;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The sentence with a large letter. */
export function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

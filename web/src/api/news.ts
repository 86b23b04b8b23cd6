// What happens in the project, as far as pages of their own follow it: alerts, what people write, and
// every step of what is sent in the one conversation that is open.

import { listen } from "./stream";

const ALERTS = ["alert.raised", "alert.resolved"];
const WRITTEN = ["message.inbound", "message.unsupported"];
const STEPS = ["message.queued", "message.sent", "message.delivered", "message.read", "message.failed"];

/** Whom it concerns. */
export interface Concerned {
  alerts: () => void;
  /** Something was written or sent in this conversation; in any, where it is not known. */
  conversation: (id: string | undefined) => void;
  /** Anything may have happened. */
  missed: () => void;
}

/** What is followed. */
export interface Following {
  /** Follows what is sent in this conversation, too. */
  into: (conversation: string | undefined) => void;
  end: () => void;
}

/** Follows it. */
export function follow(on: Concerned): Following {
  const listening = listen(path(undefined), {
    names: [...ALERTS, ...WRITTEN, ...STEPS],
    heard: (name, data) => {
      if (ALERTS.includes(name)) on.alerts();
      else on.conversation(conversationOf(data));
    },
    missed: on.missed,
  });
  return { into: (conversation) => listening.turnTo(path(conversation)), end: listening.end };
}

/** Steps are asked for in one conversation only: a campaign takes thousands of them in a minute. */
function path(conversation: string | undefined): string {
  const types = [...ALERTS, ...WRITTEN, ...(conversation === undefined ? [] : STEPS)];
  const of = conversation === undefined ? "" : `&conversationId=${encodeURIComponent(conversation)}`;
  return `/v1/events?types=${types.join(",")}${of}`;
}

/** The conversation that an event is of, where it says so. */
export function conversationOf(data: string): string | undefined {
  try {
    const { data: it } = JSON.parse(data) as { data?: { conversationId?: unknown } };
    return typeof it?.conversationId === "string" ? it.conversationId : undefined;
  } catch {
    return undefined;
  }
}

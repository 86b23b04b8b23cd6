// What became of a message that waits for nobody any more, for who comes back to its page.

import type { Message } from "../api/types";
import { carrier, standing } from "./travel";

/** In a sentence or two. */
export function became(message: Message): string {
  if (message.waits?.for === "person") return "A colleague has it now.";
  switch (message.status) {
    case "failed":
      return failed(message);
    case "queued":
    case "sending":
      return "It goes by itself now. Do not send it.";
    case "sent":
    case "delivered":
    case "read": {
      const by = carrier(message);
      return `${standing(message)}${by === "" ? "" : `, ${by}`}. There is nothing left to do.`;
    }
    case "received":
      return "There is nothing left to do.";
  }
}

function failed(message: Message): string {
  switch (message.errorCode) {
    case "recipient_opted_out":
      return "They opted out of messages: do not send it any more. If you had sent it before that, it stays noted here as stopped.";
    case "expired":
      return "Its time is over: do not send it any more. If you had sent it before that, it stays noted here as expired.";
    default:
      return `${standing(message)}. There is nothing left to do.`;
  }
}

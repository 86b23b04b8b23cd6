// Who has a message that waits, at this moment? What a list said a while ago is held against the clock.

import type { Claimed } from "../api/waiting";

/** Anybody may take it; one has it oneself; one had it, and the time is over; somebody else has it. */
export type Hold = "free" | "mine" | "over" | "theirs";

/** Who has it now. `wasMine`: this page saw that one had it oneself. */
export function hold(claimed: Claimed | null | undefined, me: string | undefined, wasMine: boolean, now: number): Hold {
  if (claimed && Date.parse(claimed.until) > now) return claimed.id === me ? "mine" : "theirs";
  return wasMine || (claimed && claimed.id === me) ? "over" : "free";
}

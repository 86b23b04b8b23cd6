// Asking again: at once, from time to time, when the page is looked at again, and when the network
// goes or comes back. Streams break without a word, so that no page relies on them alone.

import { untrack } from "svelte";

/** Does it now and then while the page is looked at; call the result to end that. */
export function whileSeen(work: () => void, everyMs: number): () => void {
  const again = (): void => {
    if (document.visibilityState === "visible") work();
  };
  // What the work reads is nothing that an effect around this hangs on.
  untrack(again);
  const timer = setInterval(again, everyMs);
  document.addEventListener("visibilitychange", again);
  addEventListener("online", again);
  addEventListener("offline", again);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", again);
    removeEventListener("online", again);
    removeEventListener("offline", again);
  };
}

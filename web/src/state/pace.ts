// How often is something done that may be asked for in bursts?

/**
 * Does it one at a time: an answer that was long on its way never stands over a later one. Who asks while it
 * is being done waits until it was done once more.
 */
export function inTurn(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  function turn(): Promise<void> {
    if (running === undefined) {
      running = work().finally(() => (running = undefined));
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return turn();
      });
    return next;
  }
  return turn;
}

/** Does it once for however many calls within that time: what is told may come in bursts. */
export function gathered(work: () => void, withinMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, withinMs);
  };
}

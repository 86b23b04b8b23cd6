// Being told by the server while the page is looked at. A page in the background listens to nothing:
// browsers give a host few connections, and a phone in a pocket needs its battery.

/** Calls `heard` with the name of each event of these; call the result to end it. */
export function listen(path: string, names: string[], heard: (name: string) => void): () => void {
  let source: EventSource | undefined;
  const turn = (): void => {
    if (document.visibilityState !== "visible") {
      source?.close();
      source = undefined;
    } else if (source === undefined || source.readyState === EventSource.CLOSED) {
      source = new EventSource(path);
      for (const name of names) source.addEventListener(name, () => heard(name));
    }
  };
  turn();
  document.addEventListener("visibilitychange", turn);
  // Browsers give up a stream that they could not open at all.
  addEventListener("online", turn);
  return () => {
    document.removeEventListener("visibilitychange", turn);
    removeEventListener("online", turn);
    source?.close();
  };
}

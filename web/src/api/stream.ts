// Being told by the server while the page is looked at. A page in the background listens to nothing:
// browsers give a host few connections, and a phone in a pocket needs its battery.
//
// What is told says only that something changed; what it is now is asked for. So nothing is lost or
// taken twice when a stream breaks: whoever listens asks once when it stands again, and every few
// seconds for as long as it does not.

/** What a stream is listened to for. */
export interface Ears {
  /** The names of the events. */
  names: string[];
  /** One of them came. */
  heard: (name: string, data: string) => void;
  /** Something may have happened that nobody told: the stream begins, or is away. */
  missed: () => void;
}

/** A stream that is listened to. */
export interface Listening {
  /** Listens to another path from now on; the one before is left when that stands. */
  turnTo: (path: string) => void;
  end: () => void;
}

/** How often a stream that is away is looked for, and what it would have told is asked for. */
export const AWAY_MS = 10_000;

/** Listens. */
export function listen(path: string, ears: Ears): Listening {
  let wanted = path;
  /** The last one is that of the wanted path; those before it stand until it does. */
  let sources: EventSource[] = [];

  function leave(which: (it: EventSource) => boolean): void {
    sources.filter(which).forEach((it) => it.close());
    sources = sources.filter((it) => !which(it));
  }

  function open(): void {
    const source = new EventSource(wanted);
    for (const name of ears.names) source.addEventListener(name, (event) => ears.heard(name, event.data as string));
    source.addEventListener("open", () => {
      if (source !== sources.at(-1)) return;
      leave((it) => it !== source);
      ears.missed();
    });
    source.addEventListener("error", () => {
      // Browsers come back by themselves where the stream only ended, and give up where the answer was another.
      if (source.readyState === EventSource.CLOSED && source === sources.at(-1)) ears.missed();
    });
    sources.push(source);
  }

  function turn(): void {
    if (document.visibilityState !== "visible") {
      leave(() => true);
    } else if (sources.at(-1) === undefined || sources.at(-1)?.readyState === EventSource.CLOSED) {
      leave((it) => it.readyState === EventSource.CLOSED);
      open();
    }
  }

  function look(): void {
    if (document.visibilityState !== "visible" || sources.at(-1)?.readyState === EventSource.OPEN) return;
    ears.missed();
    turn();
  }

  turn();
  const timer = setInterval(look, AWAY_MS);
  document.addEventListener("visibilitychange", turn);
  addEventListener("online", turn);
  return {
    turnTo: (to) => {
      if (to === wanted) return;
      wanted = to;
      if (document.visibilityState !== "visible") return;
      leave((it) => it.readyState !== EventSource.OPEN);
      open();
    },
    end: () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", turn);
      removeEventListener("online", turn);
      leave(() => true);
    },
  };
}

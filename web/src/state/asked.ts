// No app tells a page whether the person pressed "Send". So which messages were handed to the SMS app
// is remembered, and asked for when the person comes back, also after the page was closed.

const KEY = "tandem.handed";

/** Remembers that the SMS app was opened with this message. */
export function handed(id: string): void {
  localStorage.setItem(KEY, id);
}

/** The message that was handed over last and not asked for since. */
export function toAsk(): string | null {
  return localStorage.getItem(KEY);
}

/** The person answered. */
export function asked(): void {
  localStorage.removeItem(KEY);
}

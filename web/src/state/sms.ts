// How is the phone's own SMS app opened, filled in? Each system wants the text behind another mark.

/** What kind of phone this is, as far as a page can tell. */
export type System = "apple" | "android" | "other";

export function system(): System {
  const agent = navigator.userAgent;
  if (/iPhone|iPad|iPod/.test(agent)) return "apple";
  // An iPad says that it is a Mac; no Mac can be touched.
  if (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1) return "apple";
  return /Android/.test(agent) ? "android" : "other";
}

const MARK: Record<System, string> = {
  // Since iOS 8; it takes no `?`.
  apple: "&",
  // RFC 5724.
  android: "?",
  // Read by both.
  other: "?&",
};

/** The link that opens the SMS app with number and text; blanks as `%20`, line ends as `%0A`. */
export function smsLink(number: string, text: string, of: System = system()): string {
  const body = encodeURIComponent(text.toWellFormed().replace(/\r\n?/g, "\n"));
  return `sms:${number.replace(/[^+\d]/g, "")}${MARK[of]}body=${body}`;
}

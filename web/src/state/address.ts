// Which page does an address name? Addresses come from anywhere, also broken ones.

export type Page =
  | { name: "waiting" }
  | { name: "message"; id: string }
  | { name: "conversations" }
  | { name: "conversation"; id: string }
  | { name: "alerts" }
  | { name: "phones" }
  | { name: "account" }
  | { name: "welcome"; token: string };

/** The page of what stands behind the `#`; the list where it names none. */
export function read(hash: string): Page {
  const [, first, encoded] = hash.replace(/^#/, "").split("/");
  const second = decoded(encoded);
  if (first === "waiting" && second) return { name: "message", id: second };
  if (first === "conversations" && second) return { name: "conversation", id: second };
  if (first === "conversations" || first === "alerts" || first === "phones" || first === "account") return { name: first };
  if (first === "welcome" && second) return { name: "welcome", token: second };
  return { name: "waiting" };
}

/** What was meant; `undefined` where it is no text. */
function decoded(part: string | undefined): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** What the window is called. No names: the browser's history keeps it after the person signed out. */
export function title(page: Page, isIn: boolean): string {
  if (page.name === "welcome") return "Welcome – Tandem";
  if (!isIn) return "Sign in – Tandem";
  switch (page.name) {
    case "waiting":
      return "Waiting – Tandem";
    case "message":
      return "A waiting message – Tandem";
    case "conversations":
      return "Conversations – Tandem";
    case "conversation":
      return "A conversation – Tandem";
    case "alerts":
      return "Alerts – Tandem";
    case "phones":
      return "Notifications – Tandem";
    case "account":
      return "Account – Tandem";
  }
}

// Which page is shown? What stands behind the `#`.

export type Page =
  | { name: "waiting" }
  | { name: "message"; id: string }
  | { name: "conversations" }
  | { name: "conversation"; id: string }
  | { name: "alerts" }
  | { name: "phones" }
  | { name: "account" }
  | { name: "welcome"; token: string };

/** The page of this address; the list where it names none. */
export function read(hash: string): Page {
  const [, first, second] = hash.replace(/^#/, "").split("/");
  if (first === "waiting" && second) return { name: "message", id: decodeURIComponent(second) };
  if (first === "conversations" && second) return { name: "conversation", id: decodeURIComponent(second) };
  if (first === "conversations" || first === "alerts" || first === "phones" || first === "account") return { name: first };
  if (first === "welcome" && second) return { name: "welcome", token: decodeURIComponent(second) };
  return { name: "waiting" };
}

export const route = $state<{ page: Page }>({ page: read(location.hash) });

addEventListener("hashchange", () => {
  route.page = read(location.hash);
});

/** The address of a message's page. */
export function messagePath(id: string): string {
  return `#/waiting/${encodeURIComponent(id)}`;
}

/** The address of a conversation's page. */
export function conversationPath(id: string): string {
  return `#/conversations/${encodeURIComponent(id)}`;
}

/** Goes to a page, `/waiting` or the like. */
export function go(path: string): void {
  location.hash = path;
}

/** Goes to a page in place of this one, so that nothing of this address stays in the history. */
export function replaceWith(path: string): void {
  history.replaceState(null, "", `#${path}`);
  route.page = read(location.hash);
}

// Which page is shown? What stands behind the `#`.

import { read, type Page } from "./address";

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

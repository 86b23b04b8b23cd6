// A long list is read page by page from its newest end, and its newest page again and again.

/** What the server answers. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** What is known of a list, newest first, and where it goes on. */
export interface Known<T> {
  items: T[];
  next: string | null;
}

/** What tells items apart, and puts them in order: text that is larger for what is newer. */
export interface Order<T> {
  id: (it: T) => string;
  at: (it: T) => string;
}

/** The list with its newest page read again. */
export function renewed<T>(known: Known<T>, fresh: Page<T>, order: Order<T>): Known<T> {
  const [newest] = known.items;
  const last = fresh.items.at(-1);
  // More is new than fits a page: what lies between is not known, so it begins anew.
  const isGap = fresh.nextCursor !== null && newest !== undefined && last !== undefined && order.at(last) > order.at(newest);
  if (newest === undefined || isGap || fresh.nextCursor === null) return { items: fresh.items, next: fresh.nextCursor };
  return { items: [...fresh.items, ...without(known.items, fresh.items, order).filter((it) => order.at(it) <= order.at(last ?? it))], next: known.next ?? null };
}

/** The list with the page behind its end. */
export function continued<T>(known: Known<T>, page: Page<T>, order: Order<T>): Known<T> {
  return { items: [...known.items, ...without(page.items, known.items, order)], next: page.nextCursor };
}

function without<T>(items: T[], others: T[], order: Order<T>): T[] {
  const ids = new Set(others.map(order.id));
  return items.filter((it) => !ids.has(order.id(it)));
}

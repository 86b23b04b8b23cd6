// What is kept in this browser: answers that wait for a connection, and the list as it was last seen.

const NAME = "tandem";
const VERSION = 1;

type Store = "outbox" | "seen";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "id" });
      request.result.createObjectStore("seen", { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no database"));
  });
}

async function use<T>(
  store: Store,
  mode: IDBTransactionMode,
  work: (it: IDBObjectStore) => IDBRequest<T> | undefined,
): Promise<T | undefined> {
  const database = await open();
  try {
    return await new Promise<T | undefined>((resolve, reject) => {
      const transaction = database.transaction(store, mode);
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = () => reject(transaction.error ?? new Error("not kept"));
      transaction.onabort = () => reject(transaction.error ?? new Error("not kept"));
    });
  } finally {
    database.close();
  }
}

/** Everything in a store, in the order of ids. */
export async function all<T>(store: Store): Promise<T[]> {
  return (await use<T[]>(store, "readonly", (it) => it.getAll() as IDBRequest<T[]>)) ?? [];
}

/** Keeps a value in place of the one with its id. */
export async function put(store: Store, value: { id: string }): Promise<void> {
  await use(store, "readwrite", (it) => it.put(value));
}

/** Forgets one value. */
export async function remove(store: Store, id: string): Promise<void> {
  await use(store, "readwrite", (it) => it.delete(id));
}

/** Keeps these values and nothing else. */
export async function replace(store: Store, values: { id: string }[]): Promise<void> {
  await use(store, "readwrite", (it) => {
    it.clear();
    for (const value of values) it.put(value);
    return undefined;
  });
}

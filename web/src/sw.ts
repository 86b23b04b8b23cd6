// The service worker: the app opens without a connection, and rings when a message waits.
//
// It imports nothing, so that it is one classic script. Answers that wait for a connection are passed
// on by the page (state/outbox): not every system wakes a worker for that.

const worker = self as unknown as ServiceWorkerGlobalScope;

interface Shell {
  version: string;
  files: string[];
}

interface Note {
  page?: string;
  notification?: { title?: string; body?: string; tag?: string };
}

// Replaced by the list of files when the pages are built.
const SHELL = "__SHELL__" as unknown as Shell;
const CACHE = `shell-${SHELL.version}`;

worker.addEventListener("install", (event) => {
  const fresh = SHELL.files.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((it) => it.addAll(fresh)));
  void worker.skipWaiting();
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("shell-") && name !== CACHE) await caches.delete(name);
      }
      await worker.clients.claim();
    })(),
  );
});

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs = url.origin === location.origin && event.request.method === "GET";
  // Only the app itself; what the server answers is never kept here.
  if (!isOurs || !SHELL.files.includes(url.pathname)) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(CACHE);
      return (await cache.match(url.pathname)) ?? fetch(event.request);
    })(),
  );
});

worker.addEventListener("push", (event) => {
  let note: Note = {};
  try {
    note = (event.data?.json() as Note | undefined) ?? {};
  } catch {
    // Something must be shown all the same: systems take the right away from who stays silent.
  }
  const options: NotificationOptions = {
    body: note.notification?.body ?? "Open Tandem to see it.",
    icon: "/icons/icon-192.png",
    badge: "/icons/icon-192.png",
    data: { page: note.page ?? "/waiting" },
  };
  if (note.notification?.tag) options.tag = note.notification.tag;
  event.waitUntil(worker.registration.showNotification(note.notification?.title ?? "A message is waiting", options));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { page } = event.notification.data as { page: string };
  event.waitUntil(
    (async () => {
      const [open] = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
      if (!open) {
        await worker.clients.openWindow(`/#${page}`);
        return;
      }
      open.postMessage({ page });
      await open.focus();
    })(),
  );
});

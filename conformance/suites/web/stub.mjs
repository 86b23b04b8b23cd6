// Stands before the server under test and plays the part of `/ui/v1/waiting`: claims, answers, and
// the stream that says that the list changed. Everything else goes to the server as it came.

import http from "node:http";

const ME = { id: "", name: "" };

/** Starts it; `world` may be changed and looked at by the test. */
export async function start(target, items) {
  const world = { items, told: [], streams: new Set(), me: ME };
  world.changed = () => world.streams.forEach((it) => it.write("event: changed\ndata: {}\n\n"));
  const server = http.createServer((request, response) => {
    // Playwright takes the page off the network, and not its service worker, which would pass answers on.
    if (world.isAway) return request.destroy();
    const path = new URL(request.url, "http://stub").pathname;
    if (path.startsWith("/ui/v1/waiting")) return waiting(world, path, request, response);
    pass(target, request, response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  world.url = `http://127.0.0.1:${server.address().port}`;
  world.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return world;
}

function pass(target, request, response) {
  const { hostname, port } = new URL(target);
  const { method, url: path, headers } = request;
  const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

function waiting(world, path, request, response) {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (world.isOut) return answer(401, { code: "unauthorized", message: "Nobody is signed in" });
  if (path.endsWith("/events")) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": hello\n\n");
    world.streams.add(response);
    request.on("close", () => world.streams.delete(response));
    return;
  }
  const [, , , , id, action] = path.split("/");
  if (id === undefined) world.lists = (world.lists ?? 0) + 1;
  if (id === undefined && world.isBroken) return answer(503, { code: "unavailable", message: "The store is not available" });
  if (id === undefined) return answer(200, { items: world.items, more: world.more === true });
  const item = world.items.find((it) => it.id === decodeURIComponent(id));
  if (request.method !== "POST" || !request.headers["x-csrf-token"]) {
    return answer(403, { code: "forbidden", message: "no proof", details: { csrf: true } });
  }
  if (item === undefined) return answer(404, { code: "not_found", message: "No such message" });
  if (action === "claim") {
    if (item.claimedBy && item.claimedBy.id !== world.me.id) return answer(409, { code: "claimed", by: item.claimedBy });
    const until = new Date(Date.now() + (world.claimMs ?? 10 * 60_000)).toISOString();
    item.claimedBy = { ...world.me, until };
    return answer(200, { item, claim: { until } });
  }
  world.told.push([item.id, action]);
  if (action === "sent") world.items = world.items.filter((it) => it !== item);
  else delete item.claimedBy;
  return answer(200, {});
}

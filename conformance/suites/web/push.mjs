// A push service and a browser's half of Web Push, with nothing but Node's own cryptography: what is
// sent must open with it (RFC 8291), and its signature must hold (RFC 8292).

import crypto from "node:crypto";
import http from "node:http";

const url64 = (bytes) => Buffer.from(bytes).toString("base64url");

/** A push service on this machine, and the keys of a browser that subscribed there. */
export async function service() {
  const letters = [];
  const state = { status: 201 };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on("data", (it) => chunks.push(it));
    request.on("end", () => {
      letters.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(state.status);
      response.end();
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const keys = crypto.createECDH("prime256v1");
  keys.generateKeys();
  const auth = crypto.randomBytes(16);
  const subscription = {
    endpoint: `${origin}/push/1`,
    keys: { p256dh: url64(keys.getPublicKey()), auth: url64(auth) },
  };
  return { letters, state, origin, subscription, open: (body) => open(body, keys, auth), close: () => server.close() };
}

function open(body, keys, auth) {
  const salt = body.subarray(0, 16);
  const theirs = body.subarray(21, 21 + body[20]);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), keys.getPublicKey(), theirs]);
  const input = Buffer.from(crypto.hkdfSync("sha256", keys.computeSecret(theirs), auth, info, 32));
  const derive = (name, length) =>
    Buffer.from(crypto.hkdfSync("sha256", input, salt, Buffer.from(`Content-Encoding: ${name}\0`), length));
  const sealed = body.subarray(21 + body[20]);
  const cipher = crypto.createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
  cipher.setAuthTag(sealed.subarray(-16));
  const text = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
  if (text.at(-1) !== 2) throw new Error("not the last record");
  return JSON.parse(text.subarray(0, -1).toString());
}

/** The claims of a signature that holds. */
export function claims(authorization) {
  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(authorization);
  const [head, body, signature] = token.split(".");
  const point = Buffer.from(key, "base64url");
  const jwk = { kty: "EC", crv: "P-256", x: url64(point.subarray(1, 33)), y: url64(point.subarray(33)) };
  const holds = crypto.verify(
    "sha256",
    Buffer.from(`${head}.${body}`),
    { key: crypto.createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  if (!holds) throw new Error("the signature does not hold");
  return JSON.parse(Buffer.from(body, "base64url").toString());
}

// What whatsapp-api-js makes of our Meta: it sends to it, and reads its callbacks.
//
// One command as JSON on stdin, one answer as JSON on stdout (test_mock_meta.py).

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// The packages stand beside the results, not beside this file.
const require = createRequire(join(process.env.CONFORMANCE_NODE, "package.json"));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { WhatsAppAPI } = await load("whatsapp-api-js");
const messages = await load("whatsapp-api-js/messages");

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const command = JSON.parse(Buffer.concat(chunks).toString());

const api = new WhatsAppAPI({
    token: command.token,
    appSecret: command.appSecret,
    webhookVerifyToken: command.verifyToken,
    v: "v23.0",
    // It knows one host; ours is put in its place.
    ponyfill: { fetch: (url, options) => fetch(String(url).replace("https://graph.facebook.com", command.host), options) },
});

const heard = [];
api.on.message = ({ from, message, name }) => void heard.push({ from, name, message });
api.on.status = ({ id, status, phone, error }) => void heard.push({ id, status, phone, error });

async function answer() {
    switch (command.do) {
        case "send": {
            const { Text } = messages;
            return api.sendMessage(command.number, command.to, new Text(command.text), undefined, "reference");
        }
        case "callback":
            await api.post(JSON.parse(command.body), command.body, command.signature);
            // It tells its listeners on a later turn.
            await new Promise((done) => setTimeout(done, 20));
            return heard;
        case "handshake":
            return api.get(command.query);
        default:
            throw new Error(`unknown command ${command.do}`);
    }
}

try {
    process.stdout.write(JSON.stringify({ ok: await answer() }));
} catch (error) {
    process.stdout.write(JSON.stringify({ error: String(error?.message ?? error), status: error?.httpStatus }));
}

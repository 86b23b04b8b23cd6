// The official TypeScript SDK: every method of what Tandem serves, and the behaviour around them.

import assert from "node:assert/strict";
import Zavudev from "@zavudev/sdk";
import { run, test, until } from "./runner.mjs";
import { KEY, URL_OF_SERVER, calledMethods, client, environment, faults, methodsOf } from "./watched.mjs";

const sdk = client();
let numbers = 0;
const phone = (): string => `+4072240${String(++numbers).padStart(4, "0")}`;

/** Methods of resources in scope whose paths Tandem does not serve, each with its call. */
const NOT_SERVED: Record<string, () => Promise<unknown>> = {
    "senders.getProfile": async () => sdk.senders.getProfile("support"),
    "senders.updateProfile": async () => sdk.senders.updateProfile("support", { about: "Us" }),
    "senders.uploadProfilePicture": async () =>
        sdk.senders.uploadProfilePicture("support", { imageUrl: "https://example.com/p.jpg", mimeType: "image/jpeg" }),
    "senders.telegram.connect": async () => sdk.senders.telegram.connect("support", { botToken: "1:x" }),
    "senders.telegram.disconnect": async () => sdk.senders.telegram.disconnect("support"),
    "senders.whatsappSync.retrieve": async () => sdk.senders.whatsappSync.retrieve("support"),
    "senders.whatsappSync.startContactsSync": async () => sdk.senders.whatsappSync.startContactsSync("support"),
    "senders.whatsappSync.startHistorySync": async () => sdk.senders.whatsappSync.startHistorySync("support"),
};
const IN_SCOPE = ["me", "balance", "messages", "contacts", "senders", "templates", "conversations", "introspect", "phoneNumbers"] as const;

/** Beyond what Tandem is: assistants, and voice. */
const BEYOND = ["senders.agent."];

/** What a call is refused with. */
async function refusal(call: PromiseLike<unknown>): Promise<InstanceType<typeof Zavudev.APIError>> {
    try {
        await call;
    } catch (error) {
        assert.ok(error instanceof Zavudev.APIError, String(error));
        return error;
    }
    throw new Error("it was not refused");
}

const code = (error: InstanceType<typeof Zavudev.APIError>): unknown => (error.error as { code?: unknown }).code;

/** A made-up person writes to us. */
async function inbound(from: string, text: string, channel: "sms" | "whatsapp" = "sms"): Promise<string> {
    const answer = await fetch(`${URL_OF_SERVER}/v1/simulator/inbound`, {
        method: "POST",
        headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
        body: JSON.stringify({ from, text, channel }),
    });
    assert.equal(answer.status, 202);
    return ((await answer.json()) as { messageId: string }).messageId;
}

test("a wrong shape would be seen", async () => {
    const { message } = await sdk.messages.send({ to: phone(), text: "Hello" });
    assert.deepEqual(faults("messages.retrieve", { message }), []);
    const wrong: [object, RegExp][] = [
        [{ ...message, status: "gone" }, /message\.status: "gone" is not/],
        [{ ...message, id: undefined }, /message\.id: is missing/],
        [{ ...message, errorCode: 131047 }, /message\.errorCode: 131047 is not/],
        [{ ...message, metadata: { a: 1 } }, /message\.metadata\.a: 1 is not text/],
    ];
    for (const [it, words] of wrong) assert.match(faults("messages.retrieve", { message: it }).join("\n"), words);
});

test("me tells the project and that the key is a test key", async () => {
    const me = await sdk.me.retrieve();
    assert.equal(me.isTestMode, true);
});

test("every answer carries the rate limit", async () => {
    const balance = await sdk.balance.retrieve();
    // Added, not negated: strict equality tells 0 from -0, and nothing may have been charged yet.
    assert.equal(balance.balance + (balance.totalSpent ?? 0), 0, "nothing was paid in");
    const { response } = await sdk.me.retrieve().withResponse();
    assert.match(response.headers.get("x-ratelimit-limit") ?? "", /^\d+$/);
});

test("a text is sent, delivered, and read again", async () => {
    const to = phone();
    const { message } = await sdk.messages.send({ to, text: "Bună 😀", metadata: { order: "17" } });
    assert.equal(message.status, "queued");
    const delivered = await until("it is delivered", async () => {
        const now = (await sdk.messages.retrieve(message.id)).message;
        return now.status === "delivered" && now;
    });
    assert.deepEqual([delivered.to, delivered.text, delivered.metadata], [to, "Bună 😀", { order: "17" }]);
    assert.deepEqual((await sdk.messages.listAttachments(message.id)).items, []);
});

test("contents of each kind are taken", async () => {
    const to = phone();
    await inbound(to, "Hi", "whatsapp");
    const send = (params: Omit<Zavudev.MessageSendParams, "to" | "channel">) =>
        sdk.messages.send({ to, channel: "whatsapp", ...params });
    const mediaUrl = "https://example.com/cat.jpg";
    await send({ messageType: "image", text: "A cat", content: { mediaUrl } });
    await send({ messageType: "document", content: { mediaUrl, filename: "cat.jpg" } });
    await send({ messageType: "location", content: { latitude: 44.43, longitude: 26.1, locationName: "Us" } });
    await send({ messageType: "buttons", text: "Well?", content: { buttons: [{ id: "y", title: "Yes" }] } });
    const sections = [{ title: "Sizes", rows: [{ id: "s", title: "Small" }] }];
    await send({ messageType: "list", text: "Which?", content: { listButton: "Choose", sections } });
});

test("a message is reacted to, and typing is shown", async () => {
    const live = client({ apiKey: environment("TANDEM_LIVE_KEY") });
    const heard = environment("TANDEM_HEARD");
    const { message } = await live.messages.react(heard, { emoji: "👍", "Zavu-Sender": "at-meta" });
    assert.equal(message.messageType, "reaction");
    await live.messages.showTyping(heard, { "Zavu-Sender": "at-meta" });
    const { message: ours } = await sdk.messages.send({ to: phone(), text: "Hello" });
    for (const call of [() => sdk.messages.react(ours.id, { emoji: "👍" }), () => sdk.messages.showTyping(ours.id)]) {
        assert.ok((await refusal(call())) instanceof Zavudev.BadRequestError);
    }
});

test("a list is walked over its pages", async () => {
    const to = phone();
    const sent: string[] = [];
    for (let count = 0; count < 5; count++) {
        const { message } = await sdk.messages.send({ to, text: `Page ${count}` });
        sent.unshift(message.id);
    }
    const listed: string[] = [];
    for await (const message of sdk.messages.list({ to, limit: 2 })) listed.push(message.id);
    assert.deepEqual(listed, sent);
    const first = await sdk.messages.list({ to, limit: 2 });
    assert.equal(first.hasNextPage(), true);
    const pages = await Promise.all([first.getNextPage()]);
    assert.deepEqual(pages[0]?.items.map((it) => it.id), sent.slice(2, 4));
});

test("a repeated idempotency key is a conflict, in one request", async () => {
    let requests = 0;
    const counting = client({ fetch: (...args) => (requests++, fetch(...args)) });
    const params = { to: phone(), text: "Once", idempotencyKey: `key-${phone()}` };
    const { message } = await counting.messages.send(params);
    const error = await refusal(counting.messages.send(params));
    assert.ok(error instanceof Zavudev.ConflictError);
    assert.equal((error.error as { details: { message: { id: string } } }).details.message.id, message.id);
    assert.equal(requests, 2);
});

test("errors have the SDK's classes and our codes", async () => {
    const wrong = client({ apiKey: "zv_test_wrong" });
    for (const [call, kind, expected] of [
        [() => wrong.me.retrieve(), Zavudev.AuthenticationError, "unauthorized"],
        [() => sdk.messages.retrieve("msg_unknown"), Zavudev.NotFoundError, "not_found"],
        [() => sdk.messages.send({ to: "nobody", text: "x" }), Zavudev.BadRequestError, "invalid_request"],
        [() => sdk.messages.send({ to: phone(), text: "x", channel: "whatsapp" }), Zavudev.BadRequestError, "whatsapp_window_closed"],
        [() => sdk.get("/v1/unknown"), Zavudev.NotFoundError, "not_found"],
    ] as const) {
        const error = await refusal(call());
        assert.ok(error instanceof kind, String(error));
        assert.equal(code(error), expected);
    }
});

test("a sender is made, changed and removed", async () => {
    const made = await sdk.senders.create({
        name: "Made",
        phoneNumber: "+40700000077",
        webhookUrl: "https://example.com/hook",
        webhookEvents: ["message.inbound", "message.delivered"],
    });
    assert.match(made.webhook?.secret ?? "", /^whsec_/, "the secret is shown once");
    assert.equal((await sdk.senders.retrieve(made.id)).webhook?.secret, undefined);
    const changed = await sdk.senders.update(made.id, { name: "Changed", webhookActive: false });
    assert.deepEqual([changed.name, changed.webhook?.active], ["Changed", false]);
    const { secret } = await sdk.senders.regenerateWebhookSecret(made.id);
    assert.notEqual(secret, made.webhook?.secret);
    assert.equal((await sdk.senders.update(made.id, { webhookUrl: null })).webhook, undefined);
    const listed: string[] = [];
    for await (const sender of sdk.senders.list({ limit: 1 })) listed.push(sender.id);
    assert.ok(listed.includes(made.id) && listed.includes("support"));
    await sdk.senders.delete(made.id);
    assert.ok((await refusal(sdk.senders.retrieve(made.id))) instanceof Zavudev.NotFoundError);
});

test("a sender can be named with a message", async () => {
    const { message } = await sdk.messages.send({ to: phone(), text: "Hi", "Zavu-Sender": "alerts" });
    assert.equal(message.senderId, "alerts");
});

test("contacts are made, found, changed, merged and removed", async () => {
    const number = phone();
    const made = await sdk.contacts.create({ displayName: "Maria", channels: [{ channel: "sms", identifier: number }] });
    assert.equal((await sdk.contacts.retrieve(made.id)).displayName, "Maria");
    assert.equal((await sdk.contacts.retrieveByPhone(number)).id, made.id);
    assert.equal((await sdk.contacts.update(made.id, { displayName: "Mara" })).displayName, "Mara");
    const found = await sdk.contacts.list({ phoneNumber: number });
    assert.deepEqual(found.items.map((it) => it.id), [made.id]);
    const second = await sdk.contacts.create({ channels: [{ channel: "email", identifier: "mara@example.com" }] });
    const merged = await sdk.contacts.merge(made.id, { sourceContactId: second.id });
    assert.equal(merged.channels?.length, 2);
    await sdk.contacts.delete(made.id);
    assert.ok((await refusal(sdk.contacts.retrieve(made.id))) instanceof Zavudev.NotFoundError);
});

test("channels of a contact are added, changed, preferred and removed", async () => {
    const made = await sdk.contacts.create({ channels: [{ channel: "sms", identifier: phone() }] });
    const contactId = made.id;
    const { channel } = await sdk.contacts.channels.add(contactId, { channel: "sms", identifier: phone() });
    assert.equal((await sdk.contacts.channels.update(channel.id, { contactId, label: "work" })).channel.label, "work");
    assert.equal((await sdk.contacts.channels.setPrimary(channel.id, { contactId })).channel.isPrimary, true);
    const [first] = made.channels ?? [];
    assert.ok(first);
    await sdk.contacts.channels.remove(first.id, { contactId });
    assert.equal((await sdk.contacts.retrieve(contactId)).channels?.length, 1);
});

test("a template is made, submitted, brought in and removed", async () => {
    const made = await sdk.templates.create({
        name: "order_shipped",
        language: "en",
        body: "Hi {{1}}, order {{2}} is on its way.",
        variables: ["customer", "order"],
        whatsappCategory: "UTILITY",
        smsBody: "{{1}}: {{2}} is on its way",
        footer: "Us",
        buttons: [{ type: "quick_reply", text: "Thanks" }],
    });
    assert.equal(made.status, "draft");
    assert.equal((await sdk.templates.retrieve(made.id)).name, "order_shipped");
    const listed: string[] = [];
    for await (const template of sdk.templates.list({ limit: 1 })) listed.push(template.id);
    assert.ok(listed.includes(made.id));
    assert.equal((await sdk.templates.submit(made.id, { senderId: "support" })).status, "pending");
    await until("it is approved", async () => (await sdk.templates.retrieve(made.id)).status === "approved");
    assert.deepEqual((await sdk.templates.sync()).errors, []);
    const to = phone();
    const { message } = await sdk.messages.send({
        to,
        channel: "whatsapp",
        messageType: "template",
        content: { templateId: made.id, templateVariables: { "1": "Ana", "2": "A-17" } },
    });
    await until("it is delivered", async () => (await sdk.messages.retrieve(message.id)).message.status === "delivered");
    await sdk.templates.delete(made.id);
    assert.ok((await refusal(sdk.templates.retrieve(made.id))) instanceof Zavudev.NotFoundError);
});

test("a conversation is listed, read through and marked as read", async () => {
    const from = phone();
    await inbound(from, "Question", "sms");
    await sdk.messages.send({ to: from, text: "Answer" });
    const found = await sdk.conversations.list({ search: from });
    const [thread] = found.items;
    assert.ok(thread);
    assert.deepEqual([thread.contactIdentifier, thread.unreadCount], [from, 1]);
    const { conversation } = await sdk.conversations.retrieve(thread.id);
    assert.equal(conversation.messageCount, 2);
    const texts: (string | undefined)[] = [];
    for await (const message of sdk.conversations.listMessages(thread.id, { limit: 1 })) texts.push(message.text);
    assert.deepEqual(texts, ["Answer", "Question"]);
    assert.equal((await sdk.conversations.markAsRead(thread.id)).conversation.unreadCount, 0);
});

test("numbers and addresses are looked at", async () => {
    const known = await sdk.introspect.validatePhone({ phoneNumber: "+40722123456" });
    assert.deepEqual([known.validNumber, known.countryCode], [true, "RO"]);
    const { results } = await sdk.introspect.validateEmail({ emails: ["maria@example.com", "no address"] });
    assert.deepEqual(results.map((it) => it.verdict === "undeliverable"), [false, true]);
});

test("phone numbers are noted, changed and released", async () => {
    const { phoneNumber } = await sdk.phoneNumbers.purchase({ phoneNumber: "+40700000088", name: "Line" });
    const id = phoneNumber.id;
    assert.equal((await sdk.phoneNumbers.retrieve(id)).phoneNumber.name, "Line");
    assert.equal((await sdk.phoneNumbers.update(id, { name: "Other" })).phoneNumber.name, "Other");
    const listed: string[] = [];
    for await (const number of sdk.phoneNumbers.list({ limit: 1 })) listed.push(number.phoneNumber);
    assert.ok(listed.includes("+40700000088"));
    assert.deepEqual((await sdk.phoneNumbers.searchAvailable({ countryCode: "RO" })).items, []);
    assert.deepEqual((await sdk.phoneNumbers.requirements({ countryCode: "RO" })).items, []);
    await sdk.phoneNumbers.release(id);
    assert.ok((await refusal(sdk.phoneNumbers.retrieve(id))) instanceof Zavudev.NotFoundError);
});

test("what is not served is not found, and nothing else", async () => {
    for (const [method, call] of Object.entries(NOT_SERVED)) {
        const error = await refusal(call());
        assert.equal(error.status, 404, `${method}: ${error.status}`);
        process.stderr.write(`not served: ${method}\n`);
    }
});

test("every method of these resources was called", async () => {
    const all = IN_SCOPE.flatMap((name) => methodsOf(new Zavudev({ apiKey: KEY })[name], name));
    const ours = all.filter((it) => !BEYOND.some((beyond) => it.startsWith(beyond)));
    assert.ok(ours.length > 40, "they are found at all");
    assert.deepEqual(ours.filter((it) => !calledMethods().has(it)), []);
});

await run();

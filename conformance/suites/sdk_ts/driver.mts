// The TypeScript SDK at the end of a pipe: a call a line in, an answer a line out
// (harness/sdk_clients.py). Every answer is held against the SDK's own declarations.

import { createInterface } from "node:readline";
import Zavudev from "@zavudev/sdk";
import { client } from "./watched.mjs";

interface Call {
    method: string;
    args: unknown[];
}

const sdk = client();

/** Walks to the method, calls it, and gives the value; of a page, its items. */
async function answer({ method, args }: Call): Promise<unknown> {
    const path = method.split(".");
    const name = path.pop() ?? "";
    let resource: unknown = sdk;
    for (const step of path) resource = (resource as Record<string, unknown>)[step];
    const member = (resource as Record<string, (...args: unknown[]) => PromiseLike<unknown>>)[name];
    if (!member) throw new Error(`the SDK has no ${method}`);
    const value = await member(...args);
    const items = (value as { items?: unknown } | null)?.items;
    return items ?? value;
}

for await (const line of createInterface({ input: process.stdin })) {
    let reply: unknown;
    try {
        reply = { value: (await answer(JSON.parse(line) as Call)) ?? null };
    } catch (error) {
        const isRefusal = error instanceof Zavudev.APIError && error.status !== undefined;
        reply = isRefusal
            ? { refused: { kind: error.constructor.name, status: error.status, body: error.error } }
            : { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
}

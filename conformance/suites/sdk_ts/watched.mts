// The SDK, with every answer held against its own declarations, and with a list of what was called.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import assert from "node:assert/strict";
import Zavudev from "@zavudev/sdk";
import { Shapes } from "./shapes.mjs";

export const environment = (name: string): string => {
    const value = process.env[name];
    assert.ok(value, `${name} is not set`);
    return value;
};

export const URL_OF_SERVER = environment("TANDEM_URL");
export const KEY = environment("TANDEM_KEY");

const require = createRequire(import.meta.url);
const shapes = new Shapes(join(dirname(require.resolve("@zavudev/sdk")), "index.d.ts"));
const called = new Set<string>();

/** What is wrong with a value that a method is said to have resolved to. */
export const faults = (method: string, value: unknown): string[] => shapes.faults(method, value);

/** Names of the methods that were called so far, such as `contacts.channels.add`. */
export const calledMethods = (): ReadonlySet<string> => called;

/** The methods of a resource and of those below it. */
export function methodsOf(resource: object, name: string): string[] {
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(resource) as object)
        .filter((it) => it !== "constructor")
        .map((it) => `${name}.${it}`);
    const below = Object.entries(resource).filter(([key, it]) => key !== "_client" && isResource(it));
    return [...own, ...below.flatMap(([key, it]) => methodsOf(it as object, `${name}.${key}`))];
}

const isResource = (it: unknown): boolean => typeof it === "object" && it !== null && "_client" in it;

/** A client as users make it, whose methods look at what they resolve to. */
export function client(options: { apiKey?: string; fetch?: typeof fetch; maxRetries?: number } = {}): Zavudev {
    return watch(new Zavudev({ apiKey: KEY, baseURL: URL_OF_SERVER, ...options }), []);
}

function watch<T extends object>(target: T, path: string[]): T {
    return new Proxy(target, {
        get(it, name) {
            const member: unknown = Reflect.get(it, name, it);
            if (typeof name !== "string" || name.startsWith("_")) return member;
            if (isResource(member)) return watch(member as object, [...path, name]);
            if (typeof member !== "function") return member;
            if (path.length === 0) return member.bind(it) as unknown;
            const method = [...path, name].join(".");
            return (...args: unknown[]) => {
                called.add(method);
                const promise = Reflect.apply(member, it, args) as PromiseLike<unknown>;
                return watchPromise(promise, method);
            };
        },
    });
}

/** Looks at the value when it is awaited; everything else of the promise stays as it is. */
function watchPromise(promise: PromiseLike<unknown>, method: string): unknown {
    return new Proxy(promise, {
        get(it, name) {
            const member: unknown = Reflect.get(it, name, it);
            if (typeof member !== "function") return member;
            if (name !== "then") return member.bind(it) as unknown;
            const looked = async () => {
                const value = await it;
                const faults = shapes.faults(method, value);
                assert.deepEqual(faults, [], `${method} answered ${JSON.stringify(value)}`);
                return value;
            };
            return (...handlers: Parameters<Promise<unknown>["then"]>) => looked().then(...handlers);
        },
    });
}

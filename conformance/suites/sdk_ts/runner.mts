// Runs tests one after the other, and tells of each as a line of JSON (harness/ts_suite.py).

type Test = () => Promise<void>;

const tests: [string, Test][] = [];

/** Adds a test. */
export function test(name: string, body: Test): void {
    tests.push([name, body]);
}

/** Runs them all. */
export async function run(): Promise<void> {
    for (const [name, body] of tests) {
        let error: string | undefined;
        try {
            await body();
        } catch (thrown) {
            error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        }
        process.stdout.write(`${JSON.stringify({ test: name, error })}\n`);
    }
}

/** What `look` answers, once that is something true. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = performance.now() + 45_000;
    for (;;) {
        const found = await look();
        if (found) return found;
        if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
        await new Promise((done) => setTimeout(done, 30));
    }
}

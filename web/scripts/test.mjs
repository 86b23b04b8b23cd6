// Runs the tests of what decides nothing but words and order: src/state modules without a page. Each
// is turned into JavaScript into a folder of its own, since this Node reads no TypeScript.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "tandem-web-"));

function turn(folder) {
  mkdirSync(join(out, folder), { recursive: true });
  for (const name of readdirSync(join(root, folder))) {
    if (!name.endsWith(".ts") || name.endsWith(".svelte.ts")) continue;
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    const { outputText } = ts.transpileModule(readFileSync(join(root, folder, name), "utf8"), { compilerOptions });
    const whole = outputText.replaceAll(/from "(\.[^"]+)"/g, 'from "$1.mjs"');
    writeFileSync(join(out, folder, name.replace(/\.ts$/, ".mjs")), whole);
  }
}

let code = 1;
try {
  ["src/api", "src/state", "tests"].forEach(turn);
  const tests = readdirSync(join(out, "tests")).map((it) => join(out, "tests", it));
  code = spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...tests], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
process.exit(code);

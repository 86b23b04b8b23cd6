// How the pages are built: one bundle with a hash in its name, and the service worker beside it.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** Tells the service worker which files make up the app, so that it can keep them all. */
function shell(): Plugin {
  const kept = ["/manifest.webmanifest", "/icons/icon.svg", "/icons/icon-192.png"];
  return {
    name: "shell",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const built = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
        const index = bundle["index.html"];
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk" || index?.type !== "asset") throw new Error("no worker or page");
        const files = ["/", ...built.sort().map((name) => `/${name}`), ...kept];
        const version = createHash("sha256").update(JSON.stringify(files)).update(index.source);
        const list = { version: version.digest("hex").slice(0, 12), files };
        const placeholder = /(["'`])__SHELL__\1/;
        if (!placeholder.test(worker.code)) throw new Error("the worker asks for no shell");
        worker.code = worker.code.replace(placeholder, () => JSON.stringify(list));
      },
    },
  };
}

/** Packs what a phone loads first: a third of its size is on the way for a third of the time. */
function packed(): Plugin {
  return {
    name: "packed",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          if (!/^assets\/.*\.(js|css)$/.test(name)) continue;
          const source = gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 });
          this.emitFile({ type: "asset", fileName: `${name}.gz`, source });
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [svelte(), shell(), packed()],
  build: {
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      input: { app: "index.html", sw: "src/sw.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});

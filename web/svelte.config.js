// Styles of components go into the one style sheet: nothing stands in the page itself (CSP).
import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default { preprocess: vitePreprocess(), compilerOptions: { runes: true, css: "external" } };

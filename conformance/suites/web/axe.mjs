// What axe-core finds wrong with a page, in words: rules of WCAG 2.2, levels A and AA, and good practice.

import { createRequire } from "node:module";

const { source } = createRequire(`${process.env.CONFORMANCE_NODE}/`)("axe-core");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Looks at the page as it stands. */
export async function barriers(page) {
  // By the debugger: the page's own rules allow no foreign script.
  await page.evaluate(source);
  return page.evaluate(async (tags) => {
    const { violations } = await axe.run(document, { runOnly: tags });
    return violations.flatMap((it) => it.nodes.map((node) => `${it.id}: ${node.failureSummary} ${node.html}`));
  }, TAGS);
}

/** Looks at it in both colour schemes. */
export async function barriersInBoth(page) {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await barriers(page)).map((it) => `${colorScheme}: ${it}`));
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

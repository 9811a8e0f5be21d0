/** What `amounts.test.mjs` runs outside of a browser. */
export { decimal } from "../lib/format.ts";
export { typed, units } from "../lib/measures.ts";
export { settings } from "../lib/settings.svelte.ts";

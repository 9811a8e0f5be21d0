/** What `statement.test.mjs` runs outside of a browser. */
export { statement } from "../lib/statement.ts";

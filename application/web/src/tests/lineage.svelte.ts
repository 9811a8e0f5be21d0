/** What `lineage.test.mjs` runs outside of a browser. */
export { RELATIONS, fits, usual } from "../lib/lineage.ts";

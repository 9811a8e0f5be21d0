// What the tests of statements ask.
export { statement } from "../lib/statement.ts";

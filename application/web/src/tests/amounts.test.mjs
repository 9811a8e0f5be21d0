// An amount is what its writer meant, or none: never ten times as much for a comma.
import assert from "node:assert/strict";
import test from "node:test";
import { built } from "./built.mjs";

const { decimal, settings, typed, units } = await built("amounts.svelte.ts");

/** In English; Indonesian has points and commas the other way round. */
const AMOUNTS = new Map([
  ["1.5", "1.5"],
  [" 0.25 ", "0.25"],
  ["1,500", "1500"],
  ["12,345,678.9", "12345678.9"],
  ["1500", "1500"],
  ["0.000000000000000001", "0.000000000000000001"],
  ["999999999999", "999999999999"],
]);
const NONE = ["1,5", "0,25", "1,50", "1500,5", "12,34", "1,2345", ",5", ".5", "1.", "1.2.3", "1,000,00", "1.5,000", "1 500", "-1", "1e3", "0x10", "", "1.0000000000000000001", "9999999999999"];
const other = (text) => text.replace(/[.,]/g, (one) => (one === "." ? "," : "."));

for (const [language, written] of [["en", (text) => text], ["id", other]]) {
  test(`amounts are read as they are written in ${language}`, () => {
    settings.language = language;
    for (const [text, worth] of AMOUNTS) assert.equal(decimal(units(written(text)) ?? -1n), worth, written(text));
    for (const text of NONE) assert.equal(units(written(text)), undefined, written(text));
    for (const worth of [0n, 1n, 10n ** 18n, 123_456n * 10n ** 15n]) assert.equal(units(typed(worth)), worth);
  });
}

// Both languages have the same words with the same places in them, and every word that a page asks for exists.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const root = new URL("../", import.meta.url).pathname;

function words(file) {
  const text = readFileSync(join(root, `words/${file}.ts`), "utf8");
  const lines = [...text.matchAll(/^ {2}("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"),$/gm)];
  const entries = text.split("\n").filter((line) => line.startsWith("  "));
  assert.equal(lines.length, entries.length, `${file}: every line is one key and its words`);
  return new Map(lines.map(([, key, value]) => [JSON.parse(key), JSON.parse(value)]));
}

/** Where the words of a language are: those of the first visit, then one file for each area. */
function files(language) {
  const areas = readdirSync(join(root, "words", language)).sort();
  return [`first/${language}`, ...areas.map((file) => `${language}/${file.replace(/\.ts$/, "")}`)];
}

const every = (language) => new Map(files(language).flatMap((file) => [...words(file)]));
const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const first = words("first/en");
const en = every("en");
const id = every("id");
const sources = readdirSync(root, { recursive: true })
  .filter((file) => /\.(svelte|ts)$/.test(file) && !file.startsWith("words"))
  .map((file) => [file, readFileSync(join(root, file), "utf8")]);

test("every key is in both languages, once", () => {
  const [english, indonesian] = ["en", "id"].map((language) => files(language).map((file) => [...words(file).keys()]));
  assert.deepEqual(indonesian, english);
  assert.equal(en.size, english.flat().length);
  assert.ok(en.size > 480);
});

test("every area is among the words that are loaded", () => {
  for (const language of ["en", "id"]) {
    const text = readFileSync(join(root, `words/${language}.ts`), "utf8");
    const loaded = [...text.matchAll(/^ {2}\.\.\.(\w+),$/gm)].map(([, area]) => `${language}/${area}`);
    assert.deepEqual(loaded.sort(), files(language).slice(1));
  }
});

test("both say the same values, and nothing is empty", () => {
  for (const [key, text] of en) {
    assert.ok(text.trim() && id.get(key)?.trim(), key);
    assert.deepEqual(places(id.get(key)), places(text), key);
  }
});

test("nothing was left in English", () => {
  // Names, units and words that are the same in both languages.
  const SAME = /^(Agent|Agen|API|Chain id|Chat|Dataset|Event|Gas|Gateway|Genesis|Hash|Input|JSON-RPC|Model|Pipeline|Royalti|Staking|Status|Studio|Token|Worker|Total|Adapter|Checkpoint|Slash|Ok|Input|Transfer|Veto|Quorum|Proposer|Format|Filter|Validator|Epoch)$/i;
  const same = [...en].filter(([key, text]) => id.get(key) === text && / /.test(text.trim()) && !SAME.test(text));
  assert.deepEqual(same.map(([key]) => key), []);
});

test("every key that a page names exists", () => {
  for (const [file, text] of sources) {
    for (const [, key] of text.matchAll(/\bt\(\s*"([^"]+)"/g)) assert.ok(en.has(key), `${file}: ${key}`);
    for (const [, prefix] of text.matchAll(/\b(?:t|maybe)\(\s*`([^$`]+)\$\{/g)) {
      assert.ok([...en.keys()].some((key) => key.startsWith(prefix)), `${file}: ${prefix}…`);
    }
  }
});

test("the first visit has every word that it shows", () => {
  const shown = /^(App\.svelte|pages\/Home\.svelte|parts\/(Talk|Payments|ItemCard|Coin|Who|When|Shown|Failure|Table)\.svelte)$/;
  const seen = sources.filter(([file]) => shown.test(file));
  assert.equal(seen.length, 11);
  for (const [file, text] of seen) {
    for (const [, key] of text.matchAll(/"([a-z]+(?:\.\w+)*)"/g)) {
      if (en.has(key)) assert.ok(first.has(key), `${file}: ${key} is not among the first words`);
    }
  }
});

test("every refusal of a protocol that has words is one of its interface", () => {
  const generated = readFileSync(join(root, "../../../transaction/client/typescript/src/generated.ts"), "utf8");
  const errors = new Set([...generated.matchAll(/"name":"(\w+)","type":"error"/g)].map(([, name]) => name));
  const named = [...en.keys()].filter((key) => /^error\.[A-Z]/.test(key)).map((key) => key.slice("error.".length));
  assert.ok(named.length > 40);
  assert.deepEqual(named.filter((name) => !errors.has(name)), []);
});

test("no word is left over", () => {
  const all = sources.map(([, text]) => text).join("\n");
  const families = [...all.matchAll(/`([a-zA-Z]+\.(?:[a-zA-Z]+\.)?)\$\{/g)].map(([, prefix]) => prefix);
  const unused = [...en.keys()].filter((key) => !all.includes(`"${key}"`) && !families.some((prefix) => key.startsWith(prefix)));
  assert.deepEqual(unused, []);
});

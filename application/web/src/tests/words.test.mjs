// Both languages have the same words with the same places in them, and every word that a page asks for exists.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const root = new URL("../", import.meta.url).pathname;

function words(language) {
  const text = readFileSync(join(root, `words/${language}.ts`), "utf8");
  const lines = [...text.matchAll(/^ {2}("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"),$/gm)];
  assert.ok(lines.length > 300, `${language} has words`);
  return new Map(lines.map(([, key, value]) => [JSON.parse(key), JSON.parse(value)]));
}

const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const [en, id] = [words("en"), words("id")];

test("every key is in both languages", () => {
  assert.deepEqual([...id.keys()].sort(), [...en.keys()].sort());
});

test("both say the same values, and nothing is empty", () => {
  for (const [key, text] of en) {
    assert.ok(text && id.get(key), key);
    assert.deepEqual(places(id.get(key)), places(text), key);
  }
});

test("every key that a page names exists", () => {
  const files = readdirSync(root, { recursive: true }).filter((file) => /\.(svelte|ts)$/.test(file) && !file.startsWith("words"));
  for (const file of files) {
    for (const [, key] of readFileSync(join(root, file), "utf8").matchAll(/\bt\(\s*"([^"]+)"/g)) assert.ok(en.has(key), `${file}: ${key}`);
  }
});

// Every file of the build has its packed copy beside it, and each says what the file says.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { brotliDecompressSync } from "node:zlib";

const dist = new URL("../../dist/", import.meta.url);

test("what is packed is what was built", () => {
  const names = readdirSync(dist, { recursive: true }).filter((name) => /\.\w+$/.test(name));
  const files = names.filter((name) => !name.endsWith(".br"));
  assert.ok(files.length > 40);
  assert.deepEqual(names.filter((name) => name.endsWith(".br")).sort(), files.map((name) => `${name}.br`).sort());
  for (const name of files) {
    assert.ok(brotliDecompressSync(readFileSync(new URL(`${name}.br`, dist))).equals(readFileSync(new URL(name, dist))), name);
  }
});

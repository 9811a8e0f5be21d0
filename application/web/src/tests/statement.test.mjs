// A statement is whole, however many pages it has; one of a month has that month and reads no further back.
import assert from "node:assert/strict";
import test from "node:test";
import { built } from "./built.mjs";

const { statement } = await built("statement.svelte.ts");

const HEAD = "time_ms,block,log_index";
/** A payment every hour, the newest first, so that three months are 22 pages of a hundred. */
const END = Date.UTC(2026, 10, 30, 23);
const ROWS = Array.from({ length: 2_200 }, (_, index) => `${END - index * 3_600_000},${9_000 - index},0`);
const asked = [];
globalThis.fetch = async (path) => {
  const values = new URL(path, "http://there").searchParams;
  const from = Number(values.get("cursor") ?? 0);
  asked.push(from);
  const rows = ROWS.slice(from, from + Number(values.get("limit")));
  const next = from + rows.length < ROWS.length ? { "sahara-next": String(from + rows.length) } : {};
  return new Response(`${[HEAD, ...rows].join("\n")}\n`, { headers: next });
};
const read = async (month) => {
  asked.length = 0;
  const counts = [];
  const [head, ...rows] = (await statement("0x1", month, (count) => counts.push(count))).trimEnd().split("\n");
  return { head, rows, counts };
};

test("all of it is every row, once, in order", async () => {
  const { head, rows, counts } = await read("");
  assert.equal(head, HEAD);
  assert.deepEqual(rows, ROWS);
  assert.deepEqual([asked.length, counts.at(-1)], [22, 2_200]);
});

test("a month is its own rows, and what is older is not read", async () => {
  const { rows } = await read("2026-10");
  assert.equal(rows.length, 31 * 24);
  assert.ok(rows.every((row) => new Date(Number(row.split(",")[0])).toISOString().startsWith("2026-10")));
  // November has 720 rows, October 744: the fifteenth page passes its beginning.
  assert.equal(asked.length, 15);
});

test("a refusal is no statement", async () => {
  const answer = globalThis.fetch;
  globalThis.fetch = async () => new Response("", { status: 503 });
  await assert.rejects(statement("0x1", "", () => undefined), { code: "offline" });
  globalThis.fetch = answer;
});

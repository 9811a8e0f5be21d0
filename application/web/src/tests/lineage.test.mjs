// The studio offers the relations that the chain takes: the table is the specification's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { built } from "./built.mjs";

const { RELATIONS, fits, usual } = await built("lineage.svelte.ts");
const KINDS = ["dataset", "model", "agent", "pipeline", "checkpoint", "adapter", "recipe", "inference task", "usage log"];
const named = (kind) => kind.replace(" ", "_");

const spec = readFileSync(new URL("../../../../specs/0004-assets.md", import.meta.url), "utf8");
const rows = [...spec.matchAll(/^\| ([A-Z][A-Za-z]+) \| ([^|]+) \| ([^|]+) \| (?:yes|no) \|$/gm)].map(([, relation, children, parents]) => ({
  relation: relation.replace(/(?!^)[A-Z]/g, "_$&").toUpperCase(),
  children: children.trim(),
  parents: parents.trim(),
}));
const among = (cell, kind) => cell === "any" || cell.split(", ").includes(kind);

test("every relation holds where the specification says, and nowhere else", () => {
  const offered = rows.filter(({ relation }) => relation !== "RECORDS");
  assert.deepEqual(offered.map(({ relation }) => relation).sort(), [...RELATIONS].sort());
  for (const { relation, children, parents } of offered) {
    for (const child of KINDS) {
      for (const parent of KINDS) {
        const wanted = among(children, child) && (parents === "the same" ? child === parent : among(parents, parent));
        assert.equal(fits(relation, named(child), named(parent)), wanted, `${child} ${relation} ${parent}`);
      }
    }
  }
});

test("the usual relation fits, and is there where any but a version's does", () => {
  for (const child of KINDS.map(named)) {
    for (const parent of KINDS.map(named)) {
      const place = usual(child, parent);
      const any = RELATIONS.some((one) => one !== "VERSION_OF" && fits(one, child, parent));
      assert.equal(place !== undefined, any, `${child} of ${parent}`);
      if (place !== undefined) assert.ok(fits(RELATIONS[place], child, parent));
    }
  }
});

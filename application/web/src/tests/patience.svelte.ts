/** What `patience.test.mjs` runs outside of a browser. */
import { flushSync } from "svelte";

export { Problem } from "../lib/api.ts";
export { followChain, listen, live, reached } from "../lib/live.svelte.ts";
export { late, resource } from "../lib/resource.svelte.ts";
export { flushSync };

/** Runs effects outside of a component, until the answer is called. */
export const rooted = (run: () => void): (() => void) => $effect.root(run);

/** A value that effects follow. */
export function followed<T>(first: T): { value: T } {
  let value = $state(first);
  return {
    get value() {
      return value;
    },
    set value(next) {
      value = next;
    },
  };
}

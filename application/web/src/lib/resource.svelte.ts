/**
 * A question whose answer is on its way, here, or refused.
 *
 * Nobody who answers is waited for: the last answer stays, the question is asked again after a while that grows,
 * and at once when the chain's stream is back. Meanwhile `late` tells the page that what it shows may be old or missing.
 * A refusal is an answer: what was there before it is gone.
 */
import { untrack } from "svelte";
import { live } from "./live.svelte.ts";
import { isPassing, pause } from "./patience.ts";

export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  reload(): Promise<void>;
}

/** Questions that wait for their next try. */
let waiting = $state.raw<readonly (() => Promise<void>)[]>([]);

/** Whether something shown is older than what was asked for last, or not there at all. */
export const late = {
  get isAny(): boolean {
    return waiting.length > 0;
  },
  /** Asks all of it again, now. */
  again(): void {
    for (const ask of waiting) void ask();
  },
};

/**
 * Asks again whenever something that `ask` reads changes, and when the stream is back. The last answer stays until
 * the next is here; one about something else than `about` does not outlive a failure.
 */
export function resource<T>(ask: () => Promise<T> | undefined, about: () => unknown = () => undefined): Resource<T> {
  let data = $state.raw<T>();
  let error = $state.raw<Error>();
  let isLoading = $state(true);
  let turn = 0;
  let failures = 0;
  /** What the answer that is shown is about. */
  let known: unknown;
  let next: ReturnType<typeof setTimeout> | undefined;

  const mark = (isLate: boolean): void =>
    untrack(() => {
      if (waiting.includes(load) !== isLate) waiting = isLate ? [...waiting, load] : waiting.filter((one) => one !== load);
    });
  function fail(problem: unknown, isAboutSame: boolean): void {
    error = problem instanceof Error ? problem : new Error(String(problem));
    const isLater = isPassing(problem);
    if (!isLater || !isAboutSame) data = undefined;
    if (isLater) next = setTimeout(() => void load(), pause(++failures));
    mark(isLater);
  }
  async function load(): Promise<void> {
    const mine = ++turn;
    clearTimeout(next);
    const wanted = about();
    const answer = ask();
    if (!answer) {
      isLoading = false;
      mark(false);
      return;
    }
    isLoading = true;
    try {
      const found = await answer;
      if (mine !== turn) return;
      [data, error, known, failures] = [found, undefined, wanted, 0];
      mark(false);
    } catch (problem) {
      if (mine === turn) fail(problem, wanted === known);
    } finally {
      if (mine === turn) isLoading = false;
    }
  }
  $effect(() => {
    void live.returns;
    void load();
  });
  $effect(() => () => {
    turn += 1;
    clearTimeout(next);
    mark(false);
  });
  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get isLoading() {
      return isLoading;
    },
    reload: load,
  };
}

/** A question whose answer is on its way, here, or refused. */
export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  reload(): Promise<void>;
}

/** Asks again whenever something that `ask` reads changes. The last answer stays until the next is here. */
export function resource<T>(ask: () => Promise<T> | undefined): Resource<T> {
  let data = $state.raw<T>();
  let error = $state.raw<Error>();
  let isLoading = $state(true);
  let turn = 0;
  const load = async (): Promise<void> => {
    const mine = ++turn;
    const answer = ask();
    if (!answer) {
      isLoading = false;
      return;
    }
    isLoading = true;
    try {
      const found = await answer;
      if (mine === turn) [data, error] = [found, undefined];
    } catch (problem) {
      if (mine === turn) error = problem instanceof Error ? problem : new Error(String(problem));
    } finally {
      if (mine === turn) isLoading = false;
    }
  };
  $effect(() => void load());
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

/** Questions to the person: what is about to be signed, in words, before any key is used. */

export interface Question {
  title: string;
  /** What, to whom, how much. */
  lines: [name: string, value: string][];
  /** What cannot be undone. */
  warning?: string;
  accept: string;
}

interface Open extends Question {
  answer: (accepted: boolean) => void;
}

export const asking = $state<{ open: Open | undefined; account: boolean }>({ open: undefined, account: false });

export function confirm(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    asking.open = {
      ...question,
      answer: (accepted) => {
        asking.open = undefined;
        resolve(accepted);
      },
    };
  });
}

/** Opens the choice of key or wallet. */
export const openAccount = (): void => void (asking.account = true);

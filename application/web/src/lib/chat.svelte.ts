/** A conversation with a model: tokens as they come, what they cost, and who was paid. */
import { type Model, Problem, api, ask } from "./api.ts";
import { decimal } from "./format.ts";
import { tryNow } from "./keys.ts";
import { events } from "./live.svelte.ts";

export interface Payee {
  kind: string;
  to?: string;
  owner?: string;
  asset?: number;
  amount_sahara: string;
}
export interface Receipt {
  id: string;
  state: "pending" | "settled";
  transaction: string | null;
  block: number | null;
  payees: Payee[];
  receipt: { class?: string };
  bundle: unknown;
}
export interface Bill {
  read: number;
  written: number;
  /** Decimal text; an estimate until the receipt is written. */
  cost: string;
  isFinal: boolean;
  receipt?: string;
  settled?: Receipt;
  /** From the last token to the claim's being final, milliseconds. */
  settledIn?: number;
}
export interface Turn {
  role: "user" | "assistant";
  content: string;
  model?: string;
  bill?: Bill;
  error?: unknown;
  isStreaming?: boolean;
}

interface Chunk {
  choices?: { delta?: { content?: string } }[];
  usage?: { prompt_tokens: number; completion_tokens: number; cost: string; receipt: string };
  error?: { message: string; code?: string };
}

/** Asks, and streams into `turn`. */
async function say(
  key: string,
  model: Model,
  history: readonly Turn[],
  turn: Turn,
  options: { signal: AbortSignal; most: number; estimate: (written: number) => string },
): Promise<void> {
  const messages = history.filter((one) => !one.error && one.content).map(({ role, content }) => ({ role, content }));
  const answer = await fetch("/v1/chat/completions", {
    method: "POST",
    signal: options.signal,
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({
      model: model.id,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: options.most,
    }),
  });
  if (!answer.ok || !answer.body) {
    const body = (await answer.json().catch(() => ({}))) as { error?: { message?: string; code?: string } };
    throw new Problem(body.error?.message ?? answer.statusText, body.error?.code ?? "", answer.status);
  }
  turn.bill = { read: 0, written: 0, cost: "0", isFinal: false };
  for await (const { data } of events(answer.body)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error) throw new Problem(chunk.error.message, chunk.error.code ?? "", 0);
    const text = chunk.choices?.[0]?.delta?.content;
    if (text) {
      turn.content += text;
      turn.bill.written += 1;
      turn.bill.cost = options.estimate(turn.bill.written);
    }
    if (chunk.usage) {
      const { prompt_tokens: read, completion_tokens: written, cost, receipt } = chunk.usage;
      Object.assign(turn.bill, { read, written, cost, receipt, isFinal: true });
    }
  }
}

/** Waits for the receipt to be settled: a second, usually. */
async function settle(key: string, bill: Bill): Promise<void> {
  if (!bill.receipt) return;
  const began = performance.now();
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await ask<Receipt>(`/v1/receipts/${bill.receipt}`, { headers: { authorization: `Bearer ${key}` } });
    if (found.state === "settled") {
      bill.settled = found;
      bill.settledIn = Math.round(performance.now() - began);
      return;
    }
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

/** What is asked of whom, at which price and how long at most. */
interface Question {
  model: Model;
  /** Base units for 1,000,000 tokens written. */
  price: bigint;
  most: number;
}

/** Questions and answers, one after another. */
export class Conversation {
  turns = $state<Turn[]>([]);
  /** A key or its allowance is on its way. */
  isPreparing = $state(false);
  /** Names of what the model was made from. */
  lineage = $state.raw<Map<number, string>>(new Map());
  #stop = $state.raw<AbortController>();

  get isBusy(): boolean {
    return this.#stop !== undefined;
  }

  stop(): void {
    this.#stop?.abort();
  }

  /** Asks, streams the answer, and follows the payment to its block. */
  async send(text: string, { model, price, most }: Question): Promise<void> {
    this.turns.push({ role: "user", content: text }, { role: "assistant", content: "", model: model.id, isStreaming: true });
    const turn = this.turns[this.turns.length - 1] as Turn;
    const history = this.turns.slice(0, -1);
    const mine = new AbortController();
    this.#stop = mine;
    void this.#learnNames(model.asset);
    const end = (): void => {
      turn.isStreaming = false;
      this.isPreparing = false;
      if (this.#stop === mine) this.#stop = undefined;
    };
    try {
      this.isPreparing = true;
      const key = await tryNow();
      this.isPreparing = false;
      const estimate = (count: number): string => decimal((price * BigInt(count)) / 1_000_000n);
      await say(key, model, history, turn, { signal: mine.signal, most, estimate });
      end();
      if (turn.bill) await settle(key, turn.bill);
    } catch (error) {
      if (!mine.signal.aborted) turn.error = error;
    } finally {
      end();
    }
  }

  async #learnNames(asset: number): Promise<void> {
    const detail = await api.asset(asset).catch(() => undefined);
    const all = detail ? [...detail.ancestors, detail] : [];
    this.lineage = new Map(all.map((one) => [one.asset, one.name ?? `#${one.asset}`]));
  }
}

/**
 * The chain as it grows: one stream of server-sent events for the whole page.
 *
 * Nothing is missed. The stream begins behind the block that the index had before the pages asked; one that broke
 * off goes on behind the last event that was heard, or, when too much happened meanwhile, anew from the head. Either
 * way `returns` counts, and whatever is shown is asked again.
 */
import { type Block, type ChainEvent, api } from "./api.ts";
import { pause } from "./patience.ts";

interface Live {
  head: number | undefined;
  /** Time of the head, Unix milliseconds. */
  time: number | undefined;
  /** Transactions of the last blocks, newest first. */
  recent: Block[];
  state: "connecting" | "live" | "lost";
  /** How often the stream came back after it was lost. */
  returns: number;
}

export const live = $state<Live>({ head: undefined, time: undefined, recent: [], state: "connecting", returns: 0 });

type Listener = (event: ChainEvent) => void;
const listeners = new Set<Listener>();
const KEPT = 40;
/** Missed blocks whose events are told one by one: a computer that slept for a night has thousands. */
const FAR = 200;
/** The server says something every 15 seconds, if only that it is there: silence for longer is a broken line. */
const SILENCE = 40_000;

/** Calls `listener` for every event of the chain until the answer is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const awaited = new Set<{ block: number; resolve: () => void }>();
/** Resolves when the index has read `block`: whoever asks it then is told of what is in it. */
export function reached(block: number): Promise<void> {
  if ((live.head ?? -1) >= block) return Promise.resolve();
  return new Promise((resolve) => awaited.add({ block, resolve }));
}

function moveTo(block: Pick<Block, "number" | "time">): void {
  [live.head, live.time] = [block.number, block.time];
  for (const one of awaited) {
    if (one.block > block.number) continue;
    awaited.delete(one);
    one.resolve();
  }
}

function onBlock(block: Block): void {
  // What was missed is told after the head that it led to.
  if (block.number >= (live.head ?? 0)) moveTo(block);
  live.recent = [block, ...live.recent].slice(0, KEPT);
}

/** Behind which event the stream begins, after the one that was heard last. */
async function placeAfter(last: string): Promise<string> {
  const [head] = (await api.blocks({ limit: 1 })).data;
  if (!head) return "";
  moveTo(head);
  const missed = head.number - Number.parseInt(last, 10);
  // Before 0 there was another chain.
  if (missed >= 0 && missed <= FAR) return last;
  live.recent = [];
  return String(head.number);
}

/** The bytes of an answer; `stop` is called when none came for too long. */
function watched(body: ReadableStream<Uint8Array>, stop: () => void): ReadableStream<Uint8Array> {
  let silence = setTimeout(stop, SILENCE);
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, to) {
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE);
        to.enqueue(bytes);
      },
      flush: () => clearTimeout(silence),
    }),
  );
}

/** Until there is a network again, or for so long. */
const rest = (milliseconds: number): Promise<void> =>
  new Promise((resume) => {
    const wake = (): void => {
      clearTimeout(timer);
      removeEventListener("online", wake);
      resume();
    };
    const timer = setTimeout(wake, milliseconds);
    addEventListener("online", wake);
  });

/** Reads the stream and resumes where it broke off; the server keeps every event. */
export async function followChain(): Promise<void> {
  let last = "";
  let failures = 0;
  for (;;) {
    const stop = new AbortController();
    try {
      last = await placeAfter(last);
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (last) headers["last-event-id"] = last;
      const answer = await fetch("/api/v1/events/live", { headers, signal: stop.signal });
      if (!answer.ok || !answer.body) throw new Error(answer.statusText);
      if (live.state === "lost") live.returns += 1;
      live.state = "live";
      failures = 0;
      for await (const { name, id, data } of events(watched(answer.body, () => stop.abort()))) {
        if (id) last = id;
        if (name === "block") onBlock(JSON.parse(data) as Block);
        else for (const listener of listeners) listener(JSON.parse(data) as ChainEvent);
      }
    } catch {
      // Below it is tried again.
    }
    stop.abort();
    live.state = "lost";
    await rest(pause(++failures));
  }
}

interface Message {
  name: string;
  id: string;
  data: string;
}

/** The messages of a stream of server-sent events. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    let end: number;
    while ((end = rest.search(/\r?\n\r?\n/)) >= 0) {
      const text = rest.slice(0, end);
      rest = rest.slice(end).replace(/^\r?\n\r?\n/, "");
      const message = { name: "message", id: "", data: "" };
      for (const line of text.split(/\r?\n/)) {
        const [, field, content = ""] = /^(\w*):? ?(.*)$/.exec(line) ?? [];
        if (field === "event") message.name = content;
        else if (field === "id") message.id = content;
        else if (field === "data") message.data += (message.data ? "\n" : "") + content;
      }
      if (message.data) yield message;
    }
  }
}

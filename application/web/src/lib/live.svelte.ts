/** The chain as it grows: one stream of server-sent events for the whole page. */
import { type Block, type ChainEvent, api } from "./api.ts";

interface Live {
  head: number | undefined;
  /** Time of the head, Unix milliseconds. */
  time: number | undefined;
  /** Transactions of the last blocks, newest first. */
  recent: Block[];
  state: "connecting" | "live" | "lost";
}

export const live = $state<Live>({ head: undefined, time: undefined, recent: [], state: "connecting" });

type Listener = (event: ChainEvent) => void;
const listeners = new Set<Listener>();
const KEPT = 40;

/** Calls `listener` for every event of the chain until the answer is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function onBlock(block: Block): void {
  live.head = block.number;
  live.time = block.time;
  live.state = "live";
  live.recent = [block, ...live.recent].slice(0, KEPT);
}

/** Where the chain is: the stream says it with the next block only, which an idle chain takes its time for. */
async function findHead(): Promise<void> {
  const { data } = await api.blocks({ limit: 1 });
  live.head ??= data[0]?.number;
  live.time ??= data[0]?.time;
}

/** Reads the stream and resumes where it broke off; the server keeps every event. */
export async function followChain(): Promise<void> {
  let last = "";
  // Whoever waits for it sees what the stream says.
  void findHead().catch(() => undefined);
  for (;;) {
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (last) headers["last-event-id"] = last;
      const answer = await fetch("/api/v1/events/live", { headers });
      if (!answer.ok || !answer.body) throw new Error(answer.statusText);
      live.state = "live";
      for await (const { name, id, data } of events(answer.body)) {
        if (id) last = id;
        if (name === "block") onBlock(JSON.parse(data) as Block);
        else for (const listener of listeners) listener(JSON.parse(data) as ChainEvent);
      }
    } catch {
      // Below it is tried again.
    }
    live.state = "lost";
    await new Promise((resume) => setTimeout(resume, 1_000));
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

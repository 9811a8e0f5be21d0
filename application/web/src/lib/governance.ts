/** Proposals as the chain has them, and what is coming. */
import type { Hex } from "viem";
import { type ChainEvent, type Decoded, type Page, ask, query } from "./api.ts";
import { decoded } from "./calls.ts";
import { addresses, read, revertInWords } from "./chain.ts";
import { rpc } from "./node.ts";

export interface Rules {
  delay: number;
  period: number;
  timelock: number;
  quorum: number;
  threshold: number;
  veto: number;
  deposit: bigint;
}
export interface Tally {
  against: bigint;
  inFavour: bigint;
  abstained: bigint;
  vetoed: bigint;
  all: bigint;
}
export interface Action {
  target: Hex;
  data: Hex;
  /** Protocol, function and arguments, where the interface is known; fields of structs have names of their own. */
  call: Decoded | undefined;
}
/** The chain tried to do what was decided, and was refused. */
export interface FailedExecution {
  /** Unix seconds. */
  at: number;
  /** In the protocol's own words; nothing where it gave none. */
  why: string;
}
export interface Proposal {
  id: bigint;
  proposer: Hex;
  title: string;
  text: string;
  actions: Action[];
  state: number;
  kind: number;
  rules: Rules;
  tally: Tally;
  /** Unix seconds. */
  begins: number;
  ends: number;
  /** When it may be executed; 0 before it is queued. */
  due: number;
  needsQueue: boolean;
  failed: FailedExecution | undefined;
  mine: { weight: bigint; hasVoted: boolean } | undefined;
  votes: { voter: string; support: number; weight: string; reason: string; transaction: string }[];
}

/** What the chain would say if governance made this call now: nothing where it would be done. */
export async function tried({ target, data }: Pick<Action, "target" | "data">): Promise<string> {
  try {
    await rpc("eth_call", [{ from: addresses.governance, to: target, data }, "latest"]);
    return "";
  } catch (error) {
    const found = (error as { data?: unknown }).data;
    return (typeof found === "string" && revertInWords(found as Hex)) || (error as Error).message;
  }
}

const argument = (event: ChainEvent, name: string): unknown => event.event?.arguments.find((one) => one.name === name)?.value;

/** Every event of governance that the index has; proposals are few. */
async function events(): Promise<ChainEvent[]> {
  const all: ChainEvent[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < 10; pages += 1) {
    const page: Page<ChainEvent> = await ask(query("/events", { protocol: "governance", limit: 100, cursor }));
    all.push(...page.data);
    cursor = page.next;
    if (!cursor) break;
  }
  return all;
}

async function proposal(event: ChainEvent, all: ChainEvent[], me: string | undefined): Promise<Proposal> {
  const id = BigInt(argument(event, "proposalId") as string);
  const ask = <T>(name: string): Promise<T> => read<T>("governance", name, [id]);
  const [state, kind, rules, tally, begins, ends, due, needsQueue, [failedAt, selector]] = await Promise.all([
    ask<number>("state"),
    ask<number>("proposalKind"),
    ask<Rules>("proposalRules"),
    ask<Tally>("tally"),
    ask<bigint>("proposalSnapshot"),
    ask<bigint>("proposalDeadline"),
    ask<bigint>("proposalEta"),
    ask<boolean>("proposalNeedsQueuing"),
    ask<[bigint, Hex]>("failedExecution"),
  ]);
  // The chain keeps the first bytes of the last refusal, its event all of them; the newest comes first.
  const refusal = all.find((one) => one.event?.name === "ExecutionFailed" && BigInt(argument(one, "proposalId") as string) === id);
  const said = refusal ? revertInWords(argument(refusal, "reason") as Hex) : "";
  const mine = me
    ? {
        weight: await read<bigint>("governance", "getVotes", [me, begins]).catch(() => 0n),
        hasVoted: await read<boolean>("governance", "hasVoted", [id, me]),
      }
    : undefined;
  const text = String(argument(event, "description") ?? "");
  const [head = "", ...rest] = text.split("\n");
  const targets = argument(event, "targets") as Hex[];
  const calls = argument(event, "calldatas") as Hex[];
  const votes = all
    .filter((one) => one.event?.name.startsWith("VoteCast") && BigInt(argument(one, "proposalId") as string) === id)
    .map((one) => ({
      voter: String(argument(one, "voter")),
      support: Number(argument(one, "support")),
      weight: String(argument(one, "weight")),
      reason: String(argument(one, "reason") ?? ""),
      transaction: one.transaction,
    }));
  return {
    id,
    proposer: argument(event, "proposer") as Hex,
    title: head.replace(/^#+\s*/, "").trim().slice(0, 200),
    text: rest.join("\n").trim(),
    actions: targets.map((target, index) => {
      const data = calls[index] ?? "0x";
      return { target, data, call: decoded(target, data) };
    }),
    state: Number(state),
    kind: Number(kind),
    rules,
    tally,
    begins: Number(begins),
    ends: Number(ends),
    due: Number(due),
    needsQueue,
    failed: failedAt ? { at: Number(failedAt), why: said || revertInWords(selector) || selector.replace(/^0x0+$/, "") } : undefined,
    mine,
    votes,
  };
}

/** The newest first. */
export async function proposals(me: string | undefined): Promise<Proposal[]> {
  const all = await events();
  const made = all.filter((one) => one.event?.name === "ProposalCreated").slice(0, 40);
  return Promise.all(made.map((one) => proposal(one, all, me)));
}

export interface Notice {
  /** Unix seconds. */
  at: number;
  what: string;
  href: string;
}

const stamp = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(/[-:]|\.\d{3}/g, "");

/** A calendar that every calendar program reads (RFC 5545). What is in it are strangers' texts: escaped, one line each. */
export function calendar(notices: Notice[], origin: string): string {
  const escaped = (text: string): string => text.replace(/[\\;,]/g, "\\$&").replace(/\s+/g, " ").slice(0, 60);
  const entries = notices.map(({ at, what, href }, index) =>
    ["BEGIN:VEVENT", `UID:${at}-${index}@sahara`, `DTSTAMP:${stamp(at)}`, `DTSTART:${stamp(at)}`, `SUMMARY:${escaped(what)}`, `URL:${origin}${href}`, "END:VEVENT"].join("\r\n"),
  );
  return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sahara//Governance//EN", ...entries, "END:VCALENDAR", ""].join("\r\n");
}

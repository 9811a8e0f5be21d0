/** Validators and stake as the chain has them, and what the index remembers of rewards and faults. */
import { type ChainEvent, type Page, ask, query } from "./api.ts";
import { decimal } from "./format.ts";

export type Account = `0x${string}`;

interface Validator {
  stake: bigint;
  commission: number;
  delegators: number;
  slashes: number;
  jailedUntil: bigint;
  isJailed: boolean;
  isTombstoned: boolean;
  isLeaving: boolean;
}
export interface Row extends Validator {
  account: Account;
  seats: number;
  mine: { value: bigint; earned: bigint } | undefined;
  unbonding: { amount: bigint; createdAt: bigint; completesAt: bigint }[];
  /** Stake that came over and still answers for another validator's faults. */
  arrived: { source: Account; maturesAt: bigint }[];
}
export interface Parameters {
  epoch: number;
  unbonding: number;
  doubleSignSlash: number;
  downtimeSlash: number;
  seats: number;
}

export async function staking(me: Account | undefined): Promise<{ rows: Row[]; parameters: Parameters }> {
  // The rest of this file asks the index only.
  const { read } = await import("./chain.ts");
  const [[accounts], parameters, seats] = await Promise.all([
    read<[Account[], bigint]>("staking", "validators", [0n, 100n]),
    read<Parameters>("staking", "parameters"),
    read<[Account[], number[]]>("staking", "nextSeats").catch(() => [[], []] as [Account[], number[]]),
  ]);
  const rows = await Promise.all(
    accounts.map(async (account): Promise<Row> => {
      const [validator, mine, unbonding, arrived] = await Promise.all([
        read<Validator>("staking", "validator", [account]),
        me ? read<{ value: bigint; earned: bigint }>("staking", "delegation", [me, account]) : undefined,
        me ? read<Row["unbonding"]>("staking", "unbondings", [me, account]) : [],
        me ? read<Row["arrived"]>("staking", "redelegations", [me, account]) : [],
      ]);
      return { ...validator, account, mine, unbonding, arrived, seats: seats[1][seats[0].indexOf(account)] ?? 0 };
    }),
  );
  return { rows: rows.sort((a, b) => (a.stake < b.stake ? 1 : -1)), parameters };
}

const value = (event: ChainEvent, name: string): string => String(event.event?.arguments.find((one) => one.name === name)?.value ?? "");
const named = async (event: string, limit: number): Promise<ChainEvent[]> =>
  (await ask<Page<ChainEvent>>(query("/events", { protocol: "staking", event, limit }))).data;

/** What delegators of each validator were credited, and in how many seconds. */
export interface Pace {
  seconds: number;
  earned: Map<string, bigint>;
}

/** The pace of rewards, from the last hundred of them. */
export async function pace(now: number): Promise<Pace> {
  const all = await named("Rewarded", 100);
  const earned = new Map<string, bigint>();
  for (const one of all) {
    const who = value(one, "validator").toLowerCase();
    earned.set(who, (earned.get(who) ?? 0n) + BigInt(value(one, "amount")));
  }
  const oldest = all.at(-1)?.time ?? now;
  return { seconds: Math.max(1, Math.round((now - oldest) / 1_000)), earned };
}

const YEAR = 365n * 86_400n;

/** What `amount` behind a validator would be credited in `seconds`, if its fees went on as they did. */
export function estimate(row: Pick<Row, "account" | "stake">, seen: Pace, amount: bigint, seconds: bigint): bigint {
  const all = seen.earned.get(row.account.toLowerCase()) ?? 0n;
  const behind = row.stake + amount;
  return behind ? (all * amount * seconds) / behind / BigInt(seen.seconds) : 0n;
}

/** A year's part of what is staked, as a ratio. */
export function yearly(row: Pick<Row, "account" | "stake">, seen: Pace): number {
  const all = seen.earned.get(row.account.toLowerCase()) ?? 0n;
  return row.stake ? Number((all * YEAR * 10n ** 12n) / row.stake / BigInt(seen.seconds)) / 1e12 : 0;
}

export interface Reward {
  time: number;
  block: number;
  transaction: string;
  validator: string;
  amount: bigint;
}

/** What staking credited to an account, newest first; at most as many events as ten pages hold. */
export async function rewards(account: Account): Promise<Reward[]> {
  const found: Reward[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 10; pages += 1) {
    const page: Page<ChainEvent> = await ask<Page<ChainEvent>>(query("/events", { account, limit: 100, cursor }));
    for (const one of page.data) {
      if (one.event?.protocol !== "staking" || one.event.name !== "Paid" || value(one, "delegator").toLowerCase() !== account.toLowerCase()) continue;
      found.push({ time: one.time, block: one.block, transaction: one.transaction, validator: value(one, "validator"), amount: BigInt(value(one, "amount")) });
    }
    cursor = page.next;
    if (!cursor) break;
  }
  return found;
}

/** Comma-separated values: numbers, times and hexadecimal only, so nothing needs quotes. */
export const csv = (rows: Reward[]): string =>
  `${["time,block,transaction,validator,amount_sahara,amount_base_units", ...rows.map((one) => [new Date(one.time).toISOString(), one.block, one.transaction, one.validator, decimal(one.amount), one.amount].join(","))].join("\r\n")}\r\n`;

export interface Fault {
  time: number;
  transaction: string;
  validator: string;
  kind: string;
  /** Of a slash. */
  amount: bigint | undefined;
  ratio: number | undefined;
}

/** Slashes and what came of them, newest first. */
export async function faults(): Promise<Fault[]> {
  const pages = await Promise.all(["Slashed", "Jailed", "Unjailed", "Tombstoned"].map((name) => named(name, 50)));
  return pages
    .flat()
    .sort((a, b) => b.block - a.block || b.log_index - a.log_index)
    .map((one) => {
      const isSlash = one.event?.name === "Slashed";
      return {
        time: one.time,
        transaction: one.transaction,
        validator: value(one, "validator"),
        kind: one.event?.name ?? "",
        amount: isSlash ? BigInt(value(one, "amount")) : undefined,
        ratio: isSlash ? Number(value(one, "ratio")) : undefined,
      };
    });
}

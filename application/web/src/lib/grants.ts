/** Programmes that a vote gave coin of the incentive pool, and the grants that they pay by milestones. */
import { keccak256, toHex } from "viem";
import { type Hex, read } from "./chain.ts";

export interface Programme {
  id: bigint;
  manager: Hex;
  /** Unix seconds. */
  endsAt: bigint;
  isClosed: boolean;
  budget: bigint;
  left: bigint;
}
export interface Grant {
  id: bigint;
  programme: bigint;
  grantee: Hex;
  reviewer: Hex;
  state: number;
  milestones: number;
  paid: number;
  /** When the next milestone was delivered; 0 while it is not. */
  deliveredAt: bigint;
  total: bigint;
  plan: { amount: bigint; dueAt: bigint }[];
  /** Who approves it. */
  manager: Hex | undefined;
}

/** Of each, the newest that are shown. */
const MOST = 40n;
const newest = (count: bigint): bigint[] => Array.from({ length: Number(count < MOST ? count : MOST) }, (_, index) => count - BigInt(index));

async function grantOf(id: bigint): Promise<Omit<Grant, "manager">> {
  const found = await read<Omit<Grant, "id" | "plan" | "manager">>("incentives", "grant", [id]);
  const places = Array.from({ length: found.milestones }, (_, index) => index);
  const plan = await Promise.all(places.map((index) => read<Grant["plan"][number]>("incentives", "milestone", [id, index])));
  return { ...found, id, plan };
}

/** All of it, the newest first. */
export async function awards(): Promise<{ programmes: Programme[]; grants: Grant[]; unassigned: bigint }> {
  const [[programmes, grants], unassigned] = await Promise.all([read<[bigint, bigint, bigint, bigint]>("incentives", "counts"), read<bigint>("incentives", "unassigned")]);
  const [open, given] = await Promise.all([
    Promise.all(newest(programmes).map(async (id): Promise<Programme> => ({ ...(await read<Omit<Programme, "id">>("incentives", "programme", [id])), id }))),
    Promise.all(newest(grants).map(grantOf)),
  ]);
  const managers = new Map(open.map((one) => [one.id, one.manager]));
  return { programmes: open, grants: given.map((one) => ({ ...one, manager: managers.get(one.programme) })), unassigned };
}

/** What stands on chain of a text: its hash. */
export const hashed = (text: string): Hex => keccak256(toHex(text));

import {
  type Abi,
  type AbiFunction,
  type Account,
  type Address,
  type Chain,
  type Client,
  type Hex,
  type Transport,
  encodeAbiParameters,
  getAbiItem,
  toFunctionSignature,
} from "viem";
import { readContract, writeContract } from "viem/actions";
import * as generated from "./generated.js";
import type { Intent } from "./messages.js";

/** A protocol by its name. */
export type ProtocolName = keyof typeof generated.addresses;

/** What an account wants done; the chain says which functions it may name (`actions`). */
export interface Wish {
  account: Address;
  protocol: ProtocolName;
  functionName: string;
  args: readonly unknown[];
  /** A number that the account never used: `freeNonce`. */
  nonce: bigint;
  /** The most that the account pays, out of what the action yields. */
  maxFee: bigint;
  /** The first second at which it is too late. */
  validUntil: bigint;
  /** Who alone may bring it; anybody by default. */
  relayer?: Address;
  /** Coin of the account that goes with the call. */
  value?: bigint;
}

/** The intent of a wish, for `signIntent`. */
export function intentOf(wish: Wish): Intent {
  const abi = (generated as unknown as Record<string, Abi>)[`${wish.protocol}Abi`];
  const item = getAbiItem({ abi, name: wish.functionName, args: wish.args } as never) as AbiFunction | undefined;
  if (item === undefined) throw new Error(`${wish.protocol} has no function ${wish.functionName}`);
  return {
    account: wish.account,
    action: `${wish.protocol}.${toFunctionSignature(item)}`,
    arguments: encodeAbiParameters(item.inputs, wish.args as never),
    value: wish.value ?? 0n,
    maxFee: wish.maxFee,
    relayer: wish.relayer ?? "0x0000000000000000000000000000000000000000",
    nonce: wish.nonce,
    validUntil: wish.validUntil,
  };
}

const intents = { address: generated.addresses.intents, abi: generated.intentsAbi } as const;

/** The lowest nonce that an account has not used for an intent. */
export async function freeNonce(client: Client<Transport, Chain>, account: Address): Promise<bigint> {
  for (let word = 0n; ; word += 1n) {
    const used = await readContract(client, { ...intents, functionName: "nonceBitmap", args: [account, word] });
    for (let bit = 0n; bit < 256n; bit += 1n) {
      if (((used >> bit) & 1n) === 0n) return word * 256n + bit;
    }
  }
}

/** Brings what an account signed; the sender pays the gas and is repaid out of what the action yields. */
export function relay(client: Client<Transport, Chain, Account>, intent: Intent, signature: Hex): Promise<Hex> {
  return writeContract(client, {
    ...intents, functionName: "relay", args: [intent, signature], chain: client.chain, account: client.account,
  });
}

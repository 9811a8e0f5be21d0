import {
  type Account,
  type Address,
  type Chain,
  type Client,
  type ContractFunctionArgs,
  type Hex,
  type Transport,
  parseEventLogs,
  zeroAddress,
} from "viem";
import { getBlockNumber, getTransactionReceipt, readContract, waitForTransactionReceipt } from "viem/actions";
import { addresses, assetsAbi, channelsAbi, coinAbi, royaltiesAbi, workersAbi } from "./generated.js";

type Reader = Client<Transport, Chain | undefined, Account | undefined>;

/** A parent, and how the child uses it. */
export type Edge = ContractFunctionArgs<typeof assetsAbi, "view", "preview">[0][number];

/** What is earned, in base units. */
export interface Earnings {
  /** The block that it was read at. */
  block: bigint;
  /** Earned and not yet credited; exact in this block. */
  waiting: bigint;
  /** The account's balance, `waiting` not included. */
  balance: bigint;
}

/** Reads for `client.extend(saharaReads)`. Amounts are base units: `formatEther` writes SAHARA. */
export function saharaReads(client: Reader) {
  const assets = { address: addresses.assets, abi: assetsAbi } as const;
  const royalties = { address: addresses.royalties, abi: royaltiesAbi } as const;
  const channels = { address: addresses.channels, abi: channelsAbi } as const;
  const workers = { address: addresses.workers, abi: workersAbi } as const;
  const coin = { address: addresses.coin, abi: coinAbi } as const;
  return {
    /** How many assets are registered; ids run from 1 to this number. */
    assetCount: () => readContract(client, { ...assets, functionName: "assetCount" }),
    /** What was fixed at registration, and the prices. */
    asset: (asset: bigint) => readContract(client, { ...assets, functionName: "asset", args: [asset] }),
    /** Who owns the asset now. */
    ownerOf: (asset: bigint) => readContract(client, { ...assets, functionName: "ownerOf", args: [asset] }),
    /** The parents that the asset names. */
    edges: (asset: bigint) => readContract(client, { ...assets, functionName: "edges", args: [asset] }),
    /** Everyone in its lineage that takes a part of its income, in basis points. */
    ancestors: (asset: bigint) => readContract(client, { ...assets, functionName: "ancestors", args: [asset] }),
    /** Who would get what of `amount`, before anything is linked; and the basis points left for descendants. */
    async preview(edges: readonly Edge[], derivativeRoyalty: number, amount: bigint) {
      const args = [edges, derivativeRoyalty, amount] as const;
      const [parts, room] = await readContract(client, { ...assets, functionName: "preview", args });
      return { parts, room };
    },
    /** What an account earned and holds, both of one block. */
    async earnings(account: Address): Promise<Earnings> {
      const block = await getBlockNumber(client, { cacheTime: 0 });
      const at = { args: [account], blockNumber: block } as const;
      const [waiting, balance] = await Promise.all([
        readContract(client, { ...royalties, functionName: "earned", ...at }),
        readContract(client, { ...coin, functionName: "balanceOf", ...at }),
      ]);
      return { block, waiting, balance };
    },
    /** The pool of an asset with members; all zero where the owner alone earns. */
    pool: (asset: bigint) => readContract(client, { ...royalties, functionName: "pool", args: [asset] }),
    /** The payer's free deposit: what gateways may still set aside. */
    depositOf: (payer: Address) => readContract(client, { ...channels, functionName: "depositOf", args: [payer] }),
    /** A payment channel by its id. */
    channel: (id: Hex) => readContract(client, { ...channels, functionName: "channel", args: [id] }),
    /** Workers that serve an asset. */
    async workersOf(asset: bigint, start = 0n, count = 100n) {
      const [found, total] = await readContract(client, {
        ...workers,
        functionName: "workersOf",
        args: [asset, start, count],
      });
      return { workers: found, total };
    },
    /** The id that a registration's transaction gave its asset; waits until it is final. */
    async registeredAsset(hash: Hex): Promise<bigint> {
      const receipt = await waitForTransactionReceipt(client, { hash, pollingInterval: 50 });
      if (receipt.status !== "success") throw new Error(`transaction ${hash} was reverted: no asset was registered`);
      const logs = parseEventLogs({ abi: assetsAbi, eventName: "Registered", logs: receipt.logs });
      const log = logs.find((found) => found.address.toLowerCase() === addresses.assets.toLowerCase());
      if (!log) throw new Error(`transaction ${hash} registered no asset`);
      return log.args.asset;
    },
    /** What a finished transaction paid to whom, from the protocols' own events. */
    async payments(hash: Hex) {
      const receipt = await getTransactionReceipt(client, { hash });
      const own = receipt.logs.filter((log) => log.address.toLowerCase() === addresses.royalties.toLowerCase());
      const paid = parseEventLogs({ abi: royaltiesAbi, eventName: "Paid", logs: own });
      return paid.flatMap(({ args }) =>
        args.parts.map(({ asset, account, amount }) => ({
          asset,
          source: args.asset,
          amount,
          /** Who was credited at once; `undefined` where the pool has members. */
          account: account === zeroAddress ? undefined : account,
        })),
      );
    },
  };
}

import {
  type Account,
  type Address,
  type Chain,
  type Client,
  type ContractFunctionArgs,
  type Hex,
  type Transport,
  type WriteContractParameters,
} from "viem";
import { writeContract } from "viem/actions";
import { addresses, assetsAbi, channelsAbi, royaltiesAbi } from "./generated.js";

type Writer = Client<Transport, Chain, Account>;

/** Everything that is fixed when an asset is registered, and its first prices. */
export type Registration = ContractFunctionArgs<typeof assetsAbi, "nonpayable", "register">[0];

/** Transactions for `client.extend(saharaWrites)`; each answers its hash at once. */
export function saharaWrites(client: Writer) {
  const assets = { address: addresses.assets, abi: assetsAbi } as const;
  const channels = { address: addresses.channels, abi: channelsAbi } as const;
  const royalties = { address: addresses.royalties, abi: royaltiesAbi } as const;
  const send = (call: unknown): Promise<Hex> =>
    writeContract(client, { chain: client.chain, account: client.account, ...(call as object) } as WriteContractParameters);
  return {
    /** Registers an asset owned by the sender; `registeredAsset(hash)` gives its id. */
    registerAsset: (registration: Registration) =>
      send({ ...assets, functionName: "register", args: [registration] }),
    /** Changes prices of later requests: base units per 1,000,000 tokens read and written. */
    setPrices: (asset: bigint, input: bigint, output: bigint) =>
      send({ ...assets, functionName: "setPrices", args: [asset, input, output] }),
    /** Moves an asset and its future income; the past is settled first. */
    transferAsset: (asset: bigint, to: Address) =>
      send({ ...assets, functionName: "transferFrom", args: [client.account.address, to, asset] }),
    /** Pays for the use of an asset: everyone in its lineage is paid in this transaction. */
    payForUse: (asset: bigint, amount: bigint) =>
      send({ ...royalties, functionName: "pay", args: [asset], value: amount }),
    /** Credits an account with what it earned in these pools; anyone may. */
    settle: (account: Address, pools: readonly bigint[]) =>
      send({ ...royalties, functionName: "settle", args: [account, pools] }),
    /** Adds coin to a payer's free deposit. */
    fund: (payer: Address, amount: bigint) =>
      send({ ...channels, functionName: "fund", args: [payer], value: amount }),
    /** Takes coin out of the sender's free deposit. */
    withdraw: (amount: bigint) => send({ ...channels, functionName: "withdraw", args: [amount] }),
  };
}

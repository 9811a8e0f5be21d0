/**
 * Everything that needs a chain library: signing, sending, and reading what the index does not hold.
 * Loaded when a wallet or the browser's key is used, never before.
 */
import * as generated from "@generated";
import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  type Hex,
  type TypedDataDomain,
  createPublicClient,
  createWalletClient,
  custom,
  decodeErrorResult,
  decodeFunctionData,
  defineChain,
  isHex,
  keccak256,
  toHex,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { type Network, Problem, networkOnce, post } from "./api.ts";
import { reached } from "./live.svelte.ts";

export type { Address, Hex };
export { keccak256, toHex };
export const { addresses, messageTypes, domains } = generated;

export const abis = {
  coin: generated.coinAbi,
  assets: generated.assetsAbi,
  royalties: generated.royaltiesAbi,
  channels: generated.channelsAbi,
  workers: generated.workersAbi,
  licenses: generated.licensesAbi,
  market: generated.marketAbi,
  staking: generated.stakingAbi,
  vesting: generated.vestingAbi,
  system: generated.systemAbi,
  contributions: generated.contributionsAbi,
  validators: generated.validatorsAbi,
  governance: generated.governanceAbi,
  incentives: generated.incentivesAbi,
  disputes: generated.disputesAbi,
  intents: generated.intentsAbi,
} as const satisfies Record<string, Abi>;

export type Protocol = keyof typeof abis;

/** A wallet's side of EIP-1193. */
export interface Provider {
  request(call: { method: string; params?: unknown }): Promise<unknown>;
  on?(event: string, listener: (value: never) => void): void;
}

/** One call of a protocol. */
export interface Call {
  protocol: Protocol;
  name: string;
  args: readonly unknown[];
  value?: bigint;
}

let asked = 0;
const node: Provider = {
  async request({ method, params }) {
    asked += 1;
    const answer = await post<{ result?: unknown; error?: { code: number; message: string; data?: unknown } }>("/app/rpc", {
      jsonrpc: "2.0",
      id: asked,
      method,
      params: params ?? [],
    });
    if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.result;
  },
};

const chainOf = (network: Network) =>
  defineChain({
    id: network.chain_id,
    name: "Sahara",
    nativeCurrency: { name: "Sahara", symbol: "SAHARA", decimals: 18 },
    rpcUrls: { default: { http: [network.rpc] } },
  });

const reader = createPublicClient({ transport: custom(node, { retryCount: 0 }), pollingInterval: 200 });

// viem's own types follow each interface; here names come from pages, and the chain checks them.
type Loose = { address: Address; abi: Abi; functionName: string; args: readonly unknown[] };
const loose = ({ protocol, name, args }: Call): Loose => ({
  address: addresses[protocol],
  abi: abis[protocol] as Abi,
  functionName: name,
  args,
});

export const read = async <T>(protocol: Protocol, name: string, args: readonly unknown[] = []): Promise<T> => {
  try {
    return (await reader.readContract(loose({ protocol, name, args }))) as T;
  } catch (error) {
    throw inWords(error);
  }
};

export const balance = (account: Address): Promise<bigint> => reader.getBalance({ address: account });

/** What acts for a person. */
export interface Signer {
  address: Address;
  send(call: Call): Promise<Hex>;
  transfer(to: Address, value: bigint, data?: Hex): Promise<Hex>;
  sign(domain: keyof typeof domains, primaryType: keyof typeof messageTypes, message: Record<string, unknown>): Promise<Hex>;
  say(text: string): Promise<Hex>;
}

/** EIP-7825: the most gas a transaction may ask for. */
const MOST_GAS = 1n << 24n;
/**
 * Gas for what was estimated at this block: at its own, a price has fallen and the rest is paid back, or somebody was
 * quicker and more is written. What is not used is not paid.
 */
function withRoom(estimate: bigint): bigint {
  const wanted = estimate + estimate / 5n;
  return wanted < MOST_GAS ? wanted : estimate;
}

async function signerOf(provider: Provider, account: ReturnType<typeof privateKeyToAccount> | Address): Promise<Signer> {
  const network = await networkOnce();
  const client = createWalletClient({ account, chain: chainOf(network), transport: custom(provider, { retryCount: 0 }) });
  const address = typeof account === "string" ? account : account.address;
  return {
    address,
    async send(call) {
      // Asked first without sending: a refusal costs nothing and says why.
      const { value } = call;
      const worth = value === undefined ? {} : { value };
      try {
        await reader.simulateContract({ ...loose(call), account: address, ...worth });
        const gas = withRoom(await reader.estimateContractGas({ ...loose(call), account: address, ...worth }));
        return await client.writeContract({ ...loose(call), ...worth, gas });
      } catch (error) {
        throw inWords(error);
      }
    },
    async transfer(to, value, data) {
      try {
        if (!data) return await client.sendTransaction({ to, value });
        const gas = withRoom(await reader.estimateGas({ account: address, to, value, data }));
        return await client.sendTransaction({ to, value, data, gas });
      } catch (error) {
        throw inWords(error);
      }
    },
    async sign(domain, primaryType, message) {
      const types = { [primaryType]: messageTypes[primaryType], ...(primaryType === "Listing" ? { Item: messageTypes.Item } : {}) };
      try {
        return await client.signTypedData({
          domain: { ...domains[domain], chainId: network.chain_id } as TypedDataDomain,
          types: types as Record<string, readonly { name: string; type: string }[]>,
          primaryType: primaryType as string,
          message,
        });
      } catch (error) {
        throw inWords(error);
      }
    },
    say: (text) => client.signMessage({ message: text }),
  };
}

export const newSecret = (): Hex => generatePrivateKey();
export const isSecret = (text: string): text is Hex => isHex(text) && text.length === 66;
export const addressOf = (secret: Hex): Address => privateKeyToAccount(secret).address;
export const browserSigner = (secret: Hex): Promise<Signer> => signerOf(node, privateKeyToAccount(secret));
export const walletSigner = (provider: Provider, account: Address): Promise<Signer> => signerOf(provider, account);

/** Waits until a transaction is final and the index tells of it, and says whether it held. */
export async function final(hash: Hex): Promise<void> {
  const receipt = await reader.waitForTransactionReceipt({ hash, pollingInterval: 150 });
  if (receipt.status !== "success") throw new Problem(`transaction ${hash} was reverted`, "reverted", 0);
  await reached(Number(receipt.blockNumber));
}

/** The logs of a final transaction. */
export const logsOf = async (hash: Hex) => (await reader.getTransactionReceipt({ hash })).logs;

/** The function that a protocol was called with, by its interface; none for what is not known. */
export function callInWords(to: string, input: Hex): string {
  const name = Object.entries(addresses).find(([, address]) => address.toLowerCase() === to.toLowerCase())?.[0];
  if (!name || !(name in abis)) return "";
  try {
    return decodeFunctionData({ abi: abis[name as Protocol] as Abi, data: input }).functionName;
  } catch {
    return "";
  }
}

/** What a refusal's data says, by the interfaces' own errors. */
export function revertInWords(data: Hex): string {
  for (const abi of Object.values(abis)) {
    try {
      const { errorName, args } = decodeErrorResult({ abi: abi as Abi, data });
      return `${errorName}(${(args ?? []).map(String).join(", ")})`;
    } catch {
      // Another interface's.
    }
  }
  return "";
}

/** An error with a code that pages have words for: a wallet's, a protocol's, or the library's shortest. */
function inWords(error: unknown): Error {
  let at: unknown = error;
  while (at && typeof at === "object") {
    const code = (at as { code?: unknown }).code;
    if (code === 4001) return new Problem("refused in the wallet", "refused", 0);
    if (code === -32002) return new Problem("the wallet has a question open already", "pending", 0);
    // What the page itself found out, inside of what the library made of it.
    if (at instanceof Problem) return at;
    at = (at as { cause?: unknown }).cause;
  }
  if (error instanceof BaseError) {
    const revert = error.walk((one) => one instanceof ContractFunctionRevertedError);
    if (revert instanceof ContractFunctionRevertedError) {
      const name = revert.data?.errorName ?? "reverted";
      const args = revert.data?.args?.map(String).join(", ") ?? revert.reason ?? "";
      return new Problem(args ? `${name}(${args})` : name, name, 0);
    }
    // The node's words, the library's, and those that wallets make of them.
    if (/insufficient funds|exceeds (the|transaction sender account) balance/i.test(`${error.shortMessage} ${error.details}`)) return new Problem(error.shortMessage, "funds", 0);
    return new Problem(error.shortMessage, "chain", 0);
  }
  return error instanceof Error ? error : new Error(String(error));
}

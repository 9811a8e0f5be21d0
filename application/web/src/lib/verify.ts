/**
 * A receipt checked by the browser itself: every hash is made again, every signature recovered, from
 * the answer's text down to the block that paid, the validators' certificate included (`certificate.ts`).
 * Trusted is the hash of block 0; the node is asked besides whether that block is its own.
 */
import {
  type Hex,
  concat,
  decodeEventLog,
  fromRlp,
  hashStruct,
  hexToNumber,
  keccak256,
  numberToHex,
  recoverAddress,
  stringToBytes,
  toHex,
  toRlp,
} from "viem";
import { addresses, channelsAbi } from "@generated";
import type { Chain } from "./certificate.ts";
import type { Key } from "./i18n.svelte.ts";
import { networkOnce } from "./api.ts";
import { rpc } from "./node.ts";

interface Prices {
  input: string;
  output: string;
}
export interface UsageReceipt {
  chain_id: number;
  channel: Hex;
  seq: number;
  request_hash: Hex;
  asset: number;
  license: number;
  worker: Hex;
  model_root: Hex;
  class: string;
  usage: { prompt_tokens: number; completion_tokens: number };
  worker_prices: Prices;
  asset_prices: Prices;
  output_hash: Hex;
  bill: { worker: Hex; asset: Hex; protocol_fee: Hex; gateway_fee: Hex };
  cumulative: Hex;
  cumulative_worker: Hex;
  cumulative_asset: Hex;
  previous: Hex;
}
interface Opening {
  request: {
    method: string;
    url: string;
    bodyHash: Hex;
    asset: number;
    purpose: number;
    workerPrices: Prices;
    assetPrices: Prices;
    requestId: Hex;
    salt: Hex;
  };
  text: string;
}
export interface Bundle {
  receipt: UsageReceipt;
  gateway: Hex;
  gatewaySignature: Hex;
  workerSignature: Hex;
  inclusion: { index: number; leaves: number; siblings: Hex[] };
  logIndex: number;
  chain: Chain & {
    transactionIndex: number;
    receipt: Hex;
    receiptProof: Hex[];
  };
  opening?: Opening;
}

/** One link of the chain of reasons. */
export interface Step {
  name: Key;
  isGood: boolean;
  /** What was computed, to compare by eye. */
  shown: string;
}

const bytes = (value: number | bigint | Hex, size: number): Hex => numberToHex(BigInt(value), { size });

/** keccak-256 under a named domain, every part preceded by its length: `primitives::domain_hash`. */
function domainHash(domain: string, parts: Hex[]): Hex {
  const name = stringToBytes(domain);
  const all: Hex[] = [bytes(name.length, 1), toHex(name)];
  for (const part of parts) all.push(bytes((part.length - 2) / 2, 8), part);
  return keccak256(concat(all));
}

const priced = (prices: Prices): Hex => concat([bytes(BigInt(prices.input), 16), bytes(BigInt(prices.output), 16)]);

export const receiptHash = (one: UsageReceipt): Hex =>
  domainHash("sahara/receipt/2", [
    bytes(one.chain_id, 8),
    one.channel,
    bytes(one.seq, 4),
    one.request_hash,
    bytes(one.asset, 8),
    bytes(one.license, 8),
    one.worker,
    one.model_root,
    bytes(one.class === "D1" ? 1 : 255, 1),
    bytes(one.usage.prompt_tokens, 4),
    bytes(one.usage.completion_tokens, 4),
    priced(one.worker_prices),
    priced(one.asset_prices),
    one.output_hash,
    ...[one.bill.worker, one.bill.asset, one.bill.protocol_fee, one.bill.gateway_fee].map((amount) => bytes(amount, 32)),
    ...[one.cumulative, one.cumulative_worker, one.cumulative_asset].map((amount) => bytes(amount, 32)),
    one.previous,
  ]);

/** The root that a leaf at its place leads to; none when the proof is not used up exactly. */
function merkleRoot(leaf: Hex, { index, leaves, siblings }: Bundle["inclusion"]): Hex | undefined {
  if (index >= leaves) return undefined;
  let [place, width, used] = [index, leaves, 0];
  let top = domainHash("sahara/merkle/leaf/1", [leaf]);
  while (width > 1) {
    if ((place ^ 1) < width) {
      const sibling = siblings[used++];
      if (!sibling) return undefined;
      top = domainHash("sahara/merkle/node/1", place % 2 === 0 ? [top, sibling] : [sibling, top]);
    }
    place = Math.floor(place / 2);
    width = Math.ceil(width / 2);
  }
  return used === siblings.length ? domainHash("sahara/merkle/root/1", [bytes(leaves, 8), top]) : undefined;
}

type Node = Hex | Node[];

/** The value under `key` of a Merkle-Patricia trie, by the nodes from its root down; none when they do not lead there. */
function underRoot(root: Hex, key: Hex, nodes: Hex[]): Hex | undefined {
  let path = key.slice(2);
  let expected: Node = root;
  for (const raw of nodes) {
    const isHash = typeof expected === "string" && expected.length === 66;
    if (isHash ? keccak256(raw) !== expected : toRlp(expected as Hex) !== raw) return undefined;
    const node: Node = fromRlp(raw) as Node;
    if (!Array.isArray(node)) return undefined;
    if (node.length === 17) {
      if (path === "") return node[16] as Hex;
      expected = node[parseInt(path.charAt(0), 16)] as Node;
      path = path.slice(1);
    } else {
      const coded = (node[0] as Hex).slice(2);
      const flag = parseInt(coded.charAt(0), 16);
      const part = flag % 2 === 1 ? coded.slice(1) : coded.slice(2);
      if (!path.startsWith(part)) return undefined;
      path = path.slice(part.length);
      if (flag >= 2) return path === "" ? (node[1] as Hex) : undefined;
      expected = node[1] as Node;
    }
  }
  return undefined;
}

const REQUEST = {
  Request: [
    { name: "method", type: "string" },
    { name: "url", type: "string" },
    { name: "bodyHash", type: "bytes32" },
    { name: "asset", type: "uint64" },
    { name: "purpose", type: "uint8" },
    { name: "workerInput", type: "uint128" },
    { name: "workerOutput", type: "uint128" },
    { name: "assetInput", type: "uint128" },
    { name: "assetOutput", type: "uint128" },
    { name: "requestId", type: "bytes32" },
    { name: "salt", type: "bytes32" },
  ],
} as const;
const OUTPUT = {
  Output: [
    { name: "requestHash", type: "bytes32" },
    { name: "text", type: "string" },
    { name: "salt", type: "bytes32" },
  ],
} as const;

function opened(opening: Opening): { request: Hex; output: Hex } {
  const { workerPrices, assetPrices, asset, ...rest } = opening.request;
  const data = {
    ...rest,
    asset: BigInt(asset),
    workerInput: BigInt(workerPrices.input),
    workerOutput: BigInt(workerPrices.output),
    assetInput: BigInt(assetPrices.input),
    assetOutput: BigInt(assetPrices.output),
  };
  const request = hashStruct({ types: REQUEST, primaryType: "Request", data });
  const output = hashStruct({ types: OUTPUT, primaryType: "Output", data: { requestHash: request, text: opening.text, salt: rest.salt } });
  return { request, output };
}

/** Tokens times prices for 1,000,000, rounded up once. */
const charge = (prices: Prices, { prompt_tokens: read, completion_tokens: written }: UsageReceipt["usage"]): bigint =>
  (BigInt(prices.input) * BigInt(read) + BigInt(prices.output) * BigInt(written) + 999_999n) / 1_000_000n;

const same = (one: string | undefined, other: string | undefined): boolean => one !== undefined && one.toLowerCase() === other?.toLowerCase();

async function signedBy(hash: Hex, signature: Hex): Promise<string | undefined> {
  return recoverAddress({ hash, signature }).catch(() => undefined);
}

/** The claim's own words in the log, and whether the log is where the bundle says. */
function claimOf(bundle: Bundle, receiptsRoot: Hex): { root?: Hex; isThere: boolean } {
  const { chain } = bundle;
  const key = toRlp(chain.transactionIndex === 0 ? "0x" : numberToHex(chain.transactionIndex));
  const isThere = underRoot(receiptsRoot, key, chain.receiptProof) === chain.receipt;
  const body = fromRlp(`0x${chain.receipt.slice(4)}`) as Node[];
  const [emitter, topics, data] = ((body[3] as Node[])[bundle.logIndex] ?? []) as [Hex, Hex[], Hex];
  if (!same(emitter, addresses.channels)) return { isThere: false };
  const { eventName, args } = decodeEventLog({ abi: channelsAbi, data, topics: topics as [Hex, ...Hex[]] });
  if (eventName !== "Collected") return { isThere: false };
  const { channelId, gateway, seqFrom, seqTo, receiptsRoot: root } = args;
  const { seq, channel } = bundle.receipt;
  const isPlaced = bundle.inclusion.index === seq - seqFrom && bundle.inclusion.leaves === seqTo - seqFrom;
  return { root, isThere: isThere && isPlaced && same(channelId, channel) && same(gateway, bundle.gateway) };
}

/** Every link, from what was said to the block that paid; it goes on after a bad one, so that all are shown. */
export async function verify(bundle: Bundle): Promise<Step[]> {
  const { receipt, chain, opening } = bundle;
  const steps: Step[] = [];
  const step = (name: Key, isGood: boolean, shown: string): void => void steps.push({ name, isGood, shown });
  if (opening) {
    const found = opened(opening);
    step("verify.request", found.request === receipt.request_hash, found.request);
    step("verify.answer", found.output === receipt.output_hash, found.output);
  }
  const isBill = charge(receipt.worker_prices, receipt.usage) === BigInt(receipt.bill.worker) && charge(receipt.asset_prices, receipt.usage) === BigInt(receipt.bill.asset);
  step("verify.bill", isBill, `${receipt.usage.prompt_tokens} + ${receipt.usage.completion_tokens}`);
  const hash = receiptHash(receipt);
  for (const [name, signature, wanted] of [
    ["verify.worker", bundle.workerSignature, receipt.worker],
    ["verify.gateway", bundle.gatewaySignature, bundle.gateway],
  ] as const) {
    const signer = await signedBy(hash, signature);
    step(name, same(signer, wanted), signer ?? "");
  }
  step("verify.hash", true, hash);
  const header = fromRlp(chain.header) as Hex[];
  const { root, isThere } = claimOf(bundle, header[5] as Hex);
  const reached = merkleRoot(hash, bundle.inclusion);
  step("verify.place", reached !== undefined && reached === root, reached ?? "");
  step("verify.log", isThere, `${header[5]}`);
  const block = keccak256(chain.header);
  const number = hexToNumber((header[8] as Hex) === "0x" ? "0x0" : (header[8] as Hex));
  const known = (await rpc("eth_getBlockByNumber", [numberToHex(number), false])) as { hash: Hex } | null;
  step("verify.block", same(known?.hash, block), block);
  const genesis = keccak256(chain.genesisHeader);
  const network = await networkOnce();
  const { finalised, isGenesis } = await import("./certificate.ts");
  const quorum = finalised(chain);
  step("verify.quorum", quorum.isGood && isGenesis(chain), `${quorum.signers} / ${quorum.validators}`);
  step("verify.genesis", same(genesis, network.genesis_hash) && chain.chainId === network.chain_id && receipt.chain_id === chain.chainId, genesis);
  return steps;
}

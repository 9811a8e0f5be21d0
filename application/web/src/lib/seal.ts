/**
 * Whether a block is final, found out by this browser: the validators' certificate is asked of the node, and every
 * signature and every handover from block 0 on is checked (`certificate`). Trusted is the hash of block 0 alone.
 */
import { type Hex, fromRlp, keccak256, numberToHex } from "viem";
import type { Block } from "./api.ts";
import { networkOnce } from "./api.ts";
import { type Chain, type Validator, finalised, isGenesis } from "./certificate.ts";
import { rpc } from "./node.ts";

/** As `sahara_getCertificate` answers. */
interface Finality {
  header: Hex;
  path: Hex[];
  certificate: Hex | null;
}

export interface Verdict {
  /** `first` is block 0, which nobody signs; `waiting` has no certificate yet. */
  kind: "whole" | "broken" | "waiting" | "first";
  signers: number;
  validators: number;
  /** The hash of block 0. */
  trusted: Hex;
}

type Handovers = NonNullable<Chain["handovers"]>;

/** Places among a header's fields. */
const PARENT = 0;
const NUMBER = 8;
const GAS_USED = 10;

function numberIn(header: Hex, place: number): number {
  const field = (fromRlp(header) as Hex[])[place];
  return field === "0x" ? 0 : Number(field);
}

/** Whether a header is of the block that the page shows. */
function isOf(header: Hex, block: Block): boolean {
  const parent = (fromRlp(header) as Hex[])[PARENT];
  const isSame = numberIn(header, NUMBER) === block.number && numberIn(header, GAS_USED) === block.gas_used && parent === block.parent_hash.toLowerCase();
  return isSame && keccak256(header) === block.hash.toLowerCase();
}

function holds(chain: Chain, block: Block, trusted: Hex): Pick<Verdict, "kind" | "signers" | "validators"> {
  try {
    const { isGood, signers, validators } = finalised(chain);
    const isWhole = isGood && isGenesis(chain) && keccak256(chain.genesisHeader) === trusted && isOf(chain.header, block);
    return { kind: isWhole ? "whole" : "broken", signers, validators };
  } catch {
    // What cannot be read proves nothing.
    return { kind: "broken", signers: 0, validators: 0 };
  }
}

/** All ends of epochs after which others validate, page by page: the next begins above the last one's block. */
async function handedOver(): Promise<Handovers> {
  const all: Handovers = [];
  for (;;) {
    const last = all.at(-1);
    const above = last && numberIn(last.header, NUMBER);
    const page = (await rpc("sahara_getHandovers", above === undefined ? [] : [numberToHex(above)])) as Handovers;
    const next = page[0];
    // A node that answers the same again is not asked for ever.
    if (!next || (above !== undefined && numberIn(next.header, NUMBER) <= above)) return all;
    all.push(...page);
  }
}

export async function sealed(block: Block): Promise<Verdict> {
  const { chain_id: chainId, genesis_hash } = await networkOnce();
  const trusted = genesis_hash.toLowerCase() as Hex;
  if (block.number === 0) return { kind: block.hash.toLowerCase() === trusted ? "first" : "broken", signers: 0, validators: 0, trusted };
  const [finality, first, { validators }, handovers] = (await Promise.all([
    rpc("sahara_getCertificate", [numberToHex(block.number)]),
    rpc("sahara_getCertificate", ["earliest"]),
    rpc("sahara_getValidators", ["0x0"]),
    handedOver(),
  ])) as [Finality | null, Finality, { validators: Validator[] }, Handovers];
  if (!finality?.certificate) return { kind: "waiting", signers: 0, validators: 0, trusted };
  const { header, path, certificate } = finality;
  const chain = { chainId, genesisHeader: first.header, validators, handovers, header, descendants: path, certificate };
  return { ...holds(chain, block, trusted), trusted };
}

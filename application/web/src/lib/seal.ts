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

/** Places among a header's fields. */
const PARENT = 0;
const NUMBER = 8;
const GAS_USED = 10;

/** Whether a header is of the block that the page shows. */
function isOf(header: Hex, block: Block): boolean {
  const fields = fromRlp(header) as Hex[];
  const number = (place: number): number => (fields[place] === "0x" ? 0 : Number(fields[place]));
  const isSame = number(NUMBER) === block.number && number(GAS_USED) === block.gas_used && fields[PARENT] === block.parent_hash.toLowerCase();
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

export async function sealed(block: Block): Promise<Verdict> {
  const { chain_id: chainId, genesis_hash } = await networkOnce();
  const trusted = genesis_hash.toLowerCase() as Hex;
  if (block.number === 0) return { kind: block.hash.toLowerCase() === trusted ? "first" : "broken", signers: 0, validators: 0, trusted };
  const [finality, first, { validators }, handovers] = (await Promise.all([
    rpc("sahara_getCertificate", [numberToHex(block.number)]),
    rpc("sahara_getCertificate", ["earliest"]),
    rpc("sahara_getValidators", ["0x0"]),
    rpc("sahara_getHandovers", []),
  ])) as [Finality | null, Finality, { validators: Validator[] }, NonNullable<Chain["handovers"]>];
  if (!finality?.certificate) return { kind: "waiting", signers: 0, validators: 0, trusted };
  const { header, path, certificate } = finality;
  const chain = { chainId, genesisHeader: first.header, validators, handovers, header, descendants: path, certificate };
  return { ...holds(chain, block, trusted), trusted };
}

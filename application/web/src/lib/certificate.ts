/**
 * Whether a quorum of the validators made a block final: what `sahara receipt verify` does (`transaction/finality`),
 * in the browser. Trusted is the hash of block 0 and nothing else. Loaded only where something is checked.
 */
import { bls12_381 } from "@noble/curves/bls12-381";
import { type Hex, concat, fromRlp, hexToBytes, hexToNumber, keccak256, numberToHex, stringToHex, toRlp } from "viem";

export interface Validator {
  networkKey: Hex;
  consensusKey: Hex;
  possession: Hex;
  feeAddress: Hex;
  address?: string;
}
/** The end of an epoch after which other validators follow. */
interface Handover {
  header: Hex;
  seal: Hex;
  certificate: Hex;
  validators: Validator[];
}
export interface Chain {
  chainId: number;
  genesisHeader: Hex;
  validators: Validator[];
  handovers?: Handover[];
  header: Hex;
  descendants?: Hex[];
  certificate: Hex;
}
export interface Quorum {
  isGood: boolean;
  signers: number;
  validators: number;
}

/** The place of the extra data among a header's fields, and of the parent's hash. */
const EXTRA = 12;
const PARENT = 0;
/** Of an epoch's last seal, which names who follows. */
const CLOSING = "0x02";
const MESSAGE_DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

const field = (header: Hex, place: number): Hex => (fromRlp(header) as Hex[])[place] as Hex;
const small = (value: number): Hex => (value ? numberToHex(value) : "0x");

const setHash = (validators: Validator[]): Hex =>
  keccak256(
    concat([
      stringToHex("SAHARA_VALIDATORS"),
      toRlp(validators.map((one) => [one.networkKey, one.consensusKey, one.possession, one.feeAddress, one.address ? stringToHex(one.address) : "0x"])),
    ]),
  );

/** A number of seven bits a byte, the lowest first, and how many bytes it took. */
function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let index = at; index < bytes.length && index < at + 7; index += 1) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (index - at));
    if (byte < 0x80) return [value, index + 1];
  }
  throw new Error("a number that does not end");
}

interface Certificate {
  epoch: number;
  /** What was signed: round, parent and the block's hash. */
  proposal: Uint8Array;
  block: Hex;
  signers: number[];
  signature: Uint8Array;
}

function read(certificate: Hex, seats: number): Certificate {
  const bytes = hexToBytes(certificate);
  const [epoch, afterEpoch] = varint(bytes, 0);
  const [, afterView] = varint(bytes, afterEpoch);
  const [, afterParent] = varint(bytes, afterView);
  const end = afterParent + 32;
  const count = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(end);
  const bits = bytes.slice(end + 8, end + 8 + Math.ceil(seats / 8));
  const signature = bytes.slice(end + 8 + bits.length);
  if (count !== BigInt(seats) || signature.length !== 48) throw new Error("a certificate of another set");
  const signers = Array.from({ length: seats }, (_, seat) => seat).filter((seat) => ((bits[seat >> 3] ?? 0) >> (seat & 7)) & 1);
  const block = `0x${[...bytes.slice(afterParent, end)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}` as Hex;
  return { epoch, proposal: bytes.slice(0, end), block, signers, signature };
}

/** Whether more than two thirds of the seats signed that `block` is final. */
function certified(chain: Pick<Chain, "chainId" | "genesisHeader">, validators: Validator[], block: Hex, certificate: Hex): Quorum & { epoch: number } {
  const found = read(certificate, validators.length);
  const quorum = validators.length - Math.floor((validators.length - 1) / 3);
  const namespace = hexToBytes(concat([stringToHex("SAHARA_CONSENSUS"), numberToHex(chain.chainId, { size: 8 }), keccak256(chain.genesisHeader), stringToHex("_FINALIZE")]));
  // The namespace has fewer than 128 bytes: its length is one.
  const message = new Uint8Array([namespace.length, ...namespace, ...found.proposal]);
  const { ProjectivePoint } = bls12_381.G2;
  const [first, ...rest] = found.signers.map((seat) => ProjectivePoint.fromHex(hexToBytes((validators[seat] as Validator).consensusKey)));
  const key = first && rest.reduce((sum, one) => sum.add(one), first);
  const isSigned = key !== undefined && bls12_381.verifyShortSignature(found.signature, message, key, { DST: MESSAGE_DOMAIN });
  return { isGood: isSigned && found.block === block && found.signers.length >= quorum, signers: found.signers.length, validators: validators.length, epoch: found.epoch };
}

/** Whether block 0 names the first validators. */
export const isGenesis = (chain: Chain): boolean =>
  field(chain.genesisHeader, EXTRA) === keccak256(toRlp(["0x", small(chain.chainId), setHash(chain.validators)]));

/** The validators of each epoch, by the first of their epochs; throws where an end of an epoch does not hold. */
function sets(chain: Chain): Map<number, Validator[]> {
  const known = new Map([[0, chain.validators]]);
  for (const { header, seal, certificate, validators } of chain.handovers ?? []) {
    const { isGood, epoch } = certified(chain, of(known, certificate), keccak256(header), certificate);
    const fields = fromRlp(seal) as Hex[];
    const names = fields[0] === CLOSING && hexToNumber(fields[1] === "0x" ? "0x0" : (fields[1] as Hex)) === epoch && fields.at(-1) === setHash(validators);
    if (!isGood || !names || field(header, EXTRA) !== keccak256(seal)) throw new Error("an epoch does not hand over to these validators");
    known.set(epoch + 1, validators);
  }
  return known;
}

/** Who signs in a certificate's epoch: the last set that began not after it. */
function of(known: Map<number, Validator[]>, certificate: Hex): Validator[] {
  const [epoch] = varint(hexToBytes(certificate), 0);
  const first = Math.max(...[...known.keys()].filter((one) => one <= epoch));
  return known.get(first) ?? [];
}

/** Whether the header is final, by its own certificate or through headers above it. */
export function finalised(chain: Chain): Quorum {
  try {
    let tip = keccak256(chain.header);
    for (const next of chain.descendants ?? []) {
      if (field(next, PARENT) !== tip) throw new Error("a header does not name the one before it");
      tip = keccak256(next);
    }
    return certified(chain, of(sets(chain), chain.certificate), tip, chain.certificate);
  } catch {
    return { isGood: false, signers: 0, validators: chain.validators.length };
  }
}

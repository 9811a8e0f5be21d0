/** Hashes of files, in the browser: the content never leaves it. */
import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

export type Algorithm = "blake3" | "keccak256";
const PIECE = 1 << 20;

/** Reads piece by piece, so that a file of any size needs little memory and the page stays alive. */
export async function hashOf(file: Blob, algorithm: Algorithm, progress: (part: number) => void): Promise<`0x${string}`> {
  const hasher = algorithm === "blake3" ? blake3.create() : keccak_256.create();
  for (let at = 0; at < file.size; at += PIECE) {
    hasher.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    progress(Math.min(1, (at + PIECE) / file.size));
  }
  progress(1);
  return `0x${bytesToHex(hasher.digest())}`;
}

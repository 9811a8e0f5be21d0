import { type Address, type Hex, concatHex, keccak256, numberToHex, size, stringToHex, zeroAddress } from "viem";

/** What one contributor holds of an asset. */
export interface Contribution {
  contributor: Address;
  units: bigint;
}

/** A node of the tree: what is below it, and the units of all of it. */
export interface SumNode {
  hash: Hex;
  sum: bigint;
}

/** What is committed of a list. */
export interface SumRoot {
  root: Hex;
  units: bigint;
  count: number;
}

/** A contribution and its proof, as `activateContributions` takes them. */
export interface Activation {
  index: number;
  contributor: Address;
  units: bigint;
  proof: readonly SumNode[];
}

const bound = 1n << 96n;
const number = (value: bigint | number, bytes: number): Hex => numberToHex(value, { size: bytes });

/** Every part with its length, under a domain: two different lists of parts never meet. */
function domainHash(domain: string, parts: readonly Hex[]): Hex {
  const framed = parts.flatMap((part) => [number(size(part), 8), part]);
  return keccak256(concatHex([number(domain.length, 1), stringToHex(domain), ...framed]));
}

function above(left: SumNode, right: SumNode): SumNode {
  const sum = left.sum + right.sum;
  if (sum >= bound) throw new Error("the contributions' units exceed 96 bits");
  const parts = [left.hash, number(left.sum, 16), right.hash, number(right.sum, 16)];
  return { hash: domainHash("sahara/contribution/node/1", parts), sum };
}

/** The Merkle-sum tree over a list of contributions: one root for up to 16,777,216 of them. */
export class ContributionTree {
  readonly root: SumRoot;
  readonly #levels: SumNode[][];

  constructor(readonly contributions: readonly Contribution[]) {
    if (contributions.length === 0 || contributions.length > 1 << 24) {
      throw new Error(`expected 1 to ${1 << 24} contributions, not ${contributions.length}`);
    }
    let level = contributions.map(({ contributor, units }, index): SumNode => {
      if (units <= 0n || units >= bound || contributor === zeroAddress) {
        throw new Error(`contribution ${index} needs a contributor and at least one unit, of 96 bits`);
      }
      const parts = [number(index, 4), contributor, number(units, 16)];
      return { hash: domainHash("sahara/contribution/leaf/1", parts), sum: units };
    });
    this.#levels = [level];
    while (level.length > 1) {
      const next: SumNode[] = [];
      for (let place = 0; place < level.length; place += 2) {
        const [left, right] = [level[place]!, level[place + 1]];
        next.push(right === undefined ? left : above(left, right));
      }
      level = next;
      this.#levels.push(level);
    }
    const { hash, sum } = level[0]!;
    const parts = [number(contributions.length, 4), number(sum, 16), hash];
    this.root = { root: domainHash("sahara/contribution/root/1", parts), units: sum, count: contributions.length };
  }

  /** The contribution at a place, from 0, with its proof. */
  activation(index: number): Activation {
    const contribution = this.contributions[index];
    if (contribution === undefined) throw new Error(`there is no contribution ${index}: expected 0 to ${this.root.count - 1}`);
    const proof: SumNode[] = [];
    let place = index;
    for (const level of this.#levels) {
      const sibling = level[place ^ 1];
      if (sibling !== undefined) proof.push(sibling);
      place >>= 1;
    }
    return { index, ...contribution, proof };
  }
}

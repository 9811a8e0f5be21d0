import {
  type Account,
  type Address,
  type Chain,
  type Client,
  type ContractFunctionReturnType,
  type Hex,
  type Transport,
  type WriteContractParameters,
  parseEventLogs,
  zeroAddress,
} from "viem";
import { readContract, waitForTransactionReceipt, writeContract } from "viem/actions";
import type { Activation, SumRoot } from "./contributions.js";
import { addresses, assetsAbi, contributionsAbi, licensesAbi, marketAbi, royaltiesAbi } from "./generated.js";
import type { Listing } from "./messages.js";

type Reader = Client<Transport, Chain | undefined, Account | undefined>;
type Writer = Client<Transport, Chain, Account>;

/** Terms of licences; they never change, and their id is their hash. */
export type Terms = ContractFunctionReturnType<typeof licensesAbi, "view", "terms">;

/** What terms grant, one bit each. */
export const Purpose = { inference: 1, training: 2, derivative: 4, commercial: 8 } as const;

/** What the market sells. */
export type Thing = { asset: bigint } | { license: bigint };

/** A purchase of a licence. */
export interface LicensePurchase {
  asset: bigint;
  terms: Hex;
  /** Uses, tokens, seats, periods or durations: what the pricing counts. */
  quantity: number;
  /** Who gets the licence. */
  holder: Address;
  /** Who gets its first seat; the zero address leaves it free. */
  user: Address;
}

/** A purchase from a listing. */
export interface ListingPurchase {
  listing: Listing;
  /** The seller's signature; `0x` for a published listing. */
  signature: Hex;
  /** By default the buyer. */
  recipient?: Address;
  /** Who brought the buyer. */
  referrer?: Address;
}

const licenses = { address: addresses.licenses, abi: licensesAbi } as const;
const market = { address: addresses.market, abi: marketAbi } as const;
const contributions = { address: addresses.contributions, abi: contributionsAbi } as const;
const assets = { address: addresses.assets, abi: assetsAbi } as const;
const royalties = { address: addresses.royalties, abi: royaltiesAbi } as const;

/** The contract and the token of a thing. */
function token(thing: Thing): { collection: Address; tokenId: bigint } {
  return "asset" in thing
    ? { collection: addresses.assets, tokenId: thing.asset }
    : { collection: addresses.licenses, tokenId: thing.license };
}

async function licenseQuote(client: Reader, terms: Hex, quantity: number) {
  const [price, fee] = await readContract(client, { ...licenses, functionName: "quote", args: [terms, quantity] });
  return { price, fee, total: price + fee };
}

async function listingQuote(client: Reader, listing: Listing) {
  const [price, fee] = await readContract(client, { ...market, functionName: "quote", args: [listing] });
  return { price, fee, total: price + fee };
}

/** Licences, market and contributions for `client.extend(saharaEconomyReads)`. Amounts are base units. */
export function saharaEconomyReads(client: Reader) {
  return {
    /** A template's terms at a price (0 for the free ones), as the asset's derivative royalty asks. */
    termsTemplate: (template: number, price: bigint, derivativeRoyalty: number) =>
      readContract(client, { ...licenses, functionName: "template", args: [template, price, derivativeRoyalty] }),
    /** The id that terms have or would have. */
    termsId: (terms: Terms) => readContract(client, { ...licenses, functionName: "termsId", args: [terms] }),
    /** What a licence costs now: the price, and the protocol fee on top. */
    licenseQuote: (terms: Hex, quantity = 1) => licenseQuote(client, terms, quantity),
    /** Whether an account may use an asset for a sum of purposes (`Purpose`), and what is missing (`Missing`). */
    async canUse(account: Address, asset: bigint, purpose: number) {
      const args = [account, asset, purpose] as const;
      const [isAllowed, license, missing] = await readContract(client, { ...licenses, functionName: "canUse", args });
      return { isAllowed, license, missing };
    },
    /** A licence: holder, end, uses, seats. */
    license: (license: bigint) => readContract(client, { ...licenses, functionName: "license", args: [license] }),
    /** The licence that a purchase's transaction issued; waits until it is final. */
    async boughtLicense(hash: Hex): Promise<bigint> {
      const receipt = await waitForTransactionReceipt(client, { hash, pollingInterval: 50 });
      if (receipt.status !== "success") throw new Error(`transaction ${hash} was reverted: no licence was issued`);
      const own = receipt.logs.filter((log) => log.address.toLowerCase() === addresses.licenses.toLowerCase());
      const log = parseEventLogs({ abi: licensesAbi, eventName: "Issued", logs: own })[0];
      if (!log) throw new Error(`transaction ${hash} issued no licence`);
      return log.args.license;
    },
    /** An item for a listing, committed to the state in which the thing is now. */
    async listingItem(thing: Thing, price: bigint, endPrice = price) {
      const { collection, tokenId } = token(thing);
      const state = await readContract(client, { ...market, functionName: "stateOf", args: [collection, tokenId] });
      return { collection, tokenId, price, endPrice, state };
    },
    /** What a listing costs now: the price, and the protocol fee on top. */
    listingQuote: (listing: Listing) => listingQuote(client, listing),
    /** What an asset is committed to, and how much of it is active. */
    commitment: (asset: bigint) => readContract(client, { ...contributions, functionName: "commitment", args: [asset] }),
    /** What an account holds of its pools and earned in them. */
    async statement(account: Address, start = 0n, count = 100n) {
      const args = [account, start, count] as const;
      const [statements, total] = await readContract(client, { ...royalties, functionName: "statement", args });
      return { statements, total };
    },
  };
}

/** Licences, market and contributions for `client.extend(saharaEconomyWrites)`; each answers its transaction's hash at once. */
export function saharaEconomyWrites(client: Writer) {
  const send = (call: unknown): Promise<Hex> =>
    writeContract(client, { chain: client.chain, account: client.account, ...(call as object) } as WriteContractParameters);
  return {
    /** Registers terms; again without effect. */
    registerTerms: (terms: Terms) => send({ ...licenses, functionName: "registerTerms", args: [terms] }),
    /** Offers licences of the sender's asset: from the first offer on, using it needs a right. */
    offerTerms: (asset: bigint, terms: Hex) => send({ ...licenses, functionName: "offer", args: [asset, terms] }),
    /** Ends an offer for future sales and renewals. */
    withdrawTerms: (asset: bigint, terms: Hex) =>
      send({ ...licenses, functionName: "withdrawOffer", args: [asset, terms] }),
    /** Buys a licence for exactly what it costs. */
    async buyLicense(purchase: LicensePurchase): Promise<Hex> {
      const { total } = await licenseQuote(client, purchase.terms, purchase.quantity);
      return send({ ...licenses, functionName: "buy", args: [purchase], value: total });
    },
    /** Gives an account a seat in a licence of the sender. */
    assignSeat: (license: bigint, account: Address) =>
      send({ ...licenses, functionName: "assignSeat", args: [license, account] }),
    /** Lets the market move one thing of the sender, which a sale needs. */
    letMarketMove: (thing: Thing) => {
      const { collection, tokenId } = token(thing);
      return send({ ...assets, address: collection, functionName: "approve", args: [addresses.market, tokenId] });
    },
    /** Buys what a listing sells for at most what it costs now; what a falling price asks less comes back. */
    async buyListing({ listing, signature, recipient, referrer }: ListingPurchase): Promise<Hex> {
      const { total } = await listingQuote(client, listing);
      const args = [listing, signature, recipient ?? client.account.address, referrer ?? zeroAddress];
      return send({ ...market, functionName: "buy", args, value: total });
    },
    /** Takes back the sender's listings with this nonce. */
    cancelListing: (nonce: bigint) => send({ ...market, functionName: "cancel", args: [nonce] }),
    /** Returns an unused licence within its time. */
    returnLicense: (sale: bigint) => send({ ...market, functionName: "returnLicense", args: [sale] }),
    /** Commits an open asset of the sender to its contributors, once. */
    commitContributions: (asset: bigint, { root, units, count }: SumRoot) =>
      send({ ...contributions, functionName: "commit", args: [asset, root, units, count] }),
    /** Makes an open asset's members final; from then on it earns. */
    sealAsset: (asset: bigint) => send({ ...assets, functionName: "seal", args: [asset] }),
    /** Makes contributors members and pays what they earned so far; anyone may, for anyone. */
    activateContributions: (asset: bigint, activations: readonly Activation[]) =>
      send({ ...contributions, functionName: "activate", args: [asset, activations] }),
  };
}

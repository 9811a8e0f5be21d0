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

async function renewalQuote(client: Reader, license: bigint, quantity: number) {
  const [price, fee] = await readContract(client, { ...licenses, functionName: "renewalQuote", args: [license, quantity] });
  return { price, fee, total: price + fee };
}

/** What waits on chain with an offer or a bid: the price, and the market's fee, rounded down, on top. */
async function bidQuote(client: Reader, price: bigint) {
  const points = await readContract(client, { ...market, functionName: "protocolFee" });
  const fee = (price * BigInt(points)) / 10_000n;
  return { price, fee, total: price + fee };
}

/** A thing and the state in which it is now, to which listings, offers and auctions commit. */
async function standing(client: Reader, thing: Thing) {
  const { collection, tokenId } = token(thing);
  const state = await readContract(client, { ...market, functionName: "stateOf", args: [collection, tokenId] });
  return { collection, tokenId, state };
}

/** What a protocol logged in a transaction; waits until it is final. `nothing` says what did not happen if it failed. */
async function ownLogs(client: Reader, hash: Hex, protocol: Address, nothing: string) {
  const receipt = await waitForTransactionReceipt(client, { hash, pollingInterval: 50 });
  if (receipt.status !== "success") throw new Error(`transaction ${hash} was reverted: ${nothing}`);
  return receipt.logs.filter((log) => log.address.toLowerCase() === protocol.toLowerCase());
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
      const logs = await ownLogs(client, hash, addresses.licenses, "no licence was issued");
      const log = parseEventLogs({ abi: licensesAbi, eventName: "Issued", logs })[0];
      if (!log) throw new Error(`transaction ${hash} issued no licence`);
      return log.args.license;
    },
    /** An item for a listing, committed to the state in which the thing is now. */
    async listingItem(thing: Thing, price: bigint, endPrice = price) {
      const { collection, tokenId, state } = await standing(client, thing);
      return { collection, tokenId, price, endPrice, state };
    },
    /** What more of a licence costs now: periods, durations or uses, as its pricing counts. */
    renewalQuote: (license: bigint, quantity = 1) => renewalQuote(client, license, quantity),
    /** What waits on chain with an offer or a bid of a price: the price, and the market's fee on top. */
    bidQuote: (price: bigint) => bidQuote(client, price),
    /** An offer that waits: by whom, for what, how much, until when. */
    offer: (offer: bigint) => readContract(client, { ...market, functionName: "offer", args: [offer] }),
    /** The number of the offer that a transaction made; waits until it is final. */
    async madeOffer(hash: Hex): Promise<bigint> {
      const logs = await ownLogs(client, hash, addresses.market, "no offer was made");
      const log = parseEventLogs({ abi: marketAbi, eventName: "Offered", logs })[0];
      if (!log) throw new Error(`transaction ${hash} made no offer`);
      return log.args.offer;
    },
    /** An auction that runs: what, by whom, the best bid so far. */
    auction: (auction: bigint) => readContract(client, { ...market, functionName: "auction", args: [auction] }),
    /** The least price that is bid next. */
    leastBid: (auction: bigint) => readContract(client, { ...market, functionName: "leastBid", args: [auction] }),
    /** The number of the auction that a transaction opened; waits until it is final. */
    async openedAuction(hash: Hex): Promise<bigint> {
      const logs = await ownLogs(client, hash, addresses.market, "no auction was opened");
      const log = parseEventLogs({ abi: marketAbi, eventName: "AuctionOpened", logs })[0];
      if (!log) throw new Error(`transaction ${hash} opened no auction`);
      return log.args.auction;
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
    /** Pays for more of a licence, whoever holds it: periods, durations or uses, for exactly what they cost. */
    async renewLicense(license: bigint, quantity = 1): Promise<Hex> {
      const { total } = await renewalQuote(client, license, quantity);
      return send({ ...licenses, functionName: "renew", args: [license, quantity], value: total });
    },
    /** Takes a seat back, once its use window is over. */
    freeSeat: (license: bigint, account: Address) =>
      send({ ...licenses, functionName: "freeSeat", args: [license, account] }),
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
    /** Offers a price for a thing as it stands now, whether it is for sale or not; the coin waits until `endsAt`, in seconds. */
    async makeOffer(thing: Thing, price: bigint, endsAt: bigint): Promise<Hex> {
      const [{ collection, tokenId, state }, { total }] = await Promise.all([standing(client, thing), bidQuote(client, price)]);
      return send({ ...market, functionName: "makeOffer", args: [collection, tokenId, price, endsAt, state], value: total });
    },
    /** Sells to whom made an offer, which needs no leave for the market. */
    acceptOffer: (offer: bigint) => send({ ...market, functionName: "acceptOffer", args: [offer] }),
    /** Takes an offer of the sender back with its coin; anyone gives one back that has ended. */
    cancelOffer: (offer: bigint) => send({ ...market, functionName: "cancelOffer", args: [offer] }),
    /** Puts a thing of the sender up as it stands now; the market must be let move it. Bids are taken until `endsAt`, in seconds. */
    async openAuction(thing: Thing, reserve: bigint, endsAt: bigint): Promise<Hex> {
      const { collection, tokenId, state } = await standing(client, thing);
      return send({ ...market, functionName: "openAuction", args: [collection, tokenId, reserve, endsAt, state] });
    },
    /** Bids a price, by default the least that is possible; whoever is outbid is paid back at once. */
    async bid(auction: bigint, price?: bigint): Promise<Hex> {
      const least = { ...market, functionName: "leastBid", args: [auction] } as const;
      const { price: bidden, total } = await bidQuote(client, price ?? (await readContract(client, least)));
      return send({ ...market, functionName: "bid", args: [auction, bidden], value: total });
    },
    /** After its end: the thing to the best bid, or the bid back. Anyone may. */
    settleAuction: (auction: bigint) => send({ ...market, functionName: "settleAuction", args: [auction] }),
    /** Ends an auction of the sender that nobody bid in. */
    cancelAuction: (auction: bigint) => send({ ...market, functionName: "cancelAuction", args: [auction] }),
    /** Pays a sale out whose time for returning is over. Anyone may. */
    releaseSale: (sale: bigint) => send({ ...market, functionName: "release", args: [sale] }),
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

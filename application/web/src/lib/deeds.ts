/**
 * What people do on the chain. Each deed is shown in words first, asked of the chain without sending,
 * then signed, then waited for until it is final and the index tells of it.
 */
import { type AssetDetail, type ChainEvent, type Market, type Terms, ask, query } from "./api.ts";
import { confirm } from "./ask.svelte.ts";
import { type Call, type Hex, addresses, final, logsOf, read } from "./chain.ts";
import { coin, decimal, number, rupiah, time } from "./format.ts";
import { t } from "./i18n.svelte.ts";
import { type ApiKey, acting, dropKey, grantOf } from "./keys.ts";
import { span } from "./measures.ts";
import { session } from "./session.svelte.ts";

export const ZERO = "0x0000000000000000000000000000000000000000";
const NONE = `0x${"0".repeat(64)}` as Hex;

export const money = (units: bigint): string => {
  const text = decimal(units);
  const local = rupiah(text);
  return `${coin(text, 18)} SAHARA${local ? ` (≈ ${local})` : ""}`;
};

interface Deed {
  title: string;
  lines: [string, string][];
  warning?: string;
  accept: string;
  call: Call;
}

/** Asks, sends and waits: pages that ask the index afterwards see what was done. None when the person thought better of it. */
export async function act(deed: Deed): Promise<Hex | undefined> {
  const signer = await acting();
  const { title, lines, warning, accept, call } = deed;
  const from: [string, string] = [t("tx.from"), signer.address];
  if (!(await confirm({ title, lines: [...lines, from], accept, ...(warning ? { warning } : {}) }))) return undefined;
  const hash = await signer.send(call);
  await final(hash);
  return hash;
}

/** Whole seconds of the chain's last block, and so many later. */
export const later = (seconds: number): bigint => BigInt(Math.floor(Date.now() / 1_000) + seconds);

/** What the market takes. */
type Collection = "assets" | "licenses";

export const stateOf = (id: bigint, collection: Collection = "assets"): Promise<Hex> => read<Hex>("market", "stateOf", [addresses[collection], id]);

/** A published listing as its seller signed it: events carry it whole. */
export async function listing(asset: number, entry: Pick<Market["listings"][number], "listing" | "seller">): Promise<Record<string, unknown>> {
  for (const where of [{ asset }, { account: entry.seller }]) {
    const page = await ask<{ data: ChainEvent[] }>(query("/events", { ...where, limit: 100 }));
    const found = page.data.find((one) => one.event?.name === "Listed" && one.topics[1] === entry.listing);
    const data = found?.event?.arguments.find((one) => one.name === "data")?.value;
    if (!Array.isArray(data)) continue;
    const [seller, buyer, startsAt, endsAt, referral, refundSeconds, nonce, items] = data as [string, string, ...string[]] & [...unknown[], string[][]];
    return {
      seller,
      buyer,
      startsAt: BigInt(startsAt as string),
      endsAt: BigInt(endsAt as string),
      referral: Number(referral),
      refundSeconds: Number(refundSeconds),
      nonce: BigInt(nonce as string),
      items: (items as unknown as string[][]).map(([collection, tokenId, price, endPrice, state]) => ({
        collection,
        tokenId: BigInt(tokenId ?? 0),
        price: BigInt(price ?? 0),
        endPrice: BigInt(endPrice ?? 0),
        state,
      })),
    };
  }
  throw new Error(t("market.listingGone"));
}

export async function buyListing(asset: AssetDetail, entry: Market["listings"][number], name: string): Promise<Hex | undefined> {
  const data = await listing(asset.asset, entry);
  const [price, fee] = await read<[bigint, bigint]>("market", "quote", [data]);
  return act({
    title: t("deed.buy", { name }),
    lines: [
      [t("asset"), `${name} (#${asset.asset})`],
      [t("price"), money(price)],
      [t("fee"), money(fee)],
      [t("seller"), entry.seller],
    ],
    warning: t("deed.buyWarning"),
    accept: t("deed.buyAccept", { amount: money(price + fee) }),
    call: { protocol: "market", name: "buy", args: [data, "0x", session.address, ZERO], value: price + fee },
  });
}

/** Makes a published listing worthless; nothing is for sale by it any more. */
export async function cancelListing(asset: number, entry: Pick<Market["listings"][number], "listing" | "seller" | "price">, name: string): Promise<Hex | undefined> {
  const { nonce } = await listing(asset, entry);
  return act({
    title: t("deed.cancelListing", { name }),
    lines: [[t("price"), money(BigInt(entry.price.base_units))]],
    accept: t("market.takeBack"),
    call: { protocol: "market", name: "cancel", args: [nonce] },
  });
}

const withFee = async (price: bigint): Promise<bigint> => {
  const points = BigInt(await read<number>("market", "protocolFee"));
  return (price * points + 9_999n) / 10_000n;
};

export async function offer(asset: AssetDetail, price: bigint, days: number, name: string): Promise<Hex | undefined> {
  const [fee, state] = await Promise.all([withFee(price), stateOf(BigInt(asset.asset))]);
  return act({
    title: t("deed.offer", { name }),
    lines: [[t("price"), money(price)], [t("fee"), money(fee)], [t("until"), time(Number(later(days * 86_400)) * 1_000)]],
    warning: t("deed.offerWarning"),
    accept: t("deed.offerAccept"),
    call: {
      protocol: "market",
      name: "makeOffer",
      args: [addresses.assets, BigInt(asset.asset), price, later(days * 86_400), state],
      value: price + fee,
    },
  });
}

export const acceptOffer = (id: number, price: bigint, name: string): Promise<Hex | undefined> =>
  act({
    title: t("deed.accept", { name }),
    lines: [[t("price"), money(price)]],
    warning: t("deed.sellWarning"),
    accept: t("deed.acceptAccept"),
    call: { protocol: "market", name: "acceptOffer", args: [BigInt(id)] },
  });

/** Takes back what waits in the market: an offer, or an auction that nobody has bid in. */
export const takeBack = (what: "cancelOffer" | "cancelAuction", id: number, name: string): Promise<Hex | undefined> =>
  act({
    title: t(what === "cancelOffer" ? "deed.cancelOffer" : "deed.cancelAuction", { name }),
    lines: [],
    accept: t("market.takeBack"),
    call: { protocol: "market", name: what, args: [BigInt(id)] },
  });

/** Lets the market move what is sold. */
export async function allowMarket(id: bigint, collection: Collection = "assets"): Promise<boolean> {
  const owner = session.address;
  if (await read<boolean>(collection, "isApprovedForAll", [owner, addresses.market])) return true;
  const approved = await read<string>(collection, "getApproved", [id]);
  if (approved.toLowerCase() === addresses.market.toLowerCase()) return true;
  const done = await act({
    title: t("deed.allow"),
    lines: [[t(collection === "assets" ? "asset" : "license"), `#${id}`], [t("to"), t("nav.market")]],
    warning: t("deed.allowWarning"),
    accept: t("deed.allowAccept"),
    call: { protocol: collection, name: "approve", args: [addresses.market, id] },
  });
  return done !== undefined;
}

/** Lists at a price, or at one that falls from second to second to `last`. */
export async function sell(asset: AssetDetail, price: bigint, last: bigint, days: number, name: string): Promise<Hex | undefined> {
  const id = BigInt(asset.asset);
  if (!(await allowMarket(id))) return undefined;
  const [state, listingFee] = await Promise.all([stateOf(id), read<bigint>("market", "listingFee")]);
  const endsAt = later(days * 86_400);
  const data = {
    seller: session.address,
    buyer: ZERO,
    // What falls begins to fall now.
    startsAt: last < price ? later(0) : 0n,
    endsAt,
    referral: 0,
    refundSeconds: 0,
    nonce: BigInt(Date.now()),
    items: [{ collection: addresses.assets, tokenId: id, price, endPrice: last, state }],
  };
  return act({
    title: t("deed.sell", { name }),
    lines: [[t("price"), money(price)], ...(last < price ? [[t("market.fallsTo"), money(last)] as [string, string]] : []), [t("until"), time(Number(endsAt) * 1_000)], [t("deed.listingFee"), money(listingFee)]],
    warning: t("deed.sellWarning"),
    accept: t("deed.sellAccept"),
    call: { protocol: "market", name: "list", args: [data], value: listingFee },
  });
}

export async function auction(asset: AssetDetail, reserve: bigint, days: number, name: string): Promise<Hex | undefined> {
  const id = BigInt(asset.asset);
  if (!(await allowMarket(id))) return undefined;
  const state = await stateOf(id);
  const endsAt = later(days * 86_400);
  return act({
    title: t("deed.auction", { name }),
    lines: [[t("market.reserve"), money(reserve)], [t("until"), time(Number(endsAt) * 1_000)]],
    warning: t("deed.sellWarning"),
    accept: t("deed.auctionAccept"),
    call: { protocol: "market", name: "openAuction", args: [addresses.assets, id, reserve, endsAt, state] },
  });
}

/** What requests cost from now on. */
export const setPrices = (asset: number, read: bigint, written: bigint, name: string): Promise<Hex | undefined> =>
  act({
    title: t("deed.prices", { name }),
    lines: [[t("asset.readPrice"), money(read)], [t("asset.writePrice"), money(written)]],
    warning: t("deed.pricesWarning"),
    accept: t("prices.change"),
    call: { protocol: "assets", name: "setPrices", args: [BigInt(asset), read, written] },
  });

/** Lets an account link what it makes to an asset whose owner has to approve it. */
export const approveDerivative = (asset: number, creator: Hex, name: string): Promise<Hex | undefined> =>
  act({
    title: t("deed.approve", { name }),
    lines: [[t("account"), creator]],
    warning: t("deed.approveWarning"),
    accept: t("approvals.give"),
    call: { protocol: "assets", name: "approveDerivative", args: [BigInt(asset), creator, true] },
  });

export const leastBid = (id: number): Promise<bigint> => read<bigint>("market", "leastBid", [BigInt(id)]);

export async function bid(id: number, price: bigint, name: string): Promise<Hex | undefined> {
  const fee = await withFee(price);
  return act({
    title: t("deed.bid", { name }),
    lines: [[t("price"), money(price)], [t("fee"), money(fee)]],
    warning: t("deed.bidWarning"),
    accept: t("deed.bidAccept"),
    call: { protocol: "market", name: "bid", args: [BigInt(id), price], value: price + fee },
  });
}

export const settleAuction = (id: number, name: string): Promise<Hex | undefined> =>
  act({
    title: t("deed.settle", { name }),
    lines: [],
    accept: t("deed.settleAccept"),
    call: { protocol: "market", name: "settleAuction", args: [BigInt(id)] },
  });

export async function buyLicense(asset: AssetDetail, terms: Terms, name: string): Promise<Hex | undefined> {
  const [price, fee] = await read<[bigint, bigint]>("licenses", "quote", [terms.terms, 1]);
  const purchase = { asset: BigInt(asset.asset), terms: terms.terms, quantity: 1, holder: session.address, user: session.address };
  return act({
    title: t("deed.license", { name }),
    lines: [
      [t("asset"), `${name} (#${asset.asset})`],
      [t("price"), money(price)],
      [t("fee"), money(fee)],
      [t("license.lasts"), terms.duration ? span(terms.duration) : t("license.forever")],
    ],
    accept: t("deed.buyAccept", { amount: money(price + fee) }),
    call: { protocol: "licenses", name: "buy", args: [purchase], value: price + fee },
  });
}

export async function offerTemplate(asset: number, template: number, price: bigint, royalty: number, name: string): Promise<Hex | undefined> {
  const data = await read<Record<string, unknown>>("licenses", "template", [template, price, royalty]);
  const id = await read<Hex>("licenses", "termsId", [data]);
  const signer = await acting();
  const known = await read<{ registeredAt?: bigint } & Record<string, unknown>>("licenses", "terms", [id]).catch(() => undefined);
  if (!known || (await read<Hex>("licenses", "termsId", [known])) !== id) await final(await signer.send({ protocol: "licenses", name: "registerTerms", args: [data] }));
  return act({
    title: t("deed.offerLicense", { name }),
    lines: [[t("price"), money(price)]],
    warning: t("deed.offerLicenseWarning"),
    accept: t("deed.offerLicenseAccept"),
    call: { protocol: "licenses", name: "offer", args: [BigInt(asset), id] },
  });
}

/** Ends an API key at once, whoever holds it; what its channel has set aside comes back when that is closed. */
export async function endKey({ secret, grant }: ApiKey): Promise<Hex | undefined> {
  const hash = await act({
    title: t("usage.end"),
    lines: [[t("usage.key"), `${secret.slice(0, 7)}…`], [t("usage.limit"), money(BigInt(grant.maxTotal))]],
    warning: t("usage.endWarning"),
    accept: t("usage.end"),
    call: { protocol: "channels", name: "revoke", args: [grantOf(grant)] },
  });
  if (hash) await dropKey(secret);
  return hash;
}

export interface Registration {
  kind: number;
  contentHash: Hex;
  card: Record<string, unknown>;
  inputPrice: bigint;
  outputPrice: bigint;
  derivativeRoyalty: number;
  /** Who may build on it: anyone, whom the owner approves, nobody. */
  derivatives: number;
  /** With whom income is shared, and what part of it goes with ownership; with nobody all of it does. */
  members: { account: Hex; units: bigint }[];
  ownerUnits: bigint;
  edges: { parent: bigint; relation: number }[];
}

export interface Part {
  asset: bigint;
  share: number;
  amount: bigint;
}

/** Who would get what of `amount`, before anything is linked. */
export async function preview(edges: Registration["edges"], royalty: number, amount: bigint): Promise<{ parts: Part[]; room: number }> {
  const [parts, room] = await read<[Part[], number]>("assets", "preview", [edges, royalty, amount]);
  return { parts, room };
}

/** Registers, and answers the new asset's number. */
export async function register(what: Registration, name: string): Promise<number | undefined> {
  const { card, ...rest } = what;
  const registration = {
    ...rest,
    metadataURI: `data:application/json;base64,${btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(card))))}`,
    isOpen: false,
  };
  const shares = what.members.reduce((sum, one) => sum + one.units, what.ownerUnits);
  const hash = await act({
    title: t("deed.register", { name }),
    lines: [
      [t("studio.hash"), what.contentHash],
      [t("asset.readPrice"), money(what.inputPrice)],
      [t("asset.writePrice"), money(what.outputPrice)],
      [t("studio.parents"), what.edges.map((edge) => `#${edge.parent}`).join(", ") || t("none")],
      [t("studio.derivatives"), t(`derivatives.${what.derivatives}` as "derivatives.0")],
      ...what.members.map(({ account, units }): [string, string] => [account, t("studio.unitsOf", { units: number(units), all: number(shares) })]),
    ],
    warning: t("deed.registerWarning"),
    accept: t("deed.registerAccept"),
    call: { protocol: "assets", name: "register", args: [registration] },
  });
  if (!hash) return undefined;
  const logs = await logsOf(hash);
  const log = logs.find((one) => one.address.toLowerCase() === addresses.assets.toLowerCase() && one.topics.length > 1);
  return log?.topics[1] ? Number(BigInt(log.topics[1])) : undefined;
}

export { NONE };

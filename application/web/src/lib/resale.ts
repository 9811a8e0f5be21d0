/** Licences that change hands: their holders list them, anyone buys. */
import type { License, Sale } from "./api.ts";
import { type Hex, addresses, read } from "./chain.ts";
import { ZERO, act, allowMarket, later, listing, money, stateOf } from "./deeds.ts";
import { time } from "./format.ts";
import { t } from "./i18n.svelte.ts";
import { session } from "./session.svelte.ts";

export async function sellLicense({ license, asset }: License, price: bigint, days: number): Promise<Hex | undefined> {
  const id = BigInt(license);
  if (!(await allowMarket(id, "licenses"))) return undefined;
  const [state, listingFee] = await Promise.all([stateOf(id, "licenses"), read<bigint>("market", "listingFee")]);
  const endsAt = later(days * 86_400);
  const items = [{ collection: addresses.licenses, tokenId: id, price, endPrice: price, state }];
  const data = { seller: session.address, buyer: ZERO, startsAt: 0n, endsAt, referral: 0, refundSeconds: 0, nonce: BigInt(Date.now()), items };
  return act({
    title: t("deed.sellLicense", { license }),
    lines: [[t("asset"), `#${asset}`], [t("price"), money(price)], [t("until"), time(Number(endsAt) * 1_000)], [t("deed.listingFee"), money(listingFee)]],
    warning: t("deed.sellLicenseWarning"),
    accept: t("deed.sellAccept"),
    call: { protocol: "market", name: "list", args: [data], value: listingFee },
  });
}

/** Buys a licence of its holder, as it was listed. */
export async function buyResold(sale: Sale, name: string): Promise<Hex | undefined> {
  const data = await listing(sale.asset, { listing: sale.listing ?? "", seller: sale.seller });
  const [price, fee] = await read<[bigint, bigint]>("market", "quote", [data]);
  return act({
    title: t("deed.license", { name }),
    lines: [
      [t("asset"), `${name} (#${sale.asset})`],
      [t("license"), `#${sale.license ?? ""}`],
      [t("price"), money(price)],
      [t("fee"), money(fee)],
      [t("seller"), sale.seller],
    ],
    warning: t("deed.resoldWarning"),
    accept: t("deed.buyAccept", { amount: money(price + fee) }),
    call: { protocol: "market", name: "buy", args: [data, "0x", session.address, ZERO], value: price + fee },
  });
}

/** Whether an account may use what a licence grants; who bought one of its holder has to take a seat first. */
export const isSeated = async (license: number, account: string): Promise<boolean> => (await read<[boolean, bigint]>("licenses", "seat", [BigInt(license), account]))[0];

export const takeSeat = (license: number): Promise<Hex | undefined> =>
  act({
    title: t("deed.seat", { license }),
    lines: [[t("account"), session.address ?? ""]],
    accept: t("license.seat"),
    call: { protocol: "licenses", name: "assignSeat", args: [BigInt(license), session.address] },
  });

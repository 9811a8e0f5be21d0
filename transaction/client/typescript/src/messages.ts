import {
  type Account,
  type Chain,
  type Client,
  type Hex,
  type Transport,
  type TypedDataDefinition,
  type TypedDataParameter,
  hashTypedData,
} from "viem";
import { signTypedData } from "viem/actions";
import { domains, messageTypes } from "./generated.js";

type Messages = {
  [Name in keyof typeof messageTypes]: TypedDataDefinition<typeof messageTypes, Name>["message"];
};

/** Lets a gateway charge a key within caps that the chain enforces. */
export type KeyGrant = Messages["KeyGrant"];
/** Sets aside an amount for one gateway, once. */
export type Reservation = Messages["Reservation"];
/** What the payer owes on a channel, all in all. */
export type Voucher = Messages["Voucher"];

/** What is for sale and on which terms; a signature lists it without a transaction. */
export type Listing = Messages["Listing"];

/** What an account wants done without paying gas; anybody brings it. */
export type Intent = Messages["Intent"];

/** Everything viem needs to sign or check a message. */
function typed<Name extends "KeyGrant" | "Reservation" | "Voucher" | "Listing" | "Intent">(
  chainId: number,
  primaryType: Name,
  message: Messages[Name],
) {
  const own = { Listing: domains.market, Intent: domains.intents } as const;
  const domain = own[primaryType as keyof typeof own] ?? domains.channels;
  const types: Record<string, readonly TypedDataParameter[]> = {
    [primaryType]: messageTypes[primaryType],
    ...(primaryType === "Listing" ? { Item: messageTypes.Item } : {}),
  };
  return { domain: { ...domain, chainId }, types, primaryType: primaryType as string, message: message as Record<string, unknown> };
}

/** The hash that a listing's seller signs, and its name on chain. */
export const listingHash = (chainId: number, listing: Listing): Hex => hashTypedData(typed(chainId, "Listing", listing));

/** The hash that an intent's account signs. */
export const intentHash = (chainId: number, intent: Intent): Hex => hashTypedData(typed(chainId, "Intent", intent));

/** The channel that a key grant opens: the hash that its payer signs. */
export const grantChannel = (chainId: number, grant: KeyGrant): Hex => hashTypedData(typed(chainId, "KeyGrant", grant));

/** The channel that a reservation opens: the hash that its payer signs. */
export const reservationChannel = (chainId: number, reservation: Reservation): Hex =>
  hashTypedData(typed(chainId, "Reservation", reservation));

/** Signatures for `client.extend(saharaMessages)`. Nothing is sent. */
export function saharaMessages(client: Client<Transport, Chain, Account>) {
  const sign = (data: ReturnType<typeof typed>): Promise<Hex> =>
    signTypedData(client, { account: client.account, ...data });
  return {
    signKeyGrant: (grant: KeyGrant) => sign(typed(client.chain.id, "KeyGrant", grant)),
    signReservation: (reservation: Reservation) => sign(typed(client.chain.id, "Reservation", reservation)),
    signListing: (listing: Listing) => sign(typed(client.chain.id, "Listing", listing)),
    signIntent: (intent: Intent) => sign(typed(client.chain.id, "Intent", intent)),
    signVoucher: (voucher: Voucher) => sign(typed(client.chain.id, "Voucher", voucher)),
  };
}

/** The app API and the gateway, as typed questions. */

export interface Money {
  amount: string;
  base_units: string;
}
export interface Page<T> {
  data: T[];
  next: string | null;
}
export interface Stats {
  chain_id: number;
  genesis: string;
  head: number | null;
  time: number | null;
  figures: { period: string; measure: string; value: string }[];
}
export interface Asset {
  asset: number;
  kind: string;
  name: string | null;
  description: string | null;
  tags: string[];
  creator: string;
  owner: string;
  content_hash: string;
  uri: string;
  input_price: Money;
  output_price: Money;
  derivative_royalty: number;
  /** `open`, `approval` or `none`. */
  derivatives: string;
  is_sealed: boolean;
  registered_at: number;
  revenue: Money;
  fees: Money;
  uses: number;
  patrons: number;
  quality: Money;
}
export interface Relative {
  asset: number;
  name: string | null;
  kind: string;
}
export interface Terms {
  terms: string;
  pricing: string;
  price: Money;
  period: number;
  duration: number;
  purposes: string[];
  clauses: string[];
  derivative_royalty: number;
  resale_royalty: number;
  use_cap: string;
  seat_cap: number;
  seat_window: number;
}
export interface AssetDetail extends Asset {
  account: string;
  block: number;
  members: number;
  units: string;
  committed: number;
  offers: Terms[];
  parents: (Relative & { relation: string })[];
  children: (Relative & { relation: string })[];
  ancestors: (Relative & { distance: number; share: number })[];
  descendants: number;
  contributors: { account: string; units: string }[];
  payees: { account: string; amount: Money }[];
  workers: { worker: string; endpoint: string | null; input_price: Money; output_price: Money }[];
}
export interface Market {
  listings: {
    listing: string;
    seller: string;
    buyer: string | null;
    starts_at: string;
    ends_at: string;
    price: Money;
    end_price: Money;
    items: number;
  }[];
  offers: { offer: number; bidder: string; price: Money; ends_at: string }[];
  auctions: {
    auction: number;
    seller: string;
    reserve: Money;
    price: Money | null;
    bidder: string | null;
    ends_at: string;
    status: string;
  }[];
  sales: { block: number; seller: string; buyer: string; price: Money; royalty: Money; referral: Money }[];
}
/** Something that can be bought now. */
export interface Sale {
  way: string;
  what: "asset" | "license";
  asset: number;
  kind: string;
  name: string | null;
  /** The licence that changes hands, where it exists already. */
  license: number | null;
  terms: Terms | null;
  seller: string;
  price: Money;
  end_price: Money | null;
  items: number;
  listing: string | null;
  auction: number | null;
  ends_at: string | null;
  since: number;
  revenue: Money;
  uses: number;
}
export interface Block {
  number: number;
  hash: string;
  parent_hash: string;
  time: number;
  proposer: string;
  gas_used: number;
  gas_limit: number;
  base_fee: number;
  size: number;
  transactions: number;
  events: number;
}
export interface Transaction {
  hash: string;
  block: number;
  position: number;
  time: number;
  type: number;
  sender: string;
  recipient: string | null;
  created: string | null;
  nonce: number;
  value: Money;
  method: string | null;
  is_success: boolean;
  gas_limit: number;
  gas_used: number;
  gas_price: string;
  fee: Money;
}
export interface Decoded {
  protocol: string;
  name: string;
  arguments: { name: string; type: string; value: unknown }[];
}
export interface ChainEvent {
  id: string;
  block: number;
  log_index: number;
  transaction: string;
  time: number;
  emitter: string;
  event: Decoded | null;
  topics: string[];
  data: string;
}
export interface Payment {
  kind: string;
  payer: string | null;
  payee: string | null;
  asset: number | null;
  source: number | null;
  channel: string | null;
  amount: Money;
  block: number;
  log_index: number;
  transaction: string;
  time: number;
}
export interface TransactionDetail extends Transaction {
  input: string;
  call: Decoded | null;
  events: ChainEvent[];
  moves: {
    kind: string;
    token: string | null;
    sender: string;
    recipient: string;
    value: string;
    amount: string | null;
  }[];
  payments: Payment[];
}
export interface Account {
  account: string;
  first_block: number | null;
  last_block: number | null;
  transactions: number;
  assets: number;
  asset: number | null;
  totals: { reason: string; amount: Money; entries: number }[];
  roles: { role: string; endpoint: string; bond: Money; fee: number | null; leaving_at: number | null; has_left: boolean }[];
}
export interface Earning {
  period: string;
  asset: number | null;
  reason: string;
  amount: Money;
  entries: number;
}
export interface License {
  license: number;
  asset: number;
  holder: string;
  seats: number;
  expires_at: string;
  use_limit: string;
  uses: string;
  is_revoked: boolean;
  block: number;
  terms: Terms;
}
export interface Operator {
  account: string;
  role: string;
  endpoint: string;
  bond: Money;
  fee: number | null;
  leaving_at: number | null;
  offers: number;
}
export interface Found {
  exact: { kind: string; id: string; path: string }[];
  assets: Asset[];
}
export interface Model {
  id: string;
  asset: number;
  kind: string;
  owned_by: string;
  context_length: number | null;
  pricing: { asset_input_price: string; asset_output_price: string };
  offers: { worker: string; input_price: string; output_price: string; class: string; model_root: string }[];
}
/** A request of one's own, as the gateway remembers it. */
export interface Used {
  receipt: string;
  created: number;
  ended: number | null;
  model: string;
  asset: number;
  worker: string;
  prompt_tokens: number;
  completion_tokens: number;
  cost: string;
  is_settled: boolean;
}
export interface Network {
  chain_id: number;
  genesis_hash: string;
  gateway: string;
  rpc: string;
  allowance: { amount: string; is_left_today: boolean } | null;
}

/** What went wrong, in the server's words and with its code. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
  ) {
    super(message);
  }
}

async function problem(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => ({}))) as { error?: { message?: string; code?: string } };
  return new Problem(body.error?.message ?? answer.statusText, body.error?.code ?? "", answer.status);
}

export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("no answer", "offline", 0);
  }
  if (!answer.ok) throw await problem(answer);
  return (await answer.json()) as T;
}

export const post = <T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> =>
  ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

export type Values = Record<string, string | number | undefined | null>;

export function query(path: string, values: Values = {}): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") all.set(name, String(value));
  }
  const text = all.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

/** What the first page asks; the rest is in `questions`. */
export const api = {
  stats: (by?: string, asset?: number) => ask<Stats>(query("/stats", { by, asset })),
  assets: (values: Values) => ask<Page<Asset>>(query("/assets", values)),
  asset: (id: number | string) => ask<AssetDetail>(query(`/assets/${id}`)),
  blocks: (values: Values) => ask<Page<Block>>(query("/blocks", values)),
  payments: (values: Values) => ask<Page<Payment>>(query("/payments", values)),
  models: async () => (await ask<{ data: Model[] }>("/v1/models")).data,
  network: () => ask<Network>("/app/network"),
};

let network: Promise<Network> | undefined;
/** The network's facts, asked once. */
export function networkOnce(): Promise<Network> {
  network ??= api.network().catch((error: unknown) => {
    network = undefined;
    throw error;
  });
  return network;
}

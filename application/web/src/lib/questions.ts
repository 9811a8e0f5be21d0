/** Every question of the app API. */
import { type Account, type Block, type Earning, type Found, type License, type Market, type Operator, type Page, type Payment, type Sale, type Transaction, type TransactionDetail, type Values, ask, api as first, query } from "./api.ts";

export const api = {
  ...first,
  sales: (values: Values) => ask<Page<Sale>>(query("/market", values)),
  market: (id: number | string) => ask<Market>(query(`/assets/${id}/market`)),
  account: (id: string) => ask<Account>(query(`/accounts/${id}`)),
  earnings: (id: string, values: Values) => ask<Page<Earning> | Earning[]>(query(`/accounts/${id}/earnings`, values)),
  statement: (id: string, values: Values) => ask<Page<Payment>>(query(`/accounts/${id}/statement`, values)),
  block: (id: string) => ask<Block>(query(`/blocks/${id}`)),
  transactions: (values: Values) => ask<Page<Transaction>>(query("/transactions", values)),
  transaction: (hash: string) => ask<TransactionDetail>(query(`/transactions/${hash}`)),
  licenses: (values: Values) => ask<Page<License>>(query("/licenses", values)),
  operators: (role: string) => ask<Page<Operator>>(query("/operators", { role })),
  search: (q: string, signal?: AbortSignal) => ask<Found>(query("/search", { q }), signal ? { signal } : {}),
  health: () => ask<{ status: string; block: number | null; models: number; gateway: string; unsettled_channels: number }>("/health"),
};

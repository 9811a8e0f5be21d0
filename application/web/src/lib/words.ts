/** Errors, kinds and reasons in words. */
import { Problem } from "./api.ts";
import { type Key, loadAllWords, maybe, t } from "./i18n.svelte.ts";

export function problemInWords(error: unknown): string {
  // Words for errors are not among those of the first visit; the page says them when they are here.
  void loadAllWords().catch(() => undefined);
  if (error instanceof Problem) {
    if (error.status === 0 || error.code) {
      const known = maybe(`error.${error.code}`, "");
      if (known) return known;
    }
    return error.message;
  }
  return error instanceof Error && error.message ? error.message : t("error.unknown");
}

export const kind = (name: string): string => maybe(`kind.${name}`, name);
export const relation = (name: string): string => maybe(`relation.${name}`, name.toLowerCase().replace(/_/g, " "));
export const reason = (name: string): string => maybe(`reason.${name}`, name);
export const paymentKind = (name: string): string => maybe(`payment.${name}`, name);
export const method = (name: string | null): string => (name ? name.replace(/([A-Z])/g, " $1").toLowerCase() : t("tx.transfer"));
/** A plain transfer of coin takes exactly this much gas; what takes more called a contract. */
const TRANSFER_GAS = 21_000;
/** What a transaction did, in a word. */
export const deed = (row: { method: string | null; recipient: string | null; gas_used: number }): string =>
  row.method === null && row.recipient !== null && row.gas_used > TRANSFER_GAS ? t("tx.contract") : method(row.method);
export type { Key };

/** What an asset is called; its number when it has no name. Names are strangers' texts. */
export const assetName = (asset: { asset: number; name: string | null }): string => asset.name || `#${asset.asset}`;

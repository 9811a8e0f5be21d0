/** Addresses that everybody knows. */
import { maybe } from "./i18n.svelte.ts";

const PROTOCOLS: Record<string, string> = {
  "01": "coin",
  "02": "assets",
  "03": "royalties",
  "04": "channels",
  "05": "workers",
  "06": "system",
  "07": "licenses",
  "08": "contributions",
  "09": "market",
  "0a": "staking",
  "0b": "governance",
  "0c": "vesting",
  "0d": "incentives",
  "0e": "disputes",
  "0f": "validators",
  "10": "intents",
};
const POOLS: Record<string, string> = {
  "00": "fees",
  "01": "incentives",
  "02": "airdrop",
  "03": "community",
  "04": "team",
  "05": "investors",
};

/** The name of a protocol's or a pool's address; "SAHARA" in letters, then zeros and a number. */
export function protocolOf(address: string): string | undefined {
  const [, kind, number = ""] = /^0x5341484152410{24}(00|01)([0-9a-f]{2})$/.exec(address.toLowerCase()) ?? [];
  if (!kind) return undefined;
  const pool = kind === "01" ? POOLS[number] : undefined;
  return pool ? maybe(`pool.${pool}`, pool) : PROTOCOLS[number];
}

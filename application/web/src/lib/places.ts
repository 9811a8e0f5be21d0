/** Addresses that everybody knows. */
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
};
const POOLS: Record<string, string> = {
  "00": "fees",
  "01": "incentive pool",
  "02": "airdrop",
  "03": "community",
  "04": "team",
  "05": "investors",
};

/** The name of a protocol's address; "SAHARA" in letters, then zeros and a number. */
export function protocolOf(address: string): string | undefined {
  const [, kind, number = ""] = /^0x5341484152410{24}(00|01)([0-9a-f]{2})$/.exec(address.toLowerCase()) ?? [];
  if (!kind) return undefined;
  return kind === "01" ? POOLS[number] : PROTOCOLS[number];
}

/** Numbers, money and times as people of each language write them. */
import { settings } from "./settings.svelte.ts";

export const locale = (): string => (settings.language === "id" ? "id-ID" : "en-GB");

export const number = (value: number | bigint, digits = 0): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);

export const UNIT = 10n ** 18n;

/** Decimal text of base units, exact. */
export function decimal(units: bigint): string {
  const negative = units < 0n;
  const all = negative ? -units : units;
  const rest = (all % UNIT).toString().padStart(18, "0").replace(/0+$/, "");
  return `${negative ? "-" : ""}${all / UNIT}${rest ? `.${rest}` : ""}`;
}

/** An amount of decimal text: whole part grouped, fraction cut to what can be read. */
export function coin(amount: string, significant = 4): string {
  const [whole = "0", fraction = ""] = amount.replace("-", "").split(".");
  const sign = amount.startsWith("-") ? "−" : "";
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0;
  const keep = whole === "0" ? zeros + significant : Math.max(0, significant - Math.min(whole.length, 3) + 1);
  const cut = fraction.slice(0, keep).replace(/0+$/, "");
  const point = settings.language === "id" ? "," : ".";
  return `${sign}${number(BigInt(whole))}${cut ? point + cut : ""}`;
}

/** An amount in a word where it is large: "9.76 billion". */
export const brief = (amount: string): string =>
  amount.split(".")[0]!.length < 7 ? coin(amount) : new Intl.NumberFormat(locale(), { notation: "compact", compactDisplay: "long", maximumFractionDigits: 2 }).format(Number(amount));

/** Rupiah for an amount, when a rate is set. */
export function rupiah(amount: string): string | undefined {
  if (!settings.rupiah) return undefined;
  const value = Number(amount) * settings.rupiah;
  return new Intl.NumberFormat("id-ID", {
    style: "currency",
    currency: "IDR",
    maximumFractionDigits: value !== 0 && Math.abs(value) < 100 ? 2 : 0,
  }).format(value);
}

export const time = (milliseconds: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(milliseconds);

/** How long ago, in the largest unit that says something. */
export function ago(milliseconds: number, now: number): string {
  const seconds = Math.round((milliseconds - now) / 1_000);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
  ];
  for (const [size, unit] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(Math.min(0, seconds), "second");
}

/** The first and last digits of an address or hash. */
export const short = (hex: string): string => (hex.length > 14 ? `${hex.slice(0, 6)}…${hex.slice(-4)}` : hex);

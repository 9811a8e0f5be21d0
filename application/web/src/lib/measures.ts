/** What only later pages write and read: parts, spans, days, and amounts that somebody typed. */
import { UNIT, decimal, locale } from "./format.ts";
import { settings } from "./settings.svelte.ts";

export const percent = (basisPoints: number): string =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 2 }).format(basisPoints / 10_000);

/** A ratio that may be very small. */
export const ratio = (value: number): string =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumSignificantDigits: 3 }).format(value);

/**
 * Base units of what somebody typed in the page's language; none for what is no amount. Points and commas group
 * thousands or begin the fraction, never both ways: who writes in the other language's way is asked, not misread.
 */
export function units(text: string): bigint | undefined {
  const [group, point] = settings.language === "id" ? ["\\.", ","] : [",", "\\."];
  const found = new RegExp(`^(\\d{1,12}|\\d{1,3}(?:${group}\\d{3}){1,3})(?:${point}(\\d{1,18}))?$`).exec(text.trim());
  if (!found) return undefined;
  return BigInt((found[1] ?? "0").replace(/\D/g, "")) * UNIT + BigInt((found[2] ?? "").padEnd(18, "0"));
}

/** Base units as somebody would type them, in either language's way. */
export const typed = (value: bigint): string => (settings.language === "id" ? decimal(value).replace(".", ",") : decimal(value));

export const day = (milliseconds: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(milliseconds);

/** A span as "21 days" or "10 minutes". */
export function span(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1, "second"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 1 }).format(
    seconds / size,
  );
}

/** What is left, in its two largest units: "20 days 23 hours". */
export function left(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  const first = Math.max(0, units.findIndex(([size]) => seconds >= size));
  let rest = Math.max(0, seconds);
  return units
    .slice(first, first + 2)
    .map(([size, unit]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count ? new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(count) : "";
    })
    .filter(Boolean)
    .join(" ");
}

/** What is said about prices before anybody asks. */
import type { Model } from "./api.ts";

/** What a token written costs, fees (basis points) included, in base units for 1,000,000. */
export function writtenPrice(model: Model, fees: bigint): bigint {
  const offer = model.offers[0];
  return ((BigInt(offer?.output_price ?? 0) + BigInt(model.pricing.asset_output_price)) * (10_000n + fees)) / 10_000n;
}

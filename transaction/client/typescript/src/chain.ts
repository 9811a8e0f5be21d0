import type { Chain } from "viem";

/** The network that `sahara up` starts on one machine. */
export const saharaLocal = {
  id: 724272,
  name: "Sahara local",
  nativeCurrency: { name: "Sahara", symbol: "SAHARA", decimals: 18 },
  rpcUrls: { default: { http: ["http://127.0.0.1:8545"], webSocket: ["ws://127.0.0.1:8545"] } },
  contracts: { multicall3: { address: "0xca11bde05977b3631167028862be2a173976ca11" } },
  testnet: true,
} as const satisfies Chain;

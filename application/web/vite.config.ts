import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` serves the sources against a network that runs already.
const gateway = process.env["SAHARA_GATEWAY"] ?? "http://127.0.0.1:8080";
const proxy = Object.fromEntries(
  ["/api", "/v1", "/app", "/health"].map((path) => [path, { target: gateway }]),
);

/** Parts that only later pages show. */
const LATER = /src\/parts\/(?!(Talk|Payments|Coin|Who|When|Shown|Failure|Table)\.)\w+\.svelte/;

function chunk(id: string): string | undefined {
  if (/node_modules\/(svelte|esm-env|clsx)\//.test(id) || /vite\/|svelte-kit/.test(id)) return "first";
  if (/src\/(main\.ts|App\.svelte|pages\/Home|words\/first\/en)/.test(id)) return "first";
  if (/src\/(lib\/chat\.svelte\.ts|parts\/Bill\.svelte)/.test(id)) return "talk";
  if (/src\/lib\/(node|save|staking)\.ts/.test(id)) return "parts";
  if (/src\/lib\//.test(id) && !/\/(certificate|chain|contract|deeds|governance|hash|signin|verify)\.ts/.test(id)) return "first";
  if (/src\/parts\//.test(id)) return LATER.test(id) ? "parts" : "first";
  return undefined;
}

export default defineConfig({
  plugins: [svelte()],
  resolve: {
    dedupe: ["viem"],
    alias: { "@generated": new URL("../../transaction/client/typescript/src/generated.ts", import.meta.url).pathname },
  },
  build: {
    target: "es2022",
    // The policy allows no inline script, and modern browsers need no polyfill for preloading.
    modulePreload: { polyfill: false },
    // Everything has a file and a hash of its own: nothing is inlined as data.
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    chunkSizeWarningLimit: 700,
    // Each file costs a round trip and its headers: what the first visit needs is one file, what every
    // other page shares is another.
    rollupOptions: { output: { hashCharacters: "hex", manualChunks: chunk } },
  },
  server: { proxy, fs: { allow: ["../.."] } },
});

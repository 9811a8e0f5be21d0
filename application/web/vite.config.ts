import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` serves the sources against a network that runs already.
const gateway = process.env["SAHARA_GATEWAY"] ?? "http://127.0.0.1:8080";
const proxy = Object.fromEntries(
  ["/api", "/v1", "/app", "/health"].map((path) => [path, { target: gateway, changeOrigin: true }]),
);

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
    // Each file costs a round trip and its headers: small ones are joined.
    rollupOptions: { output: { hashCharacters: "hex", experimentalMinChunkSize: 24_000 } },
  },
  server: { proxy, fs: { allow: ["../.."] } },
});

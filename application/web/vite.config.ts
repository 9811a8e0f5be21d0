import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { type Plugin, defineConfig } from "vite";

// `npm run dev` serves the sources against a network that runs already.
const gateway = process.env["SAHARA_GATEWAY"] ?? "http://127.0.0.1:8080";
const proxy = Object.fromEntries(
  ["/api", "/v1", "/app", "/health"].map((path) => [path, { target: gateway }]),
);

/** Parts that only later pages show. */
const LATER = /src\/parts\/(?!(Talk|Payments|ItemCard|Coin|Who|When|Shown|Failure|Table)\.)\w+\.svelte/;
/** What is loaded when somebody signs, or where something is checked. */
const OWN = /src\/lib\/(calls|certificate|chain|contract|deeds|governance|grants|hash|interfaces|resale|seal|signin|statement|verify)\.ts/;

function chunk(id: string): string | undefined {
  // What of the framework the first page does without.
  if (/svelte\/.*(svelte-element|blocks\/key|bindings\/(input|select|size|this))\.js/.test(id)) return "bound";
  if (/node_modules\/(svelte|esm-env|clsx)\//.test(id) || /vite\//.test(id)) return "first";
  if (/src\/(main\.ts|App\.svelte|pages\/Home|words\/first\/en)/.test(id)) return "first";
  if (/src\/(lib\/chat\.svelte\.ts|parts\/(Bill|Turns)\.svelte)/.test(id)) return "talk";
  if (/src\/lib\/(keys|vault)\.ts/.test(id)) return "keys";
  if (/src\/lib\/(lineage|measures|node|questions|save|staking)\.ts/.test(id)) return "parts";
  if (/src\/lib\//.test(id) && !OWN.test(id)) return "first";
  if (/src\/parts\//.test(id)) return LATER.test(id) ? "parts" : "first";
  return undefined;
}

/**
 * Packs every file of the build as small as it gets, beside it. What was packed before and still says the same stays:
 * a build is compared with the one that is committed, and another Node may have another brotli.
 */
function packed(): Plugin {
  let place = "";
  const before = new Map<string, Buffer>();
  const files = (end: string): string[] =>
    existsSync(place) ? readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(end)) : [];
  return {
    name: "packed",
    apply: "build",
    configResolved: ({ root, build }) => void (place = join(root, build.outDir)),
    buildStart() {
      for (const name of files(".br")) before.set(name, readFileSync(join(place, name)));
    },
    closeBundle() {
      for (const name of [".js", ".css", ".html", ".svg", ".txt"].flatMap(files)) {
        const text = readFileSync(join(place, name));
        const known = before.get(`${name}.br`);
        const isSame = known !== undefined && brotliDecompressSync(known).equals(text);
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
        writeFileSync(join(place, `${name}.br`), isSame ? known : brotliCompressSync(text, { params }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), packed()],
  resolve: {
    dedupe: ["viem"],
    alias: { "@generated": new URL("../../transaction/client/typescript/src/generated.ts", import.meta.url).pathname },
  },
  build: {
    target: "es2022",
    // A twentieth smaller than what the builder's own leaves.
    minify: "terser",
    terserOptions: { module: true, compress: { passes: 2 } },
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

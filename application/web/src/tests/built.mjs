// Modules of the application, compiled for a test that has no browser.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { build } from "vite";

globalThis.addEventListener ??= () => undefined;
globalThis.removeEventListener ??= () => undefined;
globalThis.navigator ??= { languages: ["en"] };

const web = new URL("../../", import.meta.url).pathname;

/** What a file beside this one exports. */
export async function built(name) {
  const [{ output }] = await build({
    root: web,
    configFile: false,
    logLevel: "error",
    plugins: [svelte()],
    build: { write: false, minify: false, lib: { entry: join(web, "src/tests", name), formats: ["es"] } },
  });
  const file = join(mkdtempSync(join(tmpdir(), "sahara-web-")), "built.mjs");
  writeFileSync(file, output[0].code);
  return import(pathToFileURL(file).href);
}

/**
 * Words of the page in the language chosen; a missing key does not compile.
 *
 * The first visit loads those of its own page; the rest comes with the next page, or with the first error.
 */
import type { en as restInEnglish } from "../words/en.ts";
import { en } from "../words/first/en.ts";
import { type Language, keepSettings, settings } from "./settings.svelte.ts";

export type Words = typeof en & typeof restInEnglish;
export type Key = keyof Words;

let words = $state.raw<Record<string, string>>(en);
let isWhole = false;

async function first(): Promise<Record<string, string>> {
  return settings.language === "id" ? (await import("../words/first/id.ts")).id : en;
}

async function rest(): Promise<Record<string, string>> {
  return settings.language === "id" ? (await import("../words/id.ts")).id : (await import("../words/en.ts")).en;
}

export async function loadWords(): Promise<void> {
  const { language } = settings;
  const [some, others] = await Promise.all([first(), isWhole ? rest() : {}]);
  if (language !== settings.language) return;
  words = { ...some, ...others };
  document.documentElement.lang = language;
}

/** The words of every page. */
export async function loadAllWords(): Promise<void> {
  if (isWhole) return;
  isWhole = true;
  await loadWords().catch((error: unknown) => {
    isWhole = false;
    throw error;
  });
}

export async function chooseLanguage(language: Language): Promise<void> {
  settings.language = language;
  keepSettings();
  await loadWords();
}

/** The words for a key, with `{name}` replaced. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return (words[key] ?? "").replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The words for a key that is put together, or `fallback` when there are none. */
export function maybe(key: string, fallback: string): string {
  return words[key] ?? fallback;
}

/** Words of the page in the language chosen; a missing key does not compile. */
import { en, type Words } from "../words/en.ts";
import { type Language, keepSettings, settings } from "./settings.svelte.ts";

export type Key = keyof Words;

let words = $state.raw<Words>(en);

export async function loadWords(): Promise<void> {
  words = settings.language === "id" ? (await import("../words/id.ts")).id : en;
  document.documentElement.lang = settings.language;
}

export async function chooseLanguage(language: Language): Promise<void> {
  settings.language = language;
  keepSettings();
  await loadWords();
}

/** The words for a key, with `{name}` replaced. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The words for a key that is put together, or `fallback` when there are none. */
export function maybe(key: string, fallback: string): string {
  return (words as Record<string, string>)[key] ?? fallback;
}

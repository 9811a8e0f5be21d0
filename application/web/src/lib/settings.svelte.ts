/** What a person chose, kept by the browser. No secret is ever among it. */

export type Language = "en" | "id";
export type Theme = "auto" | "light" | "dark";

interface Settings {
  language: Language;
  theme: Theme;
  /** Rupiah for one SAHARA; 0: not shown. */
  rupiah: number;
}

const PLACE = "sahara.settings";

function read(): Settings {
  const found: Settings = {
    language: navigator.languages.some((one) => /^(id|in)\b/i.test(one)) ? "id" : "en",
    theme: "auto",
    rupiah: 0,
  };
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Partial<Settings>;
    if (kept.language === "en" || kept.language === "id") found.language = kept.language;
    if (kept.theme === "light" || kept.theme === "dark") found.theme = kept.theme;
    if (typeof kept.rupiah === "number" && kept.rupiah >= 0) found.rupiah = kept.rupiah;
  } catch {
    // Storage that is blocked or damaged leaves the defaults.
  }
  return found;
}

export const settings = $state<Settings>(read());

export function applyTheme(): void {
  const root = document.documentElement;
  if (settings.theme === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = settings.theme;
}

export function keepSettings(): void {
  applyTheme();
  try {
    localStorage.setItem(PLACE, JSON.stringify(settings));
  } catch {
    // The choice holds for this visit.
  }
}

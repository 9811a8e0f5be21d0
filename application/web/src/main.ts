import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { loadWords } from "./lib/i18n.svelte.ts";
import { applyTheme } from "./lib/settings.svelte.ts";

applyTheme();
// The words come before the first paint: a page that changes its language under the reader jumps.
await loadWords();
const target = document.getElementById("app");
if (target) {
  target.replaceChildren();
  mount(App, { target });
}

import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { loadWords } from "./lib/i18n.svelte.ts";
import { followChain } from "./lib/live.svelte.ts";
import { applyTheme } from "./lib/settings.svelte.ts";

applyTheme();
// The words come before the first paint: a page that changes its language under the reader jumps.
await loadWords().catch(() => undefined);
// What stands in the page itself is painted before the application takes its place. A page that nobody sees
// has no frames.
await new Promise((painted) => {
  requestAnimationFrame(() => setTimeout(painted));
  setTimeout(painted, 200);
});
const target = document.getElementById("app");
if (target) {
  // Before any page asks: what the stream tells begins where their answers end.
  void followChain();
  target.replaceChildren();
  mount(App, { target });
}

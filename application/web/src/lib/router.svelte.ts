/** Which view is shown: the path of the page, and nothing else. */

interface Place {
  path: string;
  /** Parts of the path: `["market", "3"]`. */
  parts: string[];
  query: URLSearchParams;
}

/** What is escaped wrongly stands as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function here(): Place {
  const path = location.pathname;
  return {
    path,
    parts: path.split("/").filter(Boolean).map(decoded),
    query: new URLSearchParams(location.search),
  };
}

let place = $state.raw<Place>(here());

export const route = {
  get path() {
    return place.path;
  },
  get parts() {
    return place.parts;
  },
  get query() {
    return place.query;
  },
};

export function go(to: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  const before = place.path;
  place = here();
  if (before !== place.path) {
    scrollTo(0, 0);
    // Readers of screens and keyboards begin where the new view begins.
    queueMicrotask(() => document.getElementById("main")?.focus({ preventScroll: true }));
  }
}

export function startRouter(): void {
  addEventListener("popstate", () => (place = here()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (/^\/(api|v1|assets)\//.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** Who is here: nobody, a key of this browser, or a wallet. What they sign with is in `keys`, loaded when there is somebody. */
import type { Address, Provider } from "./chain.ts";

export interface Wallet {
  id: string;
  name: string;
  icon: string;
  provider: Provider;
}

interface Session {
  kind: "none" | "browser" | "wallet";
  address: Address | undefined;
  wallet: Wallet | undefined;
  /** A wallet that speaks to another chain. */
  isElsewhere: boolean;
  /** Wallets that announced themselves (EIP-6963). */
  wallets: Wallet[];
}

export const session = $state<Session>({
  kind: "none",
  address: undefined,
  wallet: undefined,
  isElsewhere: false,
  wallets: [],
});

/** Where it is kept what was used last: a wallet's name, or [`BROWSER`]. */
const PLACE = "sahara.wallet";
/** The key of this browser. No wallet has this name: theirs are domains, backwards. */
export const BROWSER = "browser";

interface Announcement {
  info: { uuid: string; name: string; icon: string; rdns: string };
  provider: Provider;
}

/** Listens for wallets and takes up what was used before. */
export function startSession(): void {
  addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (event as CustomEvent<Announcement>).detail;
    if (session.wallets.some((wallet) => wallet.id === info.rdns)) return;
    // Only pictures that come with the announcement: no page is asked for one.
    const icon = /^data:image\//.test(info.icon) ? info.icon : "";
    const wallet = { id: info.rdns, name: info.name.slice(0, 40), icon, provider };
    session.wallets = [...session.wallets, wallet];
    if (remembered() === wallet.id) void import("./keys.ts").then(({ resume }) => resume(wallet));
  });
  dispatchEvent(new Event("eip6963:requestProvider"));
  if (remembered() === BROWSER) void import("./keys.ts").then(({ resumeBrowser }) => resumeBrowser());
}

function remembered(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

export function remember(id: string | undefined): void {
  try {
    if (id) localStorage.setItem(PLACE, id);
    else localStorage.removeItem(PLACE);
  } catch {
    // It is asked again next time.
  }
}

/** What acts for whoever is here: wallets, the key of this browser, and API keys that they pay for. */
import { Problem, networkOnce, post } from "./api.ts";
import { confirm } from "./ask.svelte.ts";
import type { Address, Hex, Provider, Signer } from "./chain.ts";
import { t } from "./i18n.svelte.ts";
import { BROWSER, type Wallet, remember, session } from "./session.svelte.ts";
import { forgetAll, keep, keepFirst, recall } from "./vault.ts";

const chain = () => import("./chain.ts");
let signer: Signer | undefined;
/** Wallets that are listened to: once each, however often they are chosen. */
const heard = new WeakSet<Provider>();

/** Takes up the key of this browser, if there is one. */
export async function resumeBrowser(): Promise<void> {
  const address = (await recall("address").catch(() => undefined)) as Address | undefined;
  if (address && session.kind === "none") Object.assign(session, { kind: "browser", address });
}

export async function resume(wallet: Wallet): Promise<void> {
  const accounts = (await wallet.provider.request({ method: "eth_accounts" }).catch(() => [])) as Address[];
  if (accounts[0]) await take(wallet, accounts[0]);
}

export async function connect(wallet: Wallet): Promise<void> {
  let accounts: Address[];
  try {
    accounts = (await wallet.provider.request({ method: "eth_requestAccounts" })) as Address[];
  } catch (error) {
    const { code } = error as { code?: number };
    if (code === 4001) throw new Problem("refused in the wallet", "refused", 0);
    if (code === -32002) throw new Problem("the wallet has a question open already", "pending", 0);
    throw error;
  }
  if (!accounts[0]) throw new Problem("the wallet named no account", "refused", 0);
  await take(wallet, accounts[0]);
  remember(wallet.id);
}

async function take(wallet: Wallet, address: Address): Promise<void> {
  signer = undefined;
  Object.assign(session, { kind: "wallet", wallet, address });
  await checkChain();
  if (heard.has(wallet.provider)) return;
  heard.add(wallet.provider);
  wallet.provider.on?.("accountsChanged", ((accounts: Address[]) => {
    if (session.wallet?.id !== wallet.id) return;
    signer = undefined;
    if (accounts[0]) session.address = accounts[0];
    else void leave();
  }) as never);
  wallet.provider.on?.("chainChanged", (() => void checkChain()) as never);
}

async function checkChain(): Promise<void> {
  if (!session.wallet) return;
  const [{ chain_id }, found] = await Promise.all([networkOnce(), session.wallet.provider.request({ method: "eth_chainId" })]);
  session.isElsewhere = Number(found) !== chain_id;
}

/** Asks the wallet to come to this network, and tells it about it when it does not know it. */
export async function switchNetwork(): Promise<void> {
  const provider = session.wallet?.provider;
  if (!provider) return;
  const { chain_id, rpc } = await networkOnce();
  const chainId = `0x${chain_id.toString(16)}`;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    const { code } = error as { code?: number };
    if (code === 4001) throw new Problem("refused in the wallet", "refused", 0);
    const nativeCurrency = { name: "Sahara", symbol: "SAHARA", decimals: 18 };
    const added = { chainId, chainName: "Sahara", nativeCurrency, rpcUrls: [rpc], blockExplorerUrls: null };
    await provider.request({ method: "wallet_addEthereumChain", params: [added] });
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  }
  await checkChain();
}

/**
 * A key of this browser: the one there is, or a new one. A look that fails is no answer, for the key that is there may
 * hold coin; of two tabs that make one, the first keeps it. None when the person would rather not replace what is there.
 */
export async function useBrowserKey(secret?: Hex): Promise<Address | undefined> {
  const { newSecret, addressOf } = await chain();
  if (secret && !(await mayReplace(addressOf(secret)))) return undefined;
  const known = secret ? undefined : ((await recall("secret")) as Hex | undefined);
  const own = secret ?? known ?? ((await keepFirst("secret", newSecret())) as Hex);
  const address = addressOf(own);
  if (secret) await keep("secret", secret);
  if (!known) await keep("address", address);
  signer = undefined;
  Object.assign(session, { kind: "browser", address, wallet: undefined, isElsewhere: false });
  remember(BROWSER);
  return address;
}

/** Whether another key may take the place of the one that is kept; one that cannot be read is another. */
async function mayReplace(next: Address): Promise<boolean> {
  const { addressOf } = await chain();
  const known = await recall("secret").then(
    (kept) => kept && addressOf(kept as Hex),
    () => "?",
  );
  if (!known || known === next) return true;
  const lines: [string, string][] = [
    [t("settings.replaced"), known],
    [t("settings.replacing"), next],
  ];
  return confirm({ title: t("settings.replace"), lines, warning: t("settings.forgetWarning"), accept: t("settings.replaceYes") });
}

export async function exportSecret(): Promise<string | undefined> {
  return recall("secret");
}

/** Ends the session; a key of this browser stays for the next. */
export async function leave(): Promise<void> {
  remember(undefined);
  signer = undefined;
  Object.assign(session, { kind: "none", address: undefined, wallet: undefined, isElsewhere: false });
}

/** What this browser keeps: no key, one that opens, or one that does not and never will. */
export async function keptKey(): Promise<"none" | "whole" | "sealed"> {
  try {
    return (await recall("secret")) === undefined ? "none" : "whole";
  } catch (error) {
    if (error instanceof Problem && error.code === "sealed") return "sealed";
    throw error;
  }
}

/** Forgets the key of this browser with all that it keeps; a wallet that is connected stays. */
export async function forgetKey(): Promise<void> {
  await forgetAll();
  if (session.kind !== "wallet") await leave();
}

/** What acts for whoever is here. */
export async function acting(): Promise<Signer> {
  if (session.kind === "none" || !session.address) throw new Problem("nobody is signed in", "nobody", 0);
  if (session.isElsewhere) throw new Problem("the wallet is on another network", "elsewhere", 0);
  if (signer?.address === session.address) return signer;
  const { browserSigner, walletSigner } = await chain();
  if (session.kind === "wallet" && session.wallet) {
    signer = await walletSigner(session.wallet.provider, session.address);
  } else {
    const secret = (await recall("secret")) as Hex | undefined;
    if (!secret) throw new Problem("the key of this browser is gone", "nobody", 0);
    const found = await browserSigner(secret);
    // Another tab may have brought another key: nobody signs as somebody else than the page shows.
    if (found.address !== session.address) throw new Problem("the key of this browser was replaced", "replaced", 0);
    signer = found;
  }
  return signer;
}

/** What a payer signed for a key; numbers as text. */
interface Grant {
  payer: Address;
  gateway: Address;
  keyId: Hex;
  maxTotal: string;
  maxPerDay: string;
  assets: never[];
  validUntil: string;
  nonce: string;
}
/** An API key that this browser holds, with what ends it. */
export interface ApiKey {
  secret: string;
  grant: Grant;
}

const KEYS = "api-keys";
const DAYS = 30;
const keptKeys = async (): Promise<ApiKey[]> => JSON.parse((await recall(KEYS)) ?? "[]") as ApiKey[];

/** API keys of this browser that this account pays for, the newest first. */
export const apiKeys = async (): Promise<ApiKey[]> => (await keptKeys()).filter((one) => one.grant.payer === session.address).reverse();

/** Keeps a key no longer: it was ended, or buys nothing any more. */
export const dropKey = async (secret: string): Promise<void> => keep(KEYS, JSON.stringify((await keptKeys()).filter((one) => one.secret !== secret)));

/** The API key that this account pays for, if this browser holds one. */
export async function chatKey(): Promise<string | undefined> {
  const all = await apiKeys().catch(() => []);
  return all[0]?.secret;
}

/** Makes an API key and has its payer sign what it may spend: in total, and in a day. */
export async function makeChatKey(limit: bigint, daily = limit, days = DAYS): Promise<string> {
  const [{ keccak256, toHex }, acts, { gateway }] = await Promise.all([chain(), acting(), networkOnce()]);
  const random = (bytes: number) => toHex(crypto.getRandomValues(new Uint8Array(bytes))).slice(2);
  const secret = `sk-${random(24)}`;
  const grant: Grant = {
    payer: acts.address,
    gateway: gateway as Address,
    keyId: keccak256(toHex(secret)),
    maxTotal: limit.toString(),
    maxPerDay: daily.toString(),
    assets: [],
    validUntil: String(Math.floor(Date.now() / 1_000) + days * 86_400),
    nonce: BigInt(`0x${random(7)}`).toString(),
  };
  const signature = await acts.sign("channels", "KeyGrant", grantOf(grant));
  await post("/v1/keys", { grant, signature });
  await keep(KEYS, JSON.stringify([...(await keptKeys()), { secret, grant }]));
  return secret;
}

/** A grant as it is signed, and given to the chain. */
export const grantOf = ({ maxTotal, maxPerDay, validUntil, nonce, ...rest }: Grant): Record<string, unknown> => ({
  ...rest,
  maxTotal: BigInt(maxTotal),
  maxPerDay: BigInt(maxPerDay),
  validUntil: BigInt(validUntil),
  nonce: BigInt(nonce),
});

/** A way in without a wallet: a key of this browser, a deposit of the operator's, an API key. */
export async function tryNow(): Promise<string> {
  if (session.kind === "none") await useBrowserKey();
  const known = await chatKey();
  if (known) return known;
  const { allowance } = await networkOnce();
  const { read } = await chain();
  let deposit = await read<bigint>("channels", "depositOf", [session.address]);
  if (deposit === 0n && session.kind === "browser" && allowance) {
    await post("/app/allowance", { account: session.address });
    deposit = await read<bigint>("channels", "depositOf", [session.address]);
  }
  if (deposit === 0n) throw new Problem("there is no deposit to pay from", "no_deposit", 402);
  return makeChatKey(deposit);
}

/** Sign in with Ethereum (EIP-4361), for what only one account may see. */
import { type Hex, getAddress } from "viem";
import { type Used, ask, networkOnce, post } from "./api.ts";
import { confirm } from "./ask.svelte.ts";
import { t } from "./i18n.svelte.ts";
import { acting } from "./keys.ts";

/** The text that the account signs; the server makes the same. */
function message(account: Hex, chain: number, nonce: string, issued: string): string {
  return [
    `${location.host} wants you to sign in with your Ethereum account:`,
    getAddress(account),
    "",
    "See what this account asked here and paid. It costs nothing and sends nothing.",
    "",
    `URI: ${location.origin}`,
    "Version: 1",
    `Chain ID: ${chain}`,
    `Nonce: ${nonce}`,
    `Issued At: ${issued}`,
  ].join("\n");
}

/** False when the person thought better of it. */
export async function signIn(): Promise<boolean> {
  const signer = await acting();
  const accepted = await confirm({
    title: t("signin.title"),
    lines: [[t("signin.page"), location.host], [t("account"), signer.address]],
    warning: t("signin.warning"),
    accept: t("usage.sign"),
  });
  if (!accepted) return false;
  const [{ nonce }, { chain_id }] = await Promise.all([post<{ nonce: string }>("/app/session/nonce", {}), networkOnce()]);
  const issued = new Date().toISOString();
  const signature = await signer.say(message(signer.address, chain_id, nonce, issued));
  await post("/app/session", { account: signer.address, nonce, issued_at: issued, signature });
  return true;
}

export const signOut = (): Promise<unknown> => fetch("/app/session", { method: "DELETE" });

/** What the account that is signed in asked; none when nobody is, or another account. */
export async function requests(account: string): Promise<Used[] | undefined> {
  const found = await ask<{ account: string; data: Used[] }>("/app/requests").catch((error: { status?: number }) => {
    if (error.status === 401) return undefined;
    throw error;
  });
  return found?.account.toLowerCase() === account.toLowerCase() ? found.data : undefined;
}

/** Comma-separated values. A cell that a spreadsheet could read as a formula is made a text. */
export function csv(rows: Used[]): string {
  const cell = (value: string | number): string => {
    const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const head = ["time", "model", "asset", "prompt_tokens", "completion_tokens", "cost_sahara", "milliseconds", "receipt", "settled"];
  const lines = rows.map((one) =>
    [new Date(one.created).toISOString(), one.model, one.asset, one.prompt_tokens, one.completion_tokens, one.cost, one.ended === null ? "" : one.ended - one.created, one.receipt, String(one.is_settled)].map(cell).join(","),
  );
  return `${[head.join(","), ...lines].join("\r\n")}\r\n`;
}

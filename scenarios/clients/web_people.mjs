// People: each with a browser, a language, a screen and perhaps a wallet; and how their pages are looked at.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { createPublicClient, createWalletClient, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";

export const [gateway, rpc, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const MNEMONIC = "test test test test test test test test test test test junk";
/** Loads of a machine that builds beside this take their time. */
const PATIENCE = 60_000;

export const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
export const problems = [];
let picture = 0;

/** A fresh person: no history, one language, one screen. What a story breaks itself, its browser may complain of. */
export async function visitor({ language = "en", width = 1280, height = 850, scheme = "light", breaks } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language === "id" ? "id-ID" : "en-GB",
    colorScheme: scheme,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // A refused request of a story is an answer, not an error of the page.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text()) && !breaks?.test(message.text())) problems.push(`${page.url()}: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && origin !== new URL(gateway).origin) problems.push(`${page.url()} asked ${request.url()}`);
  });
  return { context, page, language, say: (key, values) => words(language, key, values) };
}

export async function look(page, name) {
  picture += 1;
  if (pictures) await page.screenshot({ path: `${pictures}/${String(picture).padStart(2, "0")}-${name}.png`, fullPage: true });
}

/** Findings of axe that are serious; and nothing may be wider than the screen. */
export async function check(page, name) {
  await look(page, name);
  // axe comes in through the debugger: the page's policy holds for the page.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
    return violations
      .filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  });
  problems.push(...found.map((one) => `${name}: axe ${one}`));
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) problems.push(`${name}: ${over} pixels wider than the screen`);
}

/** The words of the page itself, in either language: stories read as people do. */
const known = new Map();
function words(language, key, values = {}) {
  if (!known.has(language)) {
    const place = `${process.env.WEB_SOURCES}/words`;
    const names = [`first/${language}.ts`, ...readdirSync(`${place}/${language}`).map((name) => `${language}/${name}`)];
    const files = names.map((name) => readFileSync(`${place}/${name}`, "utf8"));
    const pairs = [...files.join("\n").matchAll(/^ {2}("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"),$/gm)];
    known.set(language, new Map(pairs.map(([, name, text]) => [JSON.parse(name), JSON.parse(text)])));
  }
  const text = known.get(language).get(key);
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** An account of the mnemonic, with what signs for it and what reads the chain, outside of any page. */
export function signer(index) {
  const account = mnemonicToAccount(MNEMONIC, { addressIndex: index });
  const chain = { id: 724272, name: "Sahara", nativeCurrency: { name: "Sahara", symbol: "SAHARA", decimals: 18 }, rpcUrls: { default: { http: [rpc] } } };
  const client = createWalletClient({ account, chain, transport: http(rpc) });
  const reader = createPublicClient({ chain, transport: http(rpc), pollingInterval: 100 });
  /** Calls a contract; answers the receipt of what was done. */
  async function call(address, abi, functionName, args, value = 0n) {
    const hash = await client.writeContract({ address, abi, functionName, args, value });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`${functionName} was reverted: ${hash}`);
    return receipt;
  }
  return { account, client, reader, call };
}

/** A wallet as EIP-6963 and EIP-1193 have it; its keys stay outside the page. */
export async function wallet(who, index, { isElsewhere = false } = {}) {
  const { account, client } = signer(index);
  const state = { chain: isElsewhere ? "0x1" : "0xb0d30", refuses: false, added: false, asked: [] };
  const refuse = (code, message) => ({ error: { code, message } });
  await who.page.exposeFunction("walletRequest", async ({ method, params }) => {
    state.asked.push(method);
    const result = async () => {
      switch (method) {
        case "eth_requestAccounts":
        case "eth_accounts":
          return [account.address];
        case "eth_chainId":
          return state.chain;
        case "wallet_switchEthereumChain":
          if (!state.added) throw { code: 4902, message: "unknown chain" };
          state.chain = params[0].chainId;
          return null;
        case "wallet_addEthereumChain":
          state.added = true;
          return null;
        case "eth_signTypedData_v4": {
          const data = JSON.parse(params[1]);
          delete data.types.EIP712Domain;
          return client.signTypedData(data);
        }
        case "eth_sendTransaction": {
          const [{ to, data, value, gas }] = params;
          return client.sendTransaction({ to, data, value: BigInt(value ?? 0), ...(gas ? { gas: BigInt(gas) } : {}) });
        }
        default:
          return client.request({ method, params });
      }
    };
    if (state.refuses && ["eth_sendTransaction", "eth_signTypedData_v4"].includes(method)) return refuse(4001, "User rejected the request.");
    try {
      return { result: await result() };
    } catch (error) {
      return refuse(error.code ?? -32603, error.shortMessage ?? error.message ?? String(error));
    }
  });
  await who.page.addInitScript(() => {
    const listeners = {};
    const provider = {
      async request(call) {
        const { result, error } = await globalThis.walletRequest(call);
        if (error) throw Object.assign(new Error(error.message), error);
        if (call.method === "wallet_switchEthereumChain") for (const one of listeners.chainChanged ?? []) one(call.params[0].chainId);
        return result;
      },
      on(event, listener) {
        (listeners[event] ??= []).push(listener);
      },
    };
    const info = { uuid: "5a4a7a00-0000-4000-8000-000000000001", name: "Test Wallet", icon: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>", rdns: "example.test" };
    const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
    addEventListener("eip6963:requestProvider", announce);
    announce();
  });
  return { state, address: account.address };
}

export async function connects(page) {
  // A page that remembers the wallet has it already.
  await page.locator("header button").last().click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  await page.locator("header .mono").waitFor();
}

export const confirm = (page) => page.locator("dialog[open] button.main").click();

/** Confirms the question with this title, and no other. */
export async function agrees({ page, say }, title, values) {
  await page.locator("dialog[open] h2", { hasText: say(title, values) }).waitFor();
  await confirm(page);
}

/** Fills in the studio's form. */
export async function registers({ page, say }, { name, kind, file, prompt, parents = [], royalty = 10 }) {
  await page.goto(`${gateway}/studio`);
  await page.locator("form select").first().selectOption({ label: say(`kind.${kind}`) });
  await page.getByLabel(say("studio.name"), { exact: true }).fill(name);
  if (prompt) await page.getByLabel(say("studio.prompt")).fill(prompt);
  else await page.locator('input[type="file"]').setInputFiles({ name: `${name}.jsonl`, mimeType: "application/json", buffer: Buffer.from(file) });
  await page.locator('input[type="range"]').fill(String(royalty));
  for (const parent of parents) {
    await page.getByLabel(say("studio.find")).fill(parent);
    await page.getByRole("button", { name: `+ ${parent}` }).click();
  }
  await page.locator('section[aria-live] li, section[aria-live] [role="alert"]').first().waitFor();
}


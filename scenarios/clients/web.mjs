// People in front of a real browser: each story on the real binary, network and model.
//
// node web.mjs GATEWAY RPC PICTURES: pictures of every page go to the directory PICTURES.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { createWalletClient, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";

const [gateway, rpc, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const MNEMONIC = "test test test test test test test test test test test junk";
/** Loads of a machine that builds beside this take their time. */
const PATIENCE = 60_000;

const stories = process.argv[5]?.split(",") ?? ["chat", "kunjungan", "trade", "pages"];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const problems = [];
let picture = 0;

/** A fresh person: no history, one language, one screen. */
async function visitor({ language = "en", width = 1280, height = 850, scheme = "light" } = {}) {
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
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) problems.push(`${page.url()}: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && origin !== new URL(gateway).origin) problems.push(`${page.url()} asked ${request.url()}`);
  });
  return { context, page, language };
}

async function look(page, name) {
  picture += 1;
  if (pictures) await page.screenshot({ path: `${pictures}/${String(picture).padStart(2, "0")}-${name}.png`, fullPage: true });
}

/** Findings of axe that are serious; and nothing may be wider than the screen. */
async function check(page, name) {
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

/** Somebody without a wallet asks something and sees who was paid. */
async function chats(who, words) {
  const { page } = who;
  const answer = await page.goto(gateway);
  const policy = answer.headers()["content-security-policy"];
  await page.locator(".talk select").waitFor();
  await check(page, `home-${words.name}`);
  await page.locator(".talk textarea").fill(words.question);
  await page.locator(".talk textarea").press("Enter");
  await page.locator(".talk summary").waitFor();
  await page.locator(".talk summary").click();
  const payees = await page.locator(".talk .bill li").count();
  const said = await page.locator(".talk .assistant .text").first().innerText();
  const account = await page.locator("header .mono").innerText();
  await check(page, `chat-${words.name}`);
  const transaction = await page.locator('.talk a[href^="/explore/tx/"]').getAttribute("href");
  const receipt = await page.locator('.talk a[href^="/explore/receipt/"]').getAttribute("href");
  await page.goto(gateway + transaction);
  await page.getByText("claim", { exact: false }).first().waitFor();
  await check(page, `transaction-${words.name}`);
  const proof = await verifies(page, receipt, words.name);
  return { proof, policy, payees, said: said.length > 0, account: account.startsWith("0x"), language: await page.locator("html").getAttribute("lang") };
}

/** A receipt is checked in the browser, and one that somebody changed is found out. */
async function verifies(page, path, name) {
  await page.goto(gateway + path);
  await page.locator("ol.card li").first().waitFor();
  const verdict = page.locator("section[aria-live] p[role=status]");
  const whole = await verdict.getAttribute("class");
  const links = await page.locator("ol.card li .good").count();
  await check(page, `receipt-${name}`);
  const saved = page.waitForEvent("download");
  await page.locator("button.little", { hasText: /file|berkas/ }).click();
  const receipt = JSON.parse(readFileSync(await (await saved).path(), "utf8"));
  receipt.bundle.opening.text += " And more.";
  receipt.bundle.receipt.bill.worker = "0x1";
  const file = { name: "receipt.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(receipt)) };
  await page.locator('input[type="file"]').setInputFiles(file);
  await page.locator("p.note.bad[role=status]").waitFor();
  const broken = await page.locator("ol.card li .bad").count();
  await look(page, `receipt-changed-${name}`);
  return { whole: whole.includes("good"), links, broken };
}

/** What somebody asked is for its own eyes: it signs in, and finds each request with its receipt. */
async function signsIn(page) {
  const before = await page.evaluate(() => fetch("/app/requests").then(({ status }) => status));
  await page.goto(`${gateway}/usage`);
  const section = page.locator("section[aria-labelledby=requests]");
  await section.getByRole("button", { name: "Sign in" }).click();
  await look(page, "sign-in");
  await confirm(page);
  await section.locator("tbody tr").first().waitFor();
  await check(page, "requests");
  const rows = await section.locator("tbody tr").count();
  const cookies = await page.evaluate(() => document.cookie);
  await section.getByRole("button", { name: "Sign out" }).click();
  await section.getByRole("button", { name: "Sign in" }).waitFor();
  return { before, rows, cookies };
}

/** A protocol is asked through its own interface. */
async function asks(page) {
  await page.goto(`${gateway}/account/0x5341484152410000000000000000000000000002`);
  const form = page.locator("section[aria-labelledby=contract]");
  await form.locator("select").selectOption("ownerOf(uint256)");
  await form.locator("input").fill("1");
  await form.getByRole("button", { name: "Ask" }).click();
  await form.locator("pre").waitFor();
  await check(page, "contract");
  return form.locator("pre").innerText();
}

/** What the first visit loads, how much it jumps, and when it shows something. */
async function firstLoad() {
  const { context, page } = await visitor();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  let bytes = 0;
  const kinds = new Map();
  devtools.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (["Document", "Script", "Stylesheet", "Image"].includes(kinds.get(requestId))) bytes += encodedDataLength;
  });
  await page.addInitScript(() => {
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(gateway);
  await page.locator(".talk select").waitFor();
  await page.locator(".figures dd").first().waitFor();
  await page.locator("table, .empty").first().waitFor();
  const { shift, paint } = await page.evaluate(() => ({
    shift: globalThis.shift,
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  }));
  await context.close();
  return { kibibytes: Math.round(bytes / 102.4) / 10, shift: Math.round(shift * 1_000) / 1_000, paint: Math.round(paint ?? -1) };
}

/** A wallet as EIP-6963 and EIP-1193 have it; its keys stay outside the page. */
async function wallet(who, index, { isElsewhere = false } = {}) {
  const account = mnemonicToAccount(MNEMONIC, { addressIndex: index });
  const chain = { id: 724272, name: "Sahara", nativeCurrency: { name: "Sahara", symbol: "SAHARA", decimals: 18 }, rpcUrls: { default: { http: [rpc] } } };
  const client = createWalletClient({ account, chain, transport: http(rpc) });
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
          const [{ to, data, value }] = params;
          return client.sendTransaction({ to, data, value: BigInt(value ?? 0) });
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

async function connects(page) {
  await page.locator("header button").last().click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  await page.locator("header .mono").waitFor();
}

const confirm = (page) => page.locator("dialog[open] button.main").click();

/** Registers in the studio; answers the asset's path. */
async function registers(page, { name, kind, file, prompt, parents = [], royalty = 10 }) {
  await page.goto(`${gateway}/studio`);
  await page.locator("form select").first().selectOption({ label: kind });
  await page.getByLabel("Name", { exact: true }).fill(name);
  if (prompt) await page.getByLabel("Instructions of the agent (public)").fill(prompt);
  else await page.locator('input[type="file"]').setInputFiles({ name: `${name}.jsonl`, mimeType: "application/json", buffer: Buffer.from(file) });
  await page.locator('input[type="range"]').fill(String(royalty));
  for (const parent of parents) {
    await page.getByLabel("Find what it was made from").fill(parent);
    await page.getByRole("button", { name: `+ ${parent}` }).click();
  }
  await page.locator('section[aria-live] li, section[aria-live] [role="alert"]').first().waitFor();
}

const HOSTILE = `<img src=x onerror="document.title='taken'">`;

/** A creator registers, prices and sells; a remixer sees the preview and is refused over the cap; a buyer buys. */
async function trades() {
  const creator = await visitor();
  await wallet(creator, 6);
  const { page } = creator;
  await page.goto(gateway);
  await connects(page);
  await registers(page, { name: HOSTILE, kind: "Dataset", file: '{"text":"one"}\n', royalty: 20 });
  await check(page, "studio");
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await look(page, "confirm");
  await confirm(page);
  await page.waitForURL(/\/market\/\d+$/);
  await page.getByRole("heading", { level: 1 }).filter({ hasText: "<img" }).waitFor();
  const path = new URL(page.url()).pathname;
  await page.getByRole("button", { name: "Sell it" }).click();
  await page.getByLabel("Price (SAHARA)").fill("5");
  await page.getByRole("button", { name: "Next" }).click();
  await confirm(page);
  await page.locator("dialog[open] h2", { hasText: "for sale" }).waitFor();
  await confirm(page);
  await page.getByText("For sale", { exact: true }).waitFor();
  await check(page, "asset");
  const title = await page.title();

  // Parents that take 20 %, 20 % and 20 % pass the half that ancestors may take.
  for (const name of ["second", "third"]) {
    await registers(page, { name, kind: "Dataset", file: name, royalty: 20 });
    await page.getByRole("button", { name: "Register", exact: true }).click();
    await confirm(page);
    await page.waitForURL(/\/market\/\d+$/);
  }
  await registers(page, { name: "remix", kind: "Dataset", file: "remix", parents: ["second", "third"] });
  await page.locator("section[aria-live] li").nth(2).waitFor();
  const shares = (await page.locator("section[aria-live] li .number").allInnerTexts()).filter((text) => text.includes("%"));
  await page.getByLabel("Find what it was made from").fill("img src");
  await page.getByRole("button", { name: "+ <img" }).click();
  await page.locator('section[aria-live] [role="alert"]').waitFor();
  const refusal = await page.locator('section[aria-live] [role="alert"]').innerText();
  const isOpen = await page.getByRole("button", { name: "Register", exact: true }).isEnabled();
  await look(page, "over-the-cap");
  await creator.context.close();

  const buyer = await visitor();
  const { state } = await wallet(buyer, 7, { isElsewhere: true });
  await buyer.page.goto(gateway + path);
  await connects(buyer.page).catch(() => undefined);
  await buyer.page.getByRole("button", { name: "Wrong network" }).click();
  await check(buyer.page, "wrong-network");
  await buyer.page.getByRole("button", { name: "Switch to Sahara" }).click();
  await buyer.page.getByLabel("Close").click();
  state.refuses = true;
  await buyer.page.getByRole("button", { name: "Buy it" }).click();
  await look(buyer.page, "buy");
  await confirm(buyer.page);
  await buyer.page.getByText("You refused in the wallet").waitFor();
  state.refuses = false;
  await buyer.page.getByRole("button", { name: "Buy it" }).click();
  await confirm(buyer.page);
  await buyer.page.getByText("This is yours and not for sale.").waitFor();
  await check(buyer.page, "bought");
  await buyer.context.close();
  return { title, shares, refusal, isOpen, switched: state.chain };
}

/** A contributor watches money arrive, by the stream alone. */
async function earns(payer) {
  const { context, page } = await visitor();
  const creator = mnemonicToAccount(MNEMONIC, { addressIndex: 1 }).address;
  await page.goto(`${gateway}/earnings/${creator}`);
  await page.locator("figure, .empty, table").first().waitFor();
  const before = await page.locator("tbody tr.line").count();
  await payer.page.goto(`${gateway}/chat`);
  await payer.page.locator(".talk textarea").fill("And one more?");
  await payer.page.locator(".talk textarea").press("Enter");
  await page.waitForFunction((count) => document.querySelectorAll("tbody tr.line").length > count, before);
  await check(page, "earnings");
  await context.close();
  return true;
}

/** A delegator stakes, then proposes, and the one whose stake it joined votes; the tally moves while they look. */
async function governs() {
  const delegator = await visitor();
  await wallet(delegator, 8);
  const { page } = delegator;
  await page.goto(`${gateway}/staking`);
  await connects(page);
  await page.getByRole("button", { name: "Delegate" }).first().click();
  await page.getByLabel("Amount (SAHARA)").fill("400");
  await page.getByRole("button", { name: "Next" }).click();
  await confirm(page);
  const mine = page.locator(".card", { hasText: "Earned, not paid out" });
  await mine.waitFor();
  await check(page, "staked");
  const staked = await mine.locator("strong").innerText();

  await page.goto(`${gateway}/governance`);
  await page.getByRole("button", { name: "New proposal" }).click();
  await page.getByLabel("Title").fill(HOSTILE);
  await page.getByLabel("What and why").fill("Everybody writes docs.");
  await page.getByRole("button", { name: "Next" }).click();
  await confirm(page);
  await page.locator("dialog[open] h2", { hasText: "Propose" }).waitFor();
  await look(page, "propose");
  await confirm(page);
  const entry = page.locator('a.card[href^="/governance/"]', { hasText: "<img" }).first();
  await entry.waitFor();
  await check(page, "governance");
  const path = await entry.getAttribute("href");

  const validator = await visitor({ language: "id", width: 390, height: 844, scheme: "dark" });
  await wallet(validator, 7);
  await validator.page.goto(gateway + path);
  await connects(validator.page);
  await validator.page.getByLabel("Alasan (terbuka)").fill("Setuju sekali.");
  await validator.page.getByRole("button", { name: "Setuju", exact: true }).click();
  await confirm(validator.page);
  await validator.page.getByText("Setuju sekali.").waitFor();
  await check(validator.page, "voted-id");
  await validator.context.close();

  // Whoever looks at it sees the vote without asking again.
  await page.goto(gateway + path);
  await page.getByText("Setuju sekali.").waitFor();
  const said = await page.locator("section table tbody tr").first().innerText();
  await check(page, "proposal");
  const title = await page.title();
  await delegator.context.close();
  return { staked, said: said.replace(/\s+/g, " "), title };
}

/** Every page, looked at: nothing serious for axe, nothing wider than the screen, nothing thrown. */
async function pages(options, name) {
  const { context, page } = await visitor(options);
  for (const path of ["/", "/chat", "/market", "/market/3", "/explore", "/earnings", "/studio", "/usage", "/staking", "/supply", "/network", "/settings", "/market/99999", "/explore/receipt", "/governance", "/help", "/help/quickstart", "/help/errors"]) {
    await page.goto(gateway + path);
    await page.locator("main h1, main [role=alert]").first().waitFor();
    await page.waitForFunction(() => !document.querySelector("main .skeleton"));
    await check(page, `${name}${path.replace(/\//g, "-")}`);
  }
  await context.close();
}

const seen = { problems };
/** People do not wait for each other; the figures of the first load are taken while nobody else is there. */
if (stories.includes("chat")) seen.first = await firstLoad();
const told = {
  async chat() {
    const english = await visitor();
    seen.visit = await chats(english, { name: "en", question: "Name three islands of Indonesia." });
    seen.watched = await earns(english);
    seen.signed = await signsIn(english.page);
    seen.owner = await asks(english.page);
    await english.context.close();
  },
  async kunjungan() {
    const indonesian = await visitor({ language: "id", width: 390, height: 844 });
    seen.kunjungan = await chats(indonesian, { name: "id", question: "Hello!" });
    await indonesian.context.close();
  },
  async govern() {
    seen.govern = await governs();
  },
  async trade() {
    seen.trade = await trades();
  },
};
await Promise.all(stories.filter((name) => told[name]).map((name) => told[name]()));
if (stories.includes("pages")) {
  await Promise.all([pages({}, "desktop-light"), pages({ language: "id", width: 390, height: 844, scheme: "dark" }, "phone-dark-id")]);
}

await browser.close();
console.log(JSON.stringify(seen));

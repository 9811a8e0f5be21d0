// People in front of a real browser: each story on the real binary, network and model.
//
// node web.mjs GATEWAY RPC PICTURES [STORIES]: pictures of every page go to the directory PICTURES.
import { readFileSync } from "node:fs";
import { mnemonicToAccount } from "viem/accounts";
import { explores, proves } from "./web_explorer.mjs";
import { economy, fails, pauses } from "./web_governance.mjs";
import { grants } from "./web_grants.mjs";
import { waits } from "./web_late.mjs";
import { bargains } from "./web_market.mjs";
import { measured } from "./web_meter.mjs";
import { MNEMONIC, browser, check, confirm, connects, gateway, look, problems, registers, visitor, wallet } from "./web_people.mjs";
import { stakes } from "./web_staking.mjs";
import { keeps, types } from "./web_keys.mjs";
import { budgets } from "./web_usage.mjs";

const stories = process.argv[5]?.split(",") ?? ["chat", "kunjungan", "trade", "bargain", "explore", "keys", "budgets", "pages"];

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
  // A signature of the validators that was tampered with is the one link that breaks.
  const forged = structuredClone(receipt);
  forged.bundle.chain.certificate = forged.bundle.chain.certificate.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
  const bring = (name, value) => page.locator('input[type="file"]').setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(JSON.stringify(value)) });
  await bring("forged.json", forged);
  await page.waitForFunction(() => document.querySelectorAll("ol.card li .bad").length === 1);
  const unsigned = await page.locator("ol.card li", { has: page.locator(".bad") }).innerText();
  receipt.bundle.opening.text += " And more.";
  receipt.bundle.receipt.bill.worker = "0x1";
  await bring("receipt.json", receipt);
  await page.waitForFunction(() => document.querySelectorAll("ol.card li .bad").length > 1);
  const broken = await page.locator("ol.card li .bad").count();
  await look(page, `receipt-changed-${name}`);
  return { whole: whole.includes("good"), links, broken, unsigned: /\d \/ \d/.test(unsigned) };
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

/** The interfaces of all protocols, made from what runs; answers how many there are. */
async function refers({ page, say }) {
  await page.goto(`${gateway}/help/reference`);
  const protocols = page.locator("details.protocol");
  await protocols.first().waitFor();
  const all = await protocols.count();
  await page.getByLabel(say("reference.find")).fill("castVoteBySig");
  await page.waitForFunction(() => document.querySelectorAll("details.protocol").length === 1);
  await check(page, "reference");
  return all;
}

/** What the first visit loads, how much it jumps, and when it shows something. */
async function firstLoad() {
  const { context, page } = await visitor();
  const { bytes, shift, first } = await measured(page, gateway, [".talk select", ".figures dd", "table, .empty"]);
  await context.close();
  return { kibibytes: Math.round(bytes / 102.4) / 10, shift: Math.round(shift * 1_000) / 1_000, paint: Math.round(first) };
}

const HOSTILE = `<img src=x onerror="document.title='taken'">`;

/** A creator registers, prices and sells; a remixer sees the preview and is refused over the cap; a buyer buys. */
async function trades() {
  const creator = await visitor();
  await wallet(creator, 6);
  const { page } = creator;
  await page.goto(gateway);
  await connects(page);
  await registers(creator, { name: HOSTILE, kind: "dataset", file: '{"text":"one"}\n', royalty: 20 });
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
    await registers(creator, { name, kind: "dataset", file: name, royalty: 20 });
    await page.getByRole("button", { name: "Register", exact: true }).click();
    await confirm(page);
    await page.waitForURL(/\/market\/\d+$/);
  }
  await registers(creator, { name: "remix", kind: "dataset", file: "remix", parents: ["second", "third"] });
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
  // The month that they came in is a file, with a row for each.
  const month = page.locator("section[aria-labelledby=statements] tbody tr").first();
  const name = await month.locator("td").first().innerText();
  await check(page, "earnings");
  const saved = page.waitForEvent("download");
  await month.getByRole("button", { name: "CSV", exact: true }).click();
  const [head, ...rows] = readFileSync(await (await saved).path(), "utf8").trim().split("\n");
  const isWhole = rows.length > before && rows.every((row) => new Date(Number(row.split(",")[0])).toISOString().startsWith(name));
  await context.close();
  return { head: head.split(",")[0], isWhole };
}

/** A delegator stakes, then proposes, and the one whose stake it joined votes; the tally moves while they look. */
async function governs() {
  const delegator = await visitor();
  await wallet(delegator, 8);
  const { page } = delegator;
  await page.goto(`${gateway}/staking`);
  await connects(page);
  await page.getByRole("button", { name: "Delegate" }).first().click();
  // The calculator below asks for an amount too.
  await page.locator("main form").getByLabel("Amount (SAHARA)").fill("400");
  await page.getByRole("button", { name: "Next" }).click();
  await confirm(page);
  const mine = page.locator(".card", { hasText: "Earned, not paid out" });
  await mine.waitFor();
  await check(page, "staked");
  const staked = await mine.locator("strong").innerText();

  await page.goto(`${gateway}/governance`);
  const power = await page.locator("section[aria-labelledby=power] strong").innerText();
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
  return { staked, power, said: said.replace(/\s+/g, " "), title };
}

/** Every page, looked at: nothing serious for axe, nothing wider than the screen, nothing thrown. */
async function pages(options, name) {
  const { context, page, say, language } = await visitor(options);
  for (const path of ["/", "/chat", "/market", "/market/3", "/explore", "/earnings", "/studio", "/usage", "/staking", "/supply", "/network", "/settings", "/market/99999", "/explore/receipt", "/governance", "/help", "/help/quickstart", "/help/errors", "/help/ask", "/help/create", "/help/contribute", "/help/operate", "/help/run-a-validator", "/help/reference", "/explore/block/1", "/account/0x5341484152410000000000000000000000000102", "/earnings/0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "/explore?q=island", "/market?show=sale", "/market/%E0%A4%A", "/nowhere"]) {
    await page.goto(gateway + path);
    await page.locator("main h1, main [role=alert]").first().waitFor().catch((error) => {
      throw new Error(`${name} ${path}: ${error.message}`);
    });
    await page.waitForFunction(() => !document.querySelector("main .skeleton"));
    if (language === "id" && (await page.getByText(say("help.foreign")).count())) problems.push(`${path} is in English only`);
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
    seen.reference = await refers(english);
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
  async fail() {
    seen.economy = { en: await economy({}), id: await economy({ language: "id", width: 390, height: 844, scheme: "dark" }) };
    seen.paused = await pauses(1);
    seen.fail = await fails(2, 6);
  },
  async grants() {
    seen.grants = await grants(3, 4, 6);
  },
  async stake() {
    // Afterwards in Indonesian on a phone: what the first has done is there.
    const english = await stakes({}, 9);
    seen.stake = { en: english, id: await stakes({ language: "id", width: 390, height: 844, scheme: "dark" }, 3) };
  },
  async bargain() {
    const english = await bargains({}, "en", [8, 9, 2]);
    seen.bargain = { en: english, id: await bargains({ language: "id", width: 390, height: 844 }, "id", [9, 8, 2]) };
  },
  async explore() {
    seen.explore = await explores(3);
    seen.proof = { en: await proves({}), id: await proves({ language: "id", width: 390, height: 844, scheme: "dark" }) };
    // The same account, after the other is done with it.
    const price = (coins) => ({ en: coins, id: coins.replace(".", ",") });
    const english = await waits({}, [price("0.21"), price("0.22")]);
    seen.late = { en: english, id: await waits({ language: "id", width: 390, height: 844, scheme: "dark" }, [price("0.23"), price("0.24")]) };
  },
  async keys() {
    seen.keys = await types();
    seen.kept = await keeps();
  },
  async budgets() {
    const english = await budgets({}, 0);
    seen.budgets = { en: english, id: await budgets({ language: "id", width: 390, height: 844, scheme: "dark" }, 0) };
  },
  async trade() {
    seen.trade = await trades();
  },
};
/** A story that ends too early says what each person was looking at. */
async function tells(name) {
  try {
    await told[name]();
  } catch (error) {
    const pages = browser.contexts().flatMap((context) => context.pages());
    const shown = await Promise.all(pages.map(async (page) => `${page.url()}\n${await page.locator("body").innerText().catch(String)}`));
    throw new Error(`${name}: ${error.message}\n${shown.join("\n\n")}`, { cause: error });
  }
}
await Promise.all(stories.filter((name) => told[name]).map(tells));
if (stories.includes("pages")) {
  await Promise.all([pages({}, "desktop-light"), pages({ language: "id", width: 390, height: 844, scheme: "dark" }, "phone-dark-id")]);
}

await browser.close();
console.log(JSON.stringify(seen));

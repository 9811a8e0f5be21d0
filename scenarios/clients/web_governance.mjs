// What votes have set, in words; and a proposal that was accepted and could not be done: two of them set the floor of
// gas, both would be done when they are made, and after the first the second is one step too many.
import { parseAbi, parseEther } from "viem";
import { check, confirm, connects, gateway, signer, visitor, wallet } from "./web_people.mjs";

const GOVERNANCE = "0x534148415241000000000000000000000000000b";
const MARKET = "0x5341484152410000000000000000000000000009";
const governance = parseAbi(["function depositFor(address account) payable", "function pause(address[] protocols, uint64 duration)", "function castVote(uint256 proposalId, uint8 support) returns (uint256 weight)"]);
/** A vote, its queue and the chain's own patience. */
const LONG = { timeout: 300_000 };

/** The floor of gas among what votes have set. */
async function floorOf(page) {
  await page.goto(`${gateway}/governance`);
  await page.locator("#gas-floor").waitFor();
  return page.locator("#gas-floor").innerText();
}

/** A guardian pauses what leads into a protocol: the page of the network says so, to whoever has it open. */
export async function pauses(guardian) {
  const [english, phone] = await Promise.all([visitor(), visitor({ language: "id", width: 390, height: 844, scheme: "dark" })]);
  for (const { page } of [english, phone]) await page.goto(`${gateway}/network`);
  for (const { page } of [english, phone]) await page.locator("main .figures .dot.good").waitFor();
  const before = await english.page.locator("section[aria-labelledby=notices]").count();
  await signer(guardian).call(GOVERNANCE, governance, "pause", [[MARKET], 600n]);
  const said = [];
  for (const { page, language, context } of [english, phone]) {
    const notice = page.locator("section[aria-labelledby=notices] .note");
    await notice.waitFor();
    await check(page, `paused-${language}`);
    said.push((await notice.innerText()).includes("market"));
    await context.close();
  }
  return { before, said };
}

export async function economy(options) {
  const { context, page, language } = await visitor(options);
  const floor = await floorOf(page);
  await check(page, `economy-${language}`);
  await context.close();
  return floor;
}

/** Proposes a floor of gas, in base units, in the page; answers the proposal's path. */
async function proposes({ page, say }, title, floor) {
  await page.goto(`${gateway}/governance`);
  await page.getByRole("button", { name: say("gov.new"), exact: true }).click();
  const form = page.locator("main form");
  await form.getByLabel(say("gov.title"), { exact: true }).fill(title);
  await form.locator("select").first().selectOption("system");
  const call = form.locator('option[value^="setGasParameters("]');
  await call.waitFor({ state: "attached" });
  await form.locator("select").nth(1).selectOption(await call.getAttribute("value"));
  // The field of the struct, by its own name.
  await form.getByLabel("baseFeeFloor").fill(String(floor));
  await form.getByRole("button", { name: say("next"), exact: true }).click();
  await page.locator("dialog[open] h2", { hasText: say("gov.propose") }).waitFor();
  await confirm(page);
  const entry = page.locator('a.card[href^="/governance/"]', { hasText: title });
  await entry.waitFor();
  return entry.getAttribute("href");
}

/** Opens a proposal and waits until it stands so. */
async function stands({ page, say }, path, state) {
  await page.goto(gateway + path);
  await page.locator("main .row:has(> h1) .tag", { hasText: say(`gov.state.${state}`) }).waitFor(LONG);
}

/** Whether what a proposal says would be done now, as the page finds out. */
async function tries({ page, say }, path) {
  await page.goto(gateway + path);
  await page.getByRole("button", { name: say("gov.try"), exact: true }).click();
  const verdict = page.locator("section .note[role=status]").first();
  await verdict.waitFor();
  return (await verdict.innerText()) === say("gov.wouldWork");
}

async function seen(options, path) {
  const { context, page, say, language } = await visitor(options);
  await page.goto(gateway + path);
  const note = page.locator("#failed");
  await note.waitFor();
  await check(page, `failed-${language}`);
  const isOpen = (await note.getByText(say("gov.failedNext")).isVisible()) && (await page.getByRole("button", { name: say("gov.execute"), exact: true }).isEnabled());
  const why = await note.locator("strong").innerText();
  await context.close();
  return { why, isOpen };
}

export async function fails(proposer, voter) {
  const who = await visitor();
  await wallet(who, proposer);
  const { page } = who;
  const [own, votes] = [signer(proposer), signer(voter)];
  await own.call(GOVERNANCE, governance, "depositFor", [own.account.address], parseEther("2000"));
  await page.goto(gateway);
  await connects(page);
  const paths = [await proposes(who, "Cheaper gas", 100_000_000n), await proposes(who, "Dearer gas", 2_000_000_000n)];
  for (const path of paths) {
    await stands(who, path, 1);
    await votes.call(GOVERNANCE, governance, "castVote", [BigInt(path.split("/").at(-1)), 1]);
  }
  const before = [await tries(who, paths[0]), await tries(who, paths[1])];
  await stands(who, paths[0], 7);
  // Nobody asks again: the page shows it when the chain has tried.
  await page.goto(gateway + paths[1]);
  await page.locator("#failed").waitFor(LONG);
  const after = [await tries(who, paths[1])];
  const floor = await floorOf(page);
  await who.context.close();
  const phone = { language: "id", width: 390, height: 844, scheme: "dark" };
  return { before, after, floor, en: await seen({}, paths[1]), id: await seen(phone, paths[1]) };
}

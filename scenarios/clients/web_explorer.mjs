// What failed says why, and what a contract called is shown call by call.
import { encodeFunctionData, parseAbi } from "viem";
import { ASSETS, MARKET } from "./web_market.mjs";
import { check, gateway, signer, visitor } from "./web_people.mjs";

const MULTICALL = "0xcA11bde05977b3631167028862bE2a173976CA11";

/** Sends what no page would: a call that is refused, and one through a contract. */
async function oddities(index) {
  const { client, reader } = signer(index);
  const bid = encodeFunctionData({ abi: parseAbi(["function bid(uint64 auction, uint128 price) payable"]), args: [9_999n, 1n] });
  const owner = (asset) => encodeFunctionData({ abi: parseAbi(["function ownerOf(uint256) view returns (address)"]), args: [asset] });
  const many = encodeFunctionData({
    abi: parseAbi(["struct Call3 { address target; bool allowFailure; bytes callData; }", "function aggregate3(Call3[] calls) payable returns (bytes)"]),
    args: [[1n, 99_999n].map((asset) => ({ target: ASSETS, allowFailure: true, callData: owner(asset) }))],
  });
  const hashes = [];
  for (const [to, data] of [[MARKET, bid], [MULTICALL, many]]) {
    const hash = await client.sendTransaction({ to, data, gas: 500_000n });
    await reader.waitForTransactionReceipt({ hash });
    hashes.push(hash);
  }
  return hashes;
}

export async function explores(index) {
  const [refused, through] = await oddities(index);
  const { context, page, say } = await visitor();
  const open = async (hash) => {
    await page.goto(`${gateway}/explore/tx/${hash}`);
    // The index reads the block a moment after the node has it.
    const again = page.getByRole("button", { name: say("retry") });
    const there = page.locator("main dl.facts");
    while (await Promise.race([there.first().waitFor().then(() => false), again.waitFor().then(() => true)])) await again.click();
  };
  await open(refused);
  const why = page.getByText("UnknownAuction(9999)");
  await why.waitFor();
  await check(page, "refused");
  await open(through);
  const inside = page.locator("table").filter({ hasText: "ownerOf" });
  await inside.locator(".tag.bad", { hasText: "99999" }).waitFor();
  await check(page, "calls-inside");
  const calls = await inside.locator("tbody tr").count();
  // A struct is shown field by field, each as what it is: a part of a hundred, an amount of coin.
  const { data: [registered] } = await (await fetch(`${gateway}/api/v1/events?protocol=assets&event=Registered&limit=1`)).json();
  await open(registered.transaction);
  const valueOf = (name) => page.locator("section dt", { hasText: name }).first().locator("xpath=following-sibling::dd[1]");
  await valueOf("derivativeRoyalty").waitFor();
  const isNamed = /%$/.test(await valueOf("derivativeRoyalty").innerText()) && /SAHARA/.test(await valueOf("inputPrice").innerText());
  await check(page, "registration");
  // In the end all of the supply is free, to the unit.
  await page.goto(`${gateway}/supply`);
  const free = page.locator("figure").nth(1);
  await free.waitFor();
  const all = await free.locator("tbody tr").last().locator("td").textContent();
  await context.close();
  return { calls, isNamed, free: all.trim() };
}

/** The browser checks the validators' certificate of a block by itself, and finds out one that somebody changed. */
export async function proves(options) {
  const { context, page, say, language } = await visitor(options);
  const isForged = { now: false };
  await page.route("**/app/rpc", async (route) => {
    const { method, params } = route.request().postDataJSON();
    if (!isForged.now || method !== "sahara_getCertificate" || params[0] === "earliest") return route.continue();
    const answer = await route.fetch();
    const { result, ...rest } = await answer.json();
    const certificate = result.certificate.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    return route.fulfill({ response: answer, json: { ...rest, result: { ...result, certificate } } });
  });
  const verdict = page.locator("section[aria-labelledby=proof] .note");
  await page.goto(`${gateway}/explore/block/1`);
  await verdict.waitFor();
  const whole = await verdict.innerText();
  await check(page, `block-${language}`);
  isForged.now = true;
  await page.reload();
  await verdict.waitFor();
  const broken = await verdict.innerText();
  await check(page, `block-forged-${language}`);
  await page.goto(`${gateway}/explore/block/0`);
  await verdict.waitFor();
  const first = await verdict.innerText();
  // A block that is not there yet comes by itself.
  isForged.now = false;
  const next = (await signer(0).reader.getBlockNumber()) + 4n;
  await page.goto(`${gateway}/explore/block/${next}`);
  await page.locator("section[aria-labelledby=proof] .note.good").waitFor();
  await context.close();
  return {
    whole: whole === say("seal.whole", { signers: "1", validators: "1" }),
    broken: broken === say("seal.broken"),
    first: first === say("seal.first"),
  };
}

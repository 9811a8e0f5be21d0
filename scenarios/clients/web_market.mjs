// An auction with somebody who is outbid, offers of which one is accepted, a price that falls: in either language.
import { parseAbi, parseEther, parseEventLogs } from "viem";
import { agrees, check, connects, gateway, look, registers, signer, visitor, wallet } from "./web_people.mjs";
import { shares } from "./web_studio.mjs";

export const ASSETS = "0x5341484152410000000000000000000000000002";
export const MARKET = "0x5341484152410000000000000000000000000009";
const assets = parseAbi(["function approve(address to, uint256 tokenId)", "function ownerOf(uint256 tokenId) view returns (address)"]);
const market = parseAbi([
  "function stateOf(address collection, uint256 tokenId) view returns (bytes32)",
  "function protocolFee() view returns (uint16)",
  "function makeOffer(address collection, uint256 tokenId, uint128 price, uint64 endsAt, bytes32 state) payable returns (uint64 offer)",
  "function openAuction(address collection, uint256 tokenId, uint128 reserve, uint64 endsAt, bytes32 state) returns (uint64 auction)",
  "function bid(uint64 auction, uint128 price) payable",
  "event AuctionOpened(uint64 indexed auction, address indexed seller, address indexed collection, uint256 tokenId, uint128 reserve, uint64 endsAt)",
]);

/** What the market wants beside a price. */
const withFee = async ({ reader }, price) => price + (price * BigInt(await reader.readContract({ address: MARKET, abi: market, functionName: "protocolFee" }))) / 10_000n;
const stateOf = ({ reader }, asset) => reader.readContract({ address: MARKET, abi: market, functionName: "stateOf", args: [ASSETS, asset] });
const clockOf = async ({ reader }) => (await reader.getBlock()).timestamp;

/** Offers for an asset, outside of any page. */
export async function makesOffer(index, asset, coins) {
  const who = signer(index);
  const price = parseEther(coins);
  const [state, now, worth] = await Promise.all([stateOf(who, asset), clockOf(who), withFee(who, price)]);
  await who.call(MARKET, market, "makeOffer", [ASSETS, asset, price, now + 86_400n, state], worth);
}

/** Auctions an asset for fewer seconds than the page offers, and has somebody bid. */
async function auctionsBriefly(owner, bidder, asset, seconds) {
  const [seller, buyer] = [signer(owner), signer(bidder)];
  await seller.call(ASSETS, assets, "approve", [MARKET, asset]);
  const [state, now] = await Promise.all([stateOf(seller, asset), clockOf(seller)]);
  const { logs } = await seller.call(MARKET, market, "openAuction", [ASSETS, asset, parseEther("2"), now + seconds, state]);
  const [{ args: { auction } }] = parseEventLogs({ abi: market, eventName: "AuctionOpened", logs });
  const price = parseEther("3");
  await buyer.call(MARKET, market, "bid", [auction, price], await withFee(buyer, price));
}

async function trader(options, index) {
  const who = await visitor(options);
  const { address } = await wallet(who, index);
  await who.page.goto(gateway);
  await connects(who.page);
  return { ...who, address };
}

const trade = (page) => page.locator("aside .card").filter({ has: page.locator("form, button[aria-expanded]") }).first();

/** Registers something small; answers its path. */
async function makes(owner, name) {
  const { page, say } = owner;
  await registers(owner, { name, kind: "dataset", file: `{"text":"${name}"}\n` });
  await page.getByRole("button", { name: say("studio.register"), exact: true }).click();
  await agrees(owner, "deed.register", { name });
  await page.waitForURL(/\/market\/\d+$/);
  await page.getByRole("heading", { level: 1, name }).waitFor();
  return new URL(page.url()).pathname;
}

async function fills({ page, say }, price) {
  await page.getByLabel(`${say("price")} (SAHARA)`).fill(price);
  await page.getByRole("button", { name: say("next"), exact: true }).click();
}

/** Bids the least that is taken, which the page says. */
async function bids(who, name) {
  const { page, say } = who;
  await page.getByRole("button", { name: say("market.bid"), exact: true }).click();
  const field = page.getByLabel(`${say("price")} (SAHARA)`);
  await page.getByText(say("market.least")).waitFor();
  const least = await field.inputValue();
  await page.getByRole("button", { name: say("next"), exact: true }).click();
  await agrees(who, "deed.bid", { name });
  await trade(page).getByText(say("you"), { exact: true }).waitFor();
  return least;
}

async function auctions(owner, first, second, name) {
  const { page, say } = owner;
  const path = await makes(owner, name);
  await page.getByRole("button", { name: say("market.auction"), exact: true }).click();
  await fills(owner, "2");
  await agrees(owner, "deed.allow");
  await agrees(owner, "deed.auction", { name });
  await trade(page).getByRole("button", { name: say("market.takeBack"), exact: true }).waitFor();
  await check(page, `auction-${owner.language}`);
  const bidding = [];
  for (const who of [first, second]) {
    await who.page.goto(gateway + path);
    bidding.push(await bids(who, name));
  }
  // The first sees that somebody bid more, without asking again; and as much is not enough.
  const { page: outbid, say: says } = first;
  await outbid.waitForFunction((mine) => !document.querySelector("aside")?.textContent.includes(mine), says("you"));
  await check(outbid, `outbid-${owner.language}`);
  await outbid.getByRole("button", { name: says("market.bid"), exact: true }).click();
  await outbid.getByText(says("market.least")).waitFor();
  await fills(first, bidding[1]);
  await agrees(first, "deed.bid", { name });
  const refusal = outbid.getByText(says("error.BidTooLow"));
  await refusal.waitFor();
  await look(outbid, `bid-too-low-${owner.language}`);
  return bidding;
}

async function offers(owner, first, second, name) {
  const { page, say } = owner;
  const path = await makes(owner, name);
  for (const [who, price] of [[first, "3"], [second, "4"]]) {
    await who.page.goto(gateway + path);
    await who.page.getByRole("button", { name: who.say("market.offer"), exact: true }).click();
    await fills(who, price);
    await agrees(who, "deed.offer", { name });
    await trade(who.page).getByRole("button", { name: who.say("market.takeBack"), exact: true }).waitFor();
  }
  await trade(first.page).getByRole("button", { name: first.say("market.takeBack"), exact: true }).click();
  await agrees(first, "deed.cancelOffer", { name });
  // The owner sees what is left of them as it comes and goes.
  const accept = trade(page).getByRole("button", { name: say("market.accept"), exact: true });
  await page.waitForFunction((word) => [...document.querySelectorAll("aside button")].filter((one) => one.textContent.trim() === word).length === 1, say("market.accept"));
  await check(page, `offers-${owner.language}`);
  await accept.click();
  await agrees(owner, "deed.accept", { name });
  await second.page.getByText(second.say("market.notListedMine")).waitFor();
  return trade(page).locator("h3", { hasText: say("market.sales") }).waitFor().then(() => true);
}

async function falls(owner, buyer, name) {
  const { page, say } = owner;
  const path = await makes(owner, name);
  await page.getByRole("button", { name: say("market.sell"), exact: true }).click();
  await page.getByLabel(`${say("market.fallsTo")} (SAHARA)`).fill("1");
  await fills(owner, "10");
  await agrees(owner, "deed.allow");
  await agrees(owner, "deed.sell", { name });
  await trade(page).getByText(say("market.listed"), { exact: true }).waitFor();
  // Taken back it is nobody's to buy; listed again it is.
  await trade(page).getByRole("button", { name: say("market.takeBack"), exact: true }).click();
  await agrees(owner, "deed.cancelListing", { name });
  await trade(page).getByText(say("market.notListedMine")).waitFor();
  await page.getByRole("button", { name: say("market.sell"), exact: true }).click();
  await page.getByLabel(`${say("market.fallsTo")} (SAHARA)`).fill("1");
  await fills(owner, "10");
  await agrees(owner, "deed.sell", { name });
  await trade(page).getByText(say("market.listed"), { exact: true }).waitFor();
  await buyer.page.goto(gateway + path);
  await buyer.page.getByText(buyer.say("market.falls", { price: "1", time: "" }).trim()).waitFor();
  // With the chain's seconds, not with those of this machine.
  await buyer.page.waitForFunction(() => !/^10\D/.test(document.querySelector("aside .big").textContent.trim()));
  await check(buyer.page, `falling-${owner.language}`);
  await buyer.page.getByRole("button", { name: buyer.say("market.buy"), exact: true }).click();
  const price = await buyer.page.locator("dialog[open] dd").nth(1).innerText();
  await agrees(buyer, "deed.buy", { name });
  await buyer.page.getByText(buyer.say("market.notListedMine")).waitFor();
  return price;
}

/** What ended is settled by anyone who looks at it; whoever bid most has it then, and sees so. */
async function settles(anyone, winner, path) {
  const { page, say } = anyone;
  await Promise.all([anyone, winner].map((who) => who.page.goto(gateway + path)));
  const settle = trade(page).getByRole("button", { name: say("market.settle"), exact: true });
  await settle.waitFor();
  const isOpen = await trade(page).getByRole("button", { name: say("market.bid"), exact: true }).isVisible();
  // That it has ended stands there, and what comes of it; nothing says "until" any more.
  const said = await trade(page).locator(".note").innerText();
  const isSaid = said === say("market.endedWon") && !(await trade(page).innerText()).includes(say("until"));
  await check(page, `ended-${anyone.language}`);
  await settle.click();
  await agrees(anyone, "deed.settle", { name: await page.locator("main h1").innerText() });
  await winner.page.getByText(winner.say("market.notListedMine")).waitFor();
  await trade(page).locator("h3", { hasText: say("market.sales") }).waitFor();
  await look(page, `settled-${anyone.language}`);
  const isLeft = await settle.isVisible();
  return { isOpen, isLeft, isSaid, owner: await signer(0).reader.readContract({ address: ASSETS, abi: assets, functionName: "ownerOf", args: [BigInt(path.split("/").at(-1))] }) };
}

/** A licence is bought of the asset's owner, and sold again by whoever bought it; answers its number. */
async function resells(owner, first, second, name) {
  const { page, say } = owner;
  const path = await makes(owner, name);
  await page.getByRole("button", { name: say("market.license"), exact: true }).click();
  // Of its own price in each language: terms are the same wherever they say the same.
  await fills(owner, owner.language === "id" ? "3" : "1");
  await agrees(owner, "deed.offerLicense", { name });
  await page.locator("aside .terms").waitFor();

  const { page: holder, say: says } = first;
  await holder.goto(gateway + path);
  await holder.locator("aside .terms button").click();
  await agrees(first, "deed.license", { name });
  await holder.locator("aside .terms button:enabled").waitFor();
  await holder.goto(`${gateway}/account/${first.address}`);
  const licenses = holder.locator("section[aria-labelledby=licenses]");
  const license = (await licenses.locator("tbody td").first().innerText()).replace("#", "");
  await licenses.getByRole("button", { name: says("license.sell"), exact: true }).click();
  await fills(first, "4");
  await agrees(first, "deed.allow");
  await agrees(first, "deed.sellLicense", { license });
  await licenses.locator("form").waitFor({ state: "detached" });
  await check(holder, `licences-${first.language}`);

  await second.page.goto(gateway + path);
  const offer = second.page.locator("aside .resold");
  await offer.waitFor();
  await check(second.page, `resold-${second.language}`);
  await offer.getByRole("button", { name: second.say("license.buy"), exact: true }).click();
  await agrees(second, "deed.license", { name });
  await offer.waitFor({ state: "detached" });
  await second.page.goto(`${gateway}/account/${second.address}`);
  // Whoever buys it of its holder takes a seat before it can use it.
  const bought = second.page.locator("section[aria-labelledby=licenses] tr", { has: second.page.locator("td", { hasText: new RegExp(`^#${license}$`) }) });
  const seat = bought.getByRole("button", { name: second.say("license.seat"), exact: true });
  await seat.click();
  await agrees(second, "deed.seat", { license });
  await seat.waitFor({ state: "detached" });
  return Number(license) > 0;
}

/** What it costs is changed, a version follows another, and the studio shows what its owner sells. */
async function improves(owner, name) {
  const { page, say, language } = owner;
  const path = await makes(owner, name);
  const prices = page.locator("section[aria-labelledby=prices]");
  const price = language === "id" ? "0,25" : "0.25";
  await prices.getByRole("button", { name: say("prices.change"), exact: true }).click();
  await prices.getByLabel(say("asset.writePrice")).fill(price);
  await prices.getByRole("button", { name: say("next"), exact: true }).click();
  await agrees(owner, "deed.prices", { name });
  await prices.locator("dd", { hasText: price }).waitFor();

  await page.getByRole("link", { name: say("versions.make"), exact: true }).click();
  await page.getByText(say("versions.next", { asset: path.split("/").at(-1) })).waitFor();
  await page.waitForFunction((wanted) => [...document.querySelectorAll("main form input")].some((one) => one.value === wanted), name);
  await page.locator('input[type="file"]').setInputFiles({ name: "next.jsonl", mimeType: "application/json", buffer: Buffer.from(`{"text":"${name}, again"}\n`) });
  // Itself and the version before.
  await page.locator("section[aria-live] li").nth(1).waitFor();
  await check(page, `next-version-${language}`);
  await page.getByRole("button", { name: say("studio.register"), exact: true }).click();
  await agrees(owner, "deed.register", { name });
  await page.waitForURL(/\/market\/\d+$/);
  const line = page.locator("section[aria-labelledby=versions] li");
  await line.nth(1).waitFor();
  const versions = await line.count();
  await page.getByRole("button", { name: say("market.sell"), exact: true }).click();
  await fills(owner, "5");
  await agrees(owner, "deed.allow");
  await agrees(owner, "deed.sell", { name });
  await trade(page).getByText(say("market.listed"), { exact: true }).waitFor();

  // Whoever comes to the older one is told of the newer.
  await line.locator("a").first().click();
  await page.waitForURL((url) => url.pathname === path);
  await page.getByText(say("versions.newer")).waitFor();
  await check(page, `versions-${language}`);
  await page.goto(`${gateway}/studio`);
  await page.locator("section[aria-labelledby=selling] a.card", { hasText: name }).waitFor();
  await check(page, `studio-sells-${language}`);
  // Among all that is for sale, only what is listed.
  await page.goto(`${gateway}/market?show=sale`);
  await page.getByLabel(say("market.way")).selectOption("listing");
  await page.waitForURL(/way=listing/);
  await page.locator("main a.card", { hasText: name }).waitFor();
  await page.waitForFunction((word) => [...document.querySelectorAll("main a.card .tag.warm")].every((one) => one.textContent.trim() === word), say("way.listing"));
  await check(page, `listed-${language}`);
  return versions;
}

export async function bargains(options, language, accounts) {
  const [owner, first, second] = await Promise.all(accounts.map((index) => trader(options, index)));
  // It ends while the others bargain.
  const brief = await makes(owner, `Brief ${language}`);
  await auctionsBriefly(accounts[0], accounts[2], BigInt(brief.split("/").at(-1)), 20n);
  const bidding = await auctions(owner, first, second, `Auction ${language}`);
  const isSold = await offers(owner, first, second, `Offer ${language}`);
  const fallen = await falls(owner, first, `Falling ${language}`);
  const settled = await settles(first, second, brief);
  const isResold = await resells(owner, first, second, `Licence ${language}`);
  const shared = await shares(owner, first, second, `Shared ${language}`);
  const versions = await improves(owner, `Versions ${language}`);
  const isWon = settled.owner === signer(accounts[2]).account.address;
  await Promise.all([owner, first, second].map(({ context }) => context.close()));
  return { bidding, isSold, fallen, isResold, shared, versions, settled: { isOpen: settled.isOpen, isLeft: settled.isLeft, isSaid: settled.isSaid, isWon } };
}

// An auction with somebody who is outbid, offers of which one is accepted, a price that falls: in either language.
import { check, confirm, connects, gateway, look, registers, visitor, wallet } from "./web_people.mjs";

/** Confirms the question with this title, and no other. */
async function agrees({ page, say }, title, values) {
  await page.locator("dialog[open] h2", { hasText: say(title, values) }).waitFor();
  await confirm(page);
}

async function trader(options, index) {
  const who = await visitor(options);
  await wallet(who, index);
  await who.page.goto(gateway);
  await connects(who.page);
  return who;
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
  await buyer.page.goto(gateway + path);
  await buyer.page.getByText(buyer.say("market.falls", { price: "1", time: "" }).trim()).waitFor();
  // The block after the listing's own is the first at which it asks less.
  await trade(buyer.page).locator(".big", { hasText: /\b9[.,]9/ }).waitFor();
  await check(buyer.page, `falling-${owner.language}`);
  await buyer.page.getByRole("button", { name: buyer.say("market.buy"), exact: true }).click();
  const price = await buyer.page.locator("dialog[open] dd").nth(1).innerText();
  await agrees(buyer, "deed.buy", { name });
  await buyer.page.getByText(buyer.say("market.notListedMine")).waitFor();
  return price;
}

export async function bargains(options, language, accounts) {
  const [owner, first, second] = await Promise.all(accounts.map((index) => trader(options, index)));
  const bidding = await auctions(owner, first, second, `Auction ${language}`);
  const isSold = await offers(owner, first, second, `Offer ${language}`);
  const fallen = await falls(owner, first, `Falling ${language}`);
  await Promise.all([owner, first, second].map(({ context }) => context.close()));
  return { bidding, isSold, fallen };
}

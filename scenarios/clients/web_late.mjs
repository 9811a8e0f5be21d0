// The server does not answer, or the chain's stream is gone: what was there stays, the page says so and mends itself.
import { makesOffer } from "./web_market.mjs";
import { check, gateway, visitor } from "./web_people.mjs";

/** Who offers, and for what: an asset that is nobody else's story. */
const BIDDER = 3;
const ASSET = 2;

/** An offer of this price, as the page shows it. */
const offered = ({ page, say, language }, price) =>
  page.locator("aside h3", { hasText: say("market.offers") }).locator("xpath=following-sibling::p").filter({ hasText: price[language] });
const offers = async () => (await (await fetch(`${gateway}/api/v1/assets/${ASSET}/market`)).json()).offers.length;

async function opens(options, path) {
  const who = await visitor({ ...options, breaks: /status of 503|ERR_FAILED/ });
  const isBroken = { now: false, asked: 0 };
  await who.page.route(`**${path}`, (route) => {
    isBroken.asked += 1;
    if (!isBroken.now) return route.continue();
    return path.endsWith("live") ? route.abort() : route.fulfill({ status: 503, json: { error: { code: "busy", message: "too many questions" } } });
  });
  return { ...who, isBroken };
}

/** An event tells of an offer, and the question that follows it goes unanswered. */
async function unanswered(options, price) {
  const who = await opens(options, `/api/v1/assets/${ASSET}/market`);
  const { context, page, say, language, isBroken } = who;
  await page.goto(`${gateway}/market/${ASSET}`);
  const before = page.locator("aside button[aria-expanded]").first();
  await before.waitFor();
  isBroken.now = true;
  await makesOffer(BIDDER, BigInt(ASSET), price.en);
  const notice = page.getByText(say("late"));
  await notice.waitFor();
  const isKept = await before.isVisible();
  await check(page, `late-${language}`);
  // Asked for, it is asked at once; and in time without being asked.
  const { asked } = isBroken;
  await page.locator(".late").getByRole("button", { name: say("retry"), exact: true }).click();
  while (isBroken.asked === asked) await page.evaluate(() => new Promise(requestAnimationFrame));
  isBroken.now = false;
  await offered(who, price).waitFor();
  await notice.waitFor({ state: "hidden" });
  await context.close();
  return isKept;
}

/** There is no stream when an offer is made; once it is back the page has it. */
async function unheard(options, price) {
  const who = await opens(options, "/api/v1/events/live");
  const { context, page, isBroken } = who;
  isBroken.now = true;
  const known = await offers();
  await page.goto(`${gateway}/market/${ASSET}`);
  await page.locator("aside button[aria-expanded]").first().waitFor();
  await page.locator("header .dot.bad").waitFor();
  await makesOffer(BIDDER, BigInt(ASSET), price.en);
  while ((await offers()) === known) await page.evaluate(() => new Promise(requestAnimationFrame));
  const isUntold = (await offered(who, price).count()) === 0;
  isBroken.now = false;
  await page.locator("header .dot.good").waitFor();
  await offered(who, price).waitFor();
  await context.close();
  return isUntold;
}

/** A part of the application does not come: the page says so, and loads it when it is asked to. */
async function unloaded(options) {
  const { context, page, say } = await visitor({ ...options, breaks: /ERR_FAILED/ });
  await page.goto(gateway);
  await page.locator(".talk select").waitFor();
  await page.route("**/assets/Market-*.js", (route) => route.abort());
  await page.locator('main a.button[href="/market"]').click();
  const notice = page.locator("main [role=alert]");
  await notice.filter({ hasText: say("error.offline") }).waitFor();
  await page.unroute("**/assets/Market-*.js");
  await notice.getByRole("button", { name: say("retry"), exact: true }).click();
  await page.locator("main a.card").first().waitFor();
  const { pathname } = new URL(page.url());
  await context.close();
  return pathname;
}

export async function waits(options, [first, second]) {
  return { isKept: await unanswered(options, first), isUntold: await unheard(options, second), loaded: await unloaded(options) };
}

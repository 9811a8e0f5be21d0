// A delegator stakes, moves a part to another validator, takes a part back, is paid and keeps the figures.
import { readFileSync } from "node:fs";
import { check, confirm, connects, gateway, visitor, wallet } from "./web_people.mjs";

async function moves({ page, say }, card, name, amount) {
  await card.getByRole("button", { name: say(`staking.${name}`), exact: true }).click();
  const field = page.locator("main form").getByLabel(`${say("amount")} (SAHARA)`);
  await field.fill(amount);
  await page.getByRole("button", { name: say("next"), exact: true }).click();
  await confirm(page);
}

export async function stakes(options, index) {
  const who = await visitor(options);
  const { page, say, language } = who;
  await wallet(who, index);
  await page.goto(`${gateway}/staking`);
  await connects(page);
  await moves(who, page.locator("main"), "delegate", "400").catch(async (error) => {
    // Every validator has its button; the first is the largest.
    if (!/strict mode/.test(error.message)) throw error;
    await moves(who, page.locator("main tbody tr").first(), "delegate", "400");
  });
  const mine = page.locator(".card", { hasText: say("staking.earned") });
  await mine.first().waitFor();
  await moves(who, mine.first(), "redelegate", "150");
  await mine.nth(1).waitFor();
  const arrived = page.getByText(say("staking.arrived", { source: "", span: "" }).split(";")[0].trim());
  await arrived.waitFor();
  await moves(who, mine.first(), "undelegate", "50");
  await mine.locator("progress").waitFor();
  const waits = await mine.filter({ has: page.locator("progress") }).locator("p.small").first().innerText();
  const values = (await mine.locator("strong").allInnerTexts()).map((text) => text.split(/\s/)[0]).sort();

  const rewards = page.locator("section[aria-labelledby=rewards]");
  await mine.first().getByRole("button", { name: say("staking.settle"), exact: true }).click();
  await confirm(page);
  await rewards.locator("tbody tr").first().waitFor();
  const saved = page.waitForEvent("download");
  await rewards.getByRole("button", { name: say("earnings.csv") }).click();
  const [head, ...rows] = readFileSync(await (await saved).path(), "utf8").trim().split("\r\n");

  const calculator = page.locator("section[aria-labelledby=calculator]");
  await calculator.getByLabel(`${say("amount")} (SAHARA)`).fill("1000");
  const one = await calculator.locator("strong").innerText();
  await calculator.getByLabel(`${say("amount")} (SAHARA)`).fill(language === "id" ? "2.000" : "2,000");
  const two = await calculator.locator("strong").innerText();
  const faults = await page.locator("section[aria-labelledby=faults] .empty").innerText();
  await check(page, `staking-${language}`);
  await who.context.close();
  return { values, waits, head, rows, earns: [one, two].map((text) => text.replace(/\s+/g, " ")), faults };
}

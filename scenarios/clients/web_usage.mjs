// Budgets: each key has its own, in total and for a day; one is ended; and a word when the deposit runs low.
import { check, confirm, connects, gateway, visitor, wallet } from "./web_people.mjs";

export async function budgets(options, index) {
  const who = await visitor(options);
  await wallet(who, index);
  const { page, say, language } = who;
  /** An amount as people of the language write it. */
  const written = (amount) => (language === "id" ? amount.replace(/[.,]/g, (one) => (one === "." ? "," : ".")) : amount);
  await page.goto(`${gateway}/usage`);
  await connects(page);
  const section = page.locator("section[aria-labelledby=keys]");
  const keys = section.locator(".card");
  const make = section.getByRole("button", { name: say("usage.newKey"), exact: true });
  const fills = async (total, daily) => {
    await section.getByLabel(`${say("usage.limit")} (SAHARA)`).fill(total);
    await section.getByLabel(`${say("usage.perDay")} (SAHARA)`).fill(daily);
  };
  const makes = async (total, daily) => {
    await fills(total, daily);
    await make.click();
    await page.locator("dialog[open] h2", { hasText: say("usage.newKey") }).waitFor();
    await confirm(page);
  };
  await fills("1", "2");
  const isHeld = await make.isDisabled();
  await makes("1", written("0.5"));
  await keys.first().locator("dd").first().waitFor();
  await makes("2", written("0.25"));
  await keys.nth(1).locator("dd").first().waitFor();
  // The newest comes first, with what it may spend in a day.
  const daily = (await keys.first().locator("dd").nth(2).innerText()).replace(/\s+/g, " ");
  await check(page, `budgets-${language}`);
  await keys.nth(1).getByRole("button", { name: say("usage.end"), exact: true }).click();
  await page.locator("dialog[open] h2", { hasText: say("usage.end") }).waitFor();
  await confirm(page);
  await keys.nth(1).waitFor({ state: "detached" });

  const low = page.locator("#low");
  await page.getByLabel(`${say("usage.alert")} (SAHARA)`).fill(written("900,000,000"));
  await page.keyboard.press("Tab");
  await low.waitFor();
  await page.reload();
  await low.waitFor();
  await check(page, `deposit-low-${language}`);
  const left = await keys.count();
  await page.getByLabel(`${say("usage.alert")} (SAHARA)`).fill("");
  await page.keyboard.press("Tab");
  await low.waitFor({ state: "detached" });
  // What nobody has cannot be paid in: that is said in words.
  await page.getByLabel(`${say("amount")} (SAHARA)`).fill(written("900,000,000"));
  await page.getByRole("button", { name: say("usage.topUp"), exact: true }).click();
  await page.locator("dialog[open] h2", { hasText: say("usage.topUp") }).waitFor();
  await confirm(page);
  await page.getByText(say("error.funds")).waitFor();
  await who.context.close();
  return { isHeld, daily, left };
}

// A grant from beginning to end: somebody asks, the programme's manager approves, what was done is delivered and paid.
import { check, confirm, connects, gateway, visitor, wallet } from "./web_people.mjs";

async function comes(index) {
  const who = await visitor();
  const { address } = await wallet(who, index);
  await who.page.goto(`${gateway}/governance`);
  await connects(who.page);
  const section = who.page.locator("section[aria-labelledby=grants]");
  return { ...who, address, section };
}
const grant = ({ section, say }, number) => section.locator(".grant", { hasText: `${say("grant")} #${number}` });

/** Clicks what somebody may do with a grant, and confirms it. */
async function does(who, number, name) {
  await grant(who, number).getByRole("button", { name: who.say(name), exact: true }).click();
  await who.page.locator("dialog[open] h2", { hasText: who.say(name) }).waitFor();
  await confirm(who.page);
}

/** Accounts of the test mnemonic. A first grant was given before: one milestone of two was paid, the other taken back. */
export async function grants(manager, reviewer, grantee) {
  const [manages, reviews, asks] = await Promise.all([manager, reviewer, grantee].map(comes));
  const { page, say, section } = asks;
  await grant(asks, 1).waitFor();
  const before = (await grant(asks, 1).innerText()).replace(/\s+/g, " ");
  const programme = (await section.locator("tbody tr").first().innerText()).replace(/\s+/g, " ");

  await section.getByRole("button", { name: say("grant.ask"), exact: true }).click();
  const form = section.locator("form");
  await form.locator("select").selectOption("1");
  await form.locator("textarea").fill("Names of all islands, checked by hand.");
  await form.getByLabel(`${say("grant.milestone", { number: 1 })} (SAHARA)`).fill("50");
  await check(page, "grant-asked");
  await form.getByRole("button", { name: say("next"), exact: true }).click();
  await page.locator("dialog[open] h2", { hasText: say("grant.ask") }).waitFor();
  await confirm(page);

  // Everybody sees by itself what the others did.
  await grant(manages, 2).getByLabel(say("grant.reviewer")).fill(reviews.address);
  await does(manages, 2, "grant.approve");
  await grant(asks, 2).getByLabel(say("grant.evidence")).fill("In the registry, under its name");
  await does(asks, 2, "grant.deliver");
  await does(reviews, 2, "grant.accept");
  await grant(asks, 2).locator(".tag", { hasText: say("grant.state.2") }).waitFor();
  await check(page, "grant-paid");
  const after = (await grant(asks, 2).innerText()).replace(/\s+/g, " ");
  await Promise.all([manages, reviews, asks].map(({ context }) => context.close()));

  const phone = await visitor({ language: "id", width: 390, height: 844, scheme: "dark" });
  await phone.page.goto(`${gateway}/governance`);
  const there = grant({ section: phone.page.locator("section[aria-labelledby=grants]"), say: phone.say }, 2);
  await there.locator(".tag", { hasText: phone.say("grant.state.2") }).waitFor();
  await check(phone.page, "grants-id");
  await phone.context.close();
  return { before, programme, after };
}

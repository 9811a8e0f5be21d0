// Work that is shared and guarded: who made it is paid by units, and only those build on it whom the owner approves.
import { agrees, check, registers } from "./web_people.mjs";

async function finishes(who, name) {
  await who.page.getByRole("button", { name: who.say("studio.register"), exact: true }).click();
  await agrees(who, "deed.register", { name });
}

export async function shares(owner, first, second, name) {
  const { page, say, language } = owner;
  await registers(owner, { name, kind: "dataset", file: `{"text":"${name}"}\n` });
  await page.getByLabel(say("studio.derivatives")).selectOption("1");
  const sharing = page.locator("section[aria-labelledby=sharing]");
  await sharing.getByRole("button", { name: say("studio.addMember"), exact: true }).click();
  await sharing.getByLabel(say("account"), { exact: true }).fill(first.address);
  await sharing.getByLabel(say("asset.units"), { exact: true }).fill("3");
  const parts = (await sharing.locator(".share .number").allInnerTexts()).map((text) => text.replace(/\s/g, ""));
  await check(page, `shared-${language}`);
  await finishes(owner, name);
  await page.waitForURL(/\/market\/\d+$/);
  await page.locator(`section[aria-labelledby=people] a[href="/account/${first.address}"]`).waitFor();
  const isGuarded = (await page.locator("#derivatives").innerText()) === say("derivatives.1");
  const approvals = page.locator("form[aria-labelledby=approvals]");
  await approvals.getByLabel(say("account"), { exact: true }).fill(first.address);
  await approvals.getByRole("button", { name: say("approvals.give"), exact: true }).click();
  await agrees(owner, "deed.approve", { name });
  await approvals.getByText(say("approvals.done")).waitFor();
  await check(page, `approved-${language}`);

  // Nobody approved the second.
  const parents = [name];
  await registers(second, { name: `Without ${language}`, kind: "dataset", file: `without ${language}`, parents });
  await finishes(second, `Without ${language}`);
  await second.page.getByText(second.say("error.DerivativesRefused")).waitFor();
  await registers(first, { name: `With ${language}`, kind: "dataset", file: `with ${language}`, parents });
  await finishes(first, `With ${language}`);
  await first.page.waitForURL(/\/market\/\d+$/);
  return { parts, isGuarded };
}

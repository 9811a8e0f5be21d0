// Without a mouse: everything that a visitor does is reached by the keyboard, and one sees where one is.
import { gateway, look, visitor } from "./web_people.mjs";

/** Presses Tab until the focus is where `is` says; fails when it never comes there, or cannot be seen. */
async function tabs(page, selector) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate((wanted) => {
      const one = document.activeElement;
      return { is: one?.matches(wanted) ?? false, seen: one ? getComputedStyle(one).outlineStyle !== "none" : false };
    }, selector);
    if (here.is && !here.seen) throw new Error(`the focus on ${selector} cannot be seen`);
    if (here.is) return presses + 1;
  }
  throw new Error(`Tab never comes to ${selector}`);
}

export async function types() {
  const { context, page } = await visitor();
  await page.goto(gateway);
  await page.locator(".talk select").waitFor();
  await tabs(page, "a.skip");
  await page.keyboard.press("Enter");
  const skipped = await page.evaluate(() => document.activeElement?.id);

  await page.goto(gateway);
  await page.locator(".talk select").waitFor();
  await tabs(page, "#find");
  await page.keyboard.type("island");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=island/);
  await page.locator("main a.card").first().waitFor();
  await tabs(page, "main a.card");
  await look(page, "found-by-keyboard");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/market\/\d+$/);
  const found = new URL(page.url()).pathname;

  await page.goto(`${gateway}/chat`);
  await page.locator(".talk select").waitFor();
  await tabs(page, ".talk textarea");
  await page.keyboard.type("Hello!");
  await page.keyboard.press("Enter");
  await page.locator(".talk summary").waitFor();
  await tabs(page, ".talk summary");
  await page.keyboard.press("Enter");
  const payees = await page.locator(".talk .bill li").count();

  // A dialog keeps the focus, Escape closes it, and one is back where one was.
  await tabs(page, "header button.little:last-of-type");
  await page.keyboard.press("Enter");
  await page.locator("dialog[open]").waitFor();
  const inside = await page.evaluate(() => document.querySelector("dialog[open]")?.contains(document.activeElement));
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  const isBack = await page.evaluate(() => document.activeElement?.matches("header button"));
  await context.close();
  return { skipped, found, payees, inside, isBack };
}

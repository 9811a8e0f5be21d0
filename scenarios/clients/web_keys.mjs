// Without a mouse: everything that a visitor does is reached by the keyboard, and one sees where one is.
import { check, gateway, look, visitor } from "./web_people.mjs";

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

const shown = (page) => page.locator("header .mono").innerText();

async function choosesOwnKey(page, say) {
  await page.locator("header button").last().click();
  await page.locator("dialog[open]").getByRole("button", { name: say("account.browserKey"), exact: true }).click();
}

/** One browser has one key: two tabs that make one at once end with the same, and one that cannot be read is not replaced. */
export async function keeps() {
  const { context, page, say } = await visitor();
  const kept = await shares({ context, page, say });
  const forgotten = await forgets({ page, say });
  await context.close();
  return { ...kept, ...forgotten };
}

/** What a key was sealed with is gone: that is said, and the key is forgotten only by whoever types that it shall be. */
async function forgets({ page, say }) {
  const before = await shown(page);
  await page.evaluate(async () => {
    const other = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const opened = indexedDB.open("sahara", 1);
    await new Promise((done, refuse) => Object.assign(opened, { onsuccess: done, onerror: refuse }));
    const change = opened.result.transaction("vault", "readwrite");
    change.objectStore("vault").put(other, "sealing-key");
    await new Promise((done, refuse) => Object.assign(change, { oncomplete: done, onerror: refuse }));
    opened.result.close();
  });
  await page.goto(gateway);
  await page.getByRole("button", { name: say("account.connect"), exact: true }).waitFor();
  await choosesOwnKey(page, say);
  const dialog = page.locator("dialog[open]");
  await dialog.locator("[role=alert]", { hasText: say("error.sealed") }).waitFor();
  await dialog.getByRole("link", { name: say("nav.settings"), exact: true }).click();
  const word = say("settings.forgetWord");
  const field = page.getByLabel(say("settings.forgetType", { word }));
  const forget = page.getByRole("button", { name: say("settings.forgetYes"), exact: true });
  await field.fill(word.toLowerCase());
  const isGuarded = await forget.isDisabled();
  await check(page, "key-that-does-not-open");
  await field.fill(word);
  await forget.click();
  await page.getByText(say("settings.noKey")).waitFor();
  await choosesOwnKey(page, say);
  const anew = await shown(page);
  await page.reload();
  return { isGuarded, isAnew: anew !== before && (await shown(page)) === anew };
}

async function shares({ context, page, say }) {
  const tabs = [page, await context.newPage()];
  for (const tab of tabs) {
    await tab.goto(gateway);
    await tab.locator("header button").last().click();
    await tab.locator("dialog[open]").waitFor();
  }
  await Promise.all(tabs.map((tab) => tab.getByRole("button", { name: say("account.browserKey"), exact: true }).click()));
  const made = await Promise.all(tabs.map(shown));
  await Promise.all(tabs.map((tab) => tab.reload()));
  const kept = await Promise.all(tabs.map(shown));

  // The browser's database does not open: an error is said, and no new key is made over the old one.
  await page.locator("header button").last().click();
  await page.locator("dialog[open]").getByRole("button", { name: say("account.leave"), exact: true }).click();
  await page.getByRole("button", { name: say("account.connect"), exact: true }).waitFor();
  await page.evaluate(() => {
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = () => {
      throw new DOMException("the database is in use", "InvalidStateError");
    };
    globalThis.mend = () => Object.assign(IDBFactory.prototype, { open });
  });
  await choosesOwnKey(page, say);
  await page.locator("dialog[open] [role=alert]").waitFor();
  await look(page, "no-database");
  await page.evaluate(() => globalThis.mend());
  await page.locator("dialog[open]").getByRole("button", { name: say("account.browserKey"), exact: true }).click();
  const again = await shown(page);

  // Another key takes its place only when somebody says so, who is told what is lost.
  const bring = async () => {
    await page.goto(`${gateway}/settings`);
    await page.getByLabel(say("settings.import")).fill(`0x${"11".repeat(32)}`);
    await page.getByRole("button", { name: say("settings.importDo"), exact: true }).click();
    await page.locator("dialog[open] h2", { hasText: say("settings.replace") }).waitFor();
  };
  await bring();
  await look(page, "replace-key");
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  const refused = await shown(page);
  await bring();
  await page.locator("dialog[open] button.main").click();
  await page.waitForFunction((before) => document.querySelector("header .mono")?.textContent !== before, again);
  const brought = await shown(page);
  return { keys: new Set([...made, ...kept, again, refused]).size, isBrought: brought !== again };
}

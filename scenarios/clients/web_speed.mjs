// How soon the home page shows something: first visits, each with an empty cache, then visits that know the files.
//
// node web_speed.mjs GATEWAY VISITS: medians as JSON.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [gateway, visits] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Observes from before the page's first byte. */
function observe() {
  globalThis.seen = { shift: 0, largest: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.seen.largest = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
}

async function visit(context, path, ready) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  let bytes = 0;
  const kinds = new Map();
  devtools.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (["Document", "Script", "Stylesheet", "Image"].includes(kinds.get(requestId))) bytes += encodedDataLength;
  });
  await page.addInitScript(observe);
  await page.goto(gateway + path);
  for (const selector of ready) await page.locator(selector).first().waitFor();
  const whole = await page.evaluate(() => performance.now());
  // A frame after what was waited for, so that its paint and its shift are counted.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const found = await page.evaluate(() => ({
    first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1,
    largest: globalThis.seen.largest,
    shift: globalThis.seen.shift,
  }));
  await page.close();
  return { ...found, whole, bytes };
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
function summary(all) {
  const of = (name, digits = 0) => Number(median(all.map((one) => one[name])).toFixed(digits));
  return {
    first_paint_ms: of("first"),
    largest_paint_ms: of("largest"),
    everything_ms: of("whole"),
    kibibytes: Number((median(all.map((one) => one.bytes)) / 1_024).toFixed(1)),
    shift: of("shift", 3),
  };
}

async function series(path, ready, isWarm) {
  const all = [];
  const kept = isWarm ? await browser.newContext({ viewport: { width: 1280, height: 850 } }) : undefined;
  if (kept) await visit(kept, path, ready);
  for (let count = 0; count < Number(visits); count += 1) {
    const context = kept ?? (await browser.newContext({ viewport: { width: 1280, height: 850 } }));
    all.push(await visit(context, path, ready));
    if (!kept) await context.close();
  }
  await kept?.close();
  return summary(all);
}

const HOME = [".talk select", ".figures dd", "main table, main .empty"];
// The browser's own pace: a text of the same server, without a script.
await series("/llms.txt", ["pre"], false);
const seen = {
  visits: Number(visits),
  first: await series("/", HOME, false),
  again: await series("/", HOME, true),
  text: await series("/llms.txt", ["pre"], false),
  load: readFileSync("/proc/loadavg", "utf8").split(" ")[0],
};
await browser.close();
console.log(JSON.stringify(seen));

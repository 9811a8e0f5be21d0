// How soon the home page shows something: first visits, each with an empty cache, then visits that know the files.
//
// node web_speed.mjs GATEWAY VISITS: medians as JSON.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { measured } from "./web_meter.mjs";

const [gateway, visits] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

async function visit(context, path, ready) {
  const page = await context.newPage();
  const found = await measured(page, gateway + path, ready);
  await page.close();
  return found;
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

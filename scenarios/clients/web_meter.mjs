// What a visit costs: bytes, paint and shift.

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

/** Opens an address in a page that showed nothing yet, and measures until everything in `ready` is there: milliseconds and bytes. */
export async function measured(page, address, ready) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  let bytes = 0;
  const kinds = new Map();
  devtools.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (["Document", "Script", "Stylesheet", "Image"].includes(kinds.get(requestId))) bytes += encodedDataLength;
  });
  await page.addInitScript(observe);
  await page.goto(address);
  for (const selector of ready) await page.locator(selector).first().waitFor();
  const whole = await page.evaluate(() => performance.now());
  // A frame after what was waited for, so that its paint and its shift are counted.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const found = await page.evaluate(() => ({
    first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1,
    largest: globalThis.seen.largest,
    shift: globalThis.seen.shift,
  }));
  return { ...found, whole, bytes };
}

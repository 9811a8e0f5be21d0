// Who does not answer is asked again, what is shown meanwhile is said to be old, and a stream that broke misses nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { built } from "./built.mjs";

const { Problem, flushSync, followChain, followed, late, listen, live, reached, resource, rooted } = await built("patience.svelte.ts");

/** Lets everything happen that waits for nothing but its turn. */
async function settled() {
  for (let turns = 0; turns < 50; turns += 1) await new Promise(setImmediate);
  flushSync();
}

/** A question whose answers are given by the test; `asked` counts. */
function question(t, about) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const one = { asked: 0, answer: () => Promise.resolve("first") };
  const id = followed(1);
  const stop = rooted(() => {
    one.found = resource(
      () => {
        void id.value;
        one.asked += 1;
        return one.answer();
      },
      about ? () => id.value : undefined,
    );
  });
  t.after(stop);
  return { one, id };
}
const broken = () => Promise.reject(new Problem("the index is busy", "busy", 503));

test("an answer stays while nobody answers, is said to be old, and is asked for again", async (t) => {
  const { one } = question(t);
  flushSync();
  await settled();
  assert.equal(one.found.data, "first");
  assert.equal(late.isAny, false);
  one.answer = broken;
  await one.found.reload();
  assert.equal(one.found.data, "first");
  assert.equal(late.isAny, true);
  // A second, then two, then four: never more than half a minute.
  for (const [failures, wait] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    t.mock.timers.tick(wait - 1);
    await settled();
    assert.equal(one.asked, failures + 2);
    t.mock.timers.tick(1);
    await settled();
    assert.equal(one.asked, failures + 3);
  }
  one.answer = () => Promise.resolve("second");
  late.again();
  await settled();
  assert.equal(one.found.data, "second");
  assert.equal(one.found.error, undefined);
  assert.equal(late.isAny, false);
  const { asked } = one;
  t.mock.timers.tick(100_000);
  await settled();
  assert.equal(one.asked, asked);
});

test("a refusal is an answer", async (t) => {
  const { one } = question(t);
  flushSync();
  await settled();
  one.answer = () => Promise.reject(new Problem("there is no block 7", "not_found", 404));
  await one.found.reload();
  assert.equal(one.found.data, undefined);
  assert.equal(one.found.error.status, 404);
  assert.equal(late.isAny, false);
  t.mock.timers.tick(100_000);
  await settled();
  assert.equal(one.asked, 2);
});

test("what was said about one thing does not stand in for another", async (t) => {
  const { one, id } = question(t, true);
  flushSync();
  await settled();
  one.answer = broken;
  id.value = 2;
  flushSync();
  await settled();
  assert.equal(one.found.data, undefined);
  assert.equal(one.found.error.status, 503);
  assert.equal(late.isAny, true);
  one.answer = () => Promise.resolve("of 2");
  t.mock.timers.tick(1_000);
  await settled();
  assert.equal(one.found.data, "of 2");
});

test("a page that is left asks no more and is not late", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  let found;
  let answer = () => Promise.resolve(1);
  const stop = rooted(() => {
    found = resource(() => ((asked += 1), answer()));
  });
  flushSync();
  await settled();
  answer = broken;
  await found.reload();
  assert.equal(late.isAny, true);
  stop();
  assert.equal(late.isAny, false);
  t.mock.timers.tick(100_000);
  await settled();
  assert.equal(asked, 2);
});

test("a stream that broke goes on where it was, and pages ask again", async (t) => {
  const { one } = question(t);
  flushSync();
  await settled();
  const server = { head: 5, opened: [] };
  const encoder = new TextEncoder();
  t.mock.method(globalThis, "fetch", async (path, init = {}) => {
    if (server.head === undefined) throw new TypeError("fetch failed");
    if (path.startsWith("/api/v1/blocks")) return Response.json({ data: [{ number: server.head, time: 0 }], next: null });
    assert.equal(path, "/api/v1/events/live");
    server.opened.push(init.headers["last-event-id"]);
    const body = new ReadableStream({
      start(control) {
        server.say = (name, id, data) => control.enqueue(encoder.encode(`event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`));
        server.hold = () => control.enqueue(encoder.encode(":\n\n"));
        server.close = () => control.close();
        init.signal.addEventListener("abort", () => control.error(init.signal.reason), { once: true });
      },
    });
    return new Response(body);
  });
  const heard = [];
  listen((event) => heard.push(event.id));
  void followChain();
  await settled();
  // From what the index had when the page was opened.
  assert.deepEqual([server.opened, live.state, live.head, one.asked], [["5"], "live", 5, 1]);
  let isThere = false;
  void reached(6).then(() => (isThere = true));
  server.say("Paid", "6-0", { id: "6-0" });
  await settled();
  assert.equal(isThere, false);
  server.say("block", "6", { number: 6, time: 1 });
  await settled();
  assert.deepEqual([heard, live.head, isThere], [["6-0"], 6, true]);

  // The server goes away, and three blocks later it is back.
  server.head = undefined;
  server.close();
  await settled();
  assert.equal(live.state, "lost");
  t.mock.timers.tick(1_000);
  await settled();
  assert.deepEqual([live.state, one.asked], ["lost", 1]);
  server.head = 9;
  let isPast = false;
  void reached(9).then(() => (isPast = true));
  t.mock.timers.tick(2_000);
  await settled();
  assert.deepEqual([server.opened, live.state, live.head, isPast], [["5", "6"], "live", 9, true]);
  // Once, and not before.
  assert.equal(one.asked, 2);
  server.say("block", "7", { number: 7, time: 2 });
  await settled();
  assert.equal(live.head, 9);

  // A line on which nothing is heard is broken; one on which the server says that it is there is not.
  t.mock.timers.tick(39_000);
  server.hold();
  await settled();
  t.mock.timers.tick(39_000);
  await settled();
  assert.equal(live.state, "live");
  t.mock.timers.tick(1_000);
  await settled();
  assert.equal(live.state, "lost");
  // A night later: from the head on, and everything is asked anew.
  server.head = 40_000;
  t.mock.timers.tick(1_000);
  await settled();
  assert.deepEqual([server.opened, live.recent, one.asked], [["5", "6", "40000"], [], 3]);
  // Another chain begins again.
  server.close();
  server.head = 2;
  await settled();
  t.mock.timers.tick(1_000);
  await settled();
  assert.deepEqual([server.opened.at(-1), live.head], ["2", 2]);
});

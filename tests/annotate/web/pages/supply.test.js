// Supplies: whatever comes late, nothing is replaced and nothing comes twice.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { settle } from "../../../web/pages/browser_globals.js";

const { PrefetchSupply } = await import("../../../../src/cxrview/annotate/web/static/prefetch_supply.js");
const { ServerSupply } = await import("../../../../src/cxrview/annotate/web/static/server_supply.js");
const { SignedOut, Unreachable } = await import("../../../../src/cxrview/web/static/server.js");

const item = (showing) => ({ showing });
const names = (supply) => supply.items.map(({ showing }) => showing);
const on = { onChange() {}, onCounts() {} };

// A server with a list, that answers when it is told to.
function listServer(all) {
  const waiting = [];
  const ask = (address) => new Promise((resolve, reject) => {
    const query = new URL(address, "http://x").searchParams;
    const held = query.get("held").split(",");
    const told = all.filter((one) => !held.includes(one)).slice(0, Number(query.get("count")));
    waiting.push({ answer: (more = {}) => resolve({ items: told.map(item), left: all.length, ...more }), reject, query });
  });
  return { ask, waiting };
}

const page = (more = {}) => ({ address: "/api/next", tab: "t", count: 2, few: 1, behind: 2, unsent: () => [], ...more });

test("one question is under way at a time, and answers are added behind", async () => {
  const { ask, waiting } = listServer(["a", "b", "c", "d"]);
  const supply = new PrefetchSupply(page(), on, ask);
  supply.start();
  supply.askNow();
  supply.askNow();
  assert.equal(waiting.length, 1);
  waiting[0].answer();
  await settle();
  supply.advance();
  assert.deepEqual(names(supply), ["b"]);
  supply.advance();
  assert.equal(waiting.length, 2);
  supply.restore([item("a"), item("b")]);
  waiting[1].answer();
  await settle();

  assert.deepEqual(names(supply).slice(0, 2), ["a", "b"]);
  assert.equal(new Set(names(supply)).size, names(supply).length);
});

test("what an undo brought back is not taken in again", async () => {
  const { ask, waiting } = listServer(["a", "b"]);
  const supply = new PrefetchSupply(page({ count: 1, few: 0 }), on, ask);
  supply.start();
  waiting[0].answer();
  await settle();
  supply.advance(); // asks while "a" is neither held nor, for the server, read
  supply.restore([item("a")]);
  waiting[1].answer({ items: [item("a"), item("b")] });
  await settle();

  assert.deepEqual(names(supply), ["a", "b"]);
});

test("unsent images are told once each, the screen's first, the newest before the oldest", async () => {
  const { ask, waiting } = listServer(["a"]);
  const unsent = ["a", ...Array.from({ length: 500 }, (_, i) => `u${i}`)];
  const supply = new PrefetchSupply(page({ unsent: () => [...unsent] }), on, ask);
  supply.items = [item("a")];
  supply.start();
  const held = waiting[0].query.get("held").split(",");

  assert.equal(held.length, 400);
  assert.equal(new Set(held).size, 400);
  assert.deepEqual(held.slice(0, 2), ["a", "u499"]);
});

test("an empty list says nothing of the server until it has answered, and then stays so", async () => {
  const { ask, waiting } = listServer(["a", "b"]);
  const supply = new PrefetchSupply(page({ count: 1, few: 0 }), on, ask);
  supply.start();
  waiting[0].answer();
  await settle();
  assert.equal(supply.isCurrent, true);
  supply.advance(); // an answer that comes late must not look as if another tab had the image
  assert.deepEqual([names(supply), supply.isCurrent], [[], false]);
  waiting[1].answer({ items: [] });
  await settle();
  assert.deepEqual([names(supply), supply.isCurrent], [[], true]);
  supply.askNow();
  assert.deepEqual([waiting.length, supply.isCurrent], [3, true]);
});

test("however often it is asked offline, one timer runs", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const supply = new PrefetchSupply(page(), on, () => {
    asked += 1;
    return Promise.reject(new Unreachable());
  });
  for (let i = 0; i < 5; i += 1) {
    supply.askNow();
    await settle();
  }
  assert.equal(asked, 5);
  mock.timers.tick(3000);
  await settle();
  assert.equal(asked, 6);
  mock.timers.reset();
});

test("trouble is told and goes away with an answer", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let isOut = true;
  const supply = new PrefetchSupply(page(), on, () =>
    (isOut ? Promise.reject(new SignedOut()) : Promise.resolve({ items: [item("a")], left: 1 })));
  supply.start();
  await settle();
  assert.ok(supply.trouble instanceof SignedOut);
  isOut = false;
  mock.timers.tick(3000);
  await settle();
  assert.equal(supply.trouble, null);
  mock.timers.reset();
});

test("after the closing of the blind round nothing is left and nothing is asked", async () => {
  const { ask, waiting } = listServer(["a", "b", "c"]);
  const supply = new PrefetchSupply(page(), on, ask);
  supply.start();
  waiting[0].answer();
  await settle();
  supply.answered({ left: 3, closed: true });
  supply.askNow();

  assert.deepEqual([supply.isClosed, names(supply), waiting.length], [true, [], 1]);
});

test("what another tab has taken is dropped", async () => {
  const { ask, waiting } = listServer(["a", "b", "c"]);
  const supply = new PrefetchSupply(page({ few: 3 }), on, ask);
  supply.start();
  waiting[0].answer();
  await settle();
  waiting[1].answer({ items: [], lost: ["a"] });
  await settle();

  assert.deepEqual(names(supply), ["b"]);
});

test("an answer that an undo has overtaken changes nothing", async () => {
  const answers = [];
  const supply = new ServerSupply("/api/conflict", async () => true, on, () => new Promise((resolve) => answers.push(resolve)));
  supply.start();
  await settle();
  answers[0]({ item: item("a"), left: 2 });
  await settle();
  supply.advance();
  await settle();
  supply.restore([item("a")]);
  answers[1]({ item: item("b"), left: 1 });
  await settle();

  assert.deepEqual(names(supply), ["a"]);
});

test("where no conflict is left it asks again after a while", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const supply = new ServerSupply("/api/conflict", async () => true, on, async () => {
    asked += 1;
    return { item: null, left: 0 };
  });
  supply.start();
  await settle();
  mock.timers.tick(14_000);
  await settle();
  assert.equal(asked, 1);
  mock.timers.tick(1000);
  await settle();
  assert.equal(asked, 2);
  mock.timers.reset();
});

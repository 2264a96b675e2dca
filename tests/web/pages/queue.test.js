// The queue and what it keeps: in order, once each, whatever one entry or one answer is like.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { clear, settle } from "./browser_globals.js";

const SHARED = "../../../src/cxrview/web/static";
const { UnsentActions, countUnsent } = await import(`${SHARED}/unsent_actions.js`);
const { Queue } = await import(`${SHARED}/queue.js`);
const { Unreachable } = await import(`${SHARED}/server.js`);

const action = (uid) => ({ uid, showing: uid, act: "label" });
const quiet = { onChange() {}, onAnswer() {} };
beforeEach(clear);

test("batches go out in order until nothing waits", async () => {
  const sent = [];
  const unsent = new UnsentActions("k", "t");
  const queue = new Queue(unsent, async (actions) => {
    sent.push(actions.map(({ uid }) => uid));
    return { written: actions.map(({ uid }) => uid), refused: [] };
  }, quiet);
  queue.add(...Array.from({ length: 60 }, (_, i) => action(`u${i}`)));

  assert.equal(await queue.sendAll(), true);
  assert.deepEqual(sent.map(({ length }) => length), [50, 10]);
  assert.deepEqual(sent.flat(), Array.from({ length: 60 }, (_, i) => `u${i}`));
});

test("what the server did not answer stays, and what it refused is set aside with its reason", async () => {
  let isDown = true;
  const unsent = new UnsentActions("k", "t");
  const queue = new Queue(unsent, async () => {
    if (isDown) throw new Unreachable();
    return { written: ["a"], refused: [{ uid: "b", why: "closed" }] };
  }, quiet);
  queue.add(action("a"), action("b"));
  assert.equal(await queue.sendAll(), false);
  assert.equal(queue.size, 2);
  isDown = false;
  assert.equal(await queue.sendAll(), true);
  const aside = Object.keys(localStorage).filter((name) => name.startsWith("cxrview-refused/"));

  assert.deepEqual(aside.map((name) => JSON.parse(localStorage[name]).why), ["closed"]);
});

test("an entry that cannot be read is set aside and told, the rest is sent", async () => {
  localStorage.setItem("cxrview/k/t/1-0001", "{half");
  localStorage.setItem("cxrview/k/t/1-0002", "null");
  const unsent = new UnsentActions("k", "t");
  const told = [];
  unsent.onUnreadable = (name) => told.push(name);
  unsent.add(action("a"));

  assert.deepEqual(unsent.first(9).map(([, { uid }]) => uid), ["a"]);
  assert.equal(told.length, 2);
  assert.equal(countUnsent("k"), 1);
});

test("where storage is full an action lives as long as the page", () => {
  const full = mock.method(localStorage, "setItem", () => {
    throw new Error("full");
  });
  const unsent = new UnsentActions("k", "t");
  assert.equal(unsent.add(action("a")), false);
  assert.equal(unsent.size, 1);
  full.mock.restore();
});

test("a closed tab's actions are sent where storage is full, and stay until then", async () => {
  new UnsentActions("k", "old").add(action("a"));
  const full = mock.method(localStorage, "setItem", () => {
    throw new Error("full");
  });
  const unsent = new UnsentActions("k", "t");
  const sent = [];
  let isDown = true;
  const queue = new Queue(unsent, async (actions) => {
    if (isDown) throw new Unreachable();
    sent.push(...actions.map(({ uid }) => uid));
    return { written: actions.map(({ uid }) => uid), refused: [] };
  }, quiet);
  unsent.takeOver("old");
  unsent.takeOver("old");
  assert.equal(await queue.sendAll(), false);
  assert.deepEqual([unsent.size, countUnsent("k")], [1, 1]);
  isDown = false;
  assert.equal(await queue.sendAll(), true);
  full.mock.restore();

  assert.deepEqual(sent, ["a"]);
  assert.deepEqual([countUnsent("k"), unsent.otherTabs()], [0, []]);
});

test("a closed tab's actions are taken over in their order", async () => {
  mock.timers.enable({ apis: ["Date"], now: 1e12 });
  new UnsentActions("k", "old").add(action("a"));
  const unsent = new UnsentActions("k", "t");
  assert.deepEqual(unsent.otherTabs(), ["old"]);
  unsent.add(action("of the same millisecond"));
  unsent.takeOver("old");
  mock.timers.setTime(1e12 + 1);
  unsent.add(action("b"));
  await settle();
  mock.timers.reset();
  const uids = unsent.first(9).map(([, { uid }]) => uid);

  assert.deepEqual(new Set(uids.slice(0, 2)), new Set(["a", "of the same millisecond"]));
  assert.deepEqual(uids.slice(2), ["b"]);
});

// A page's labels, what is counted, and what an undo takes back.

import assert from "node:assert/strict";
import { test } from "node:test";
import "../../../web/pages/browser_globals.js";

const SHARED = "../../../../src/cxrview/web/static";
const STATIC = "../../../../src/cxrview/annotate/web/static";
const { PageLabels } = await import(`${STATIC}/page_labels.js`);
const { countsNow, unsentReadings } = await import(`${STATIC}/counts.js`);
const { pageByPage } = await import(`${STATIC}/history.js`);
const { keyOf, keyRows } = await import(`${SHARED}/keys.js`);

const kept = () => {
  const map = new Map();
  return { get: (key) => map.get(key), set: (key, value) => map.set(key, value), delete: (...keys) => keys.forEach((key) => map.delete(key)) };
};

test("a stray default label leaves the exceptions as they are", () => {
  const page = new PageLabels(["a", "b", "c"], kept());
  page.defaultLabel = "frontal";
  page.nextLabel("b", ["frontal", "lateral"]);
  page.defaultLabel = "lateral";
  assert.equal(page.isException("b"), false);
  page.defaultLabel = "frontal";

  assert.equal(page.isException("b"), true);
  assert.equal(page.summary, "2 frontal · 1 lateral");
});

test("a page laid anew has its marks", () => {
  const store = kept();
  const page = new PageLabels(["a", "b"], store);
  page.defaultLabel = "frontal";
  page.mark("b", { reason: "duplicate" });

  assert.deepEqual(new PageLabels(["a", "b"], store).readings, page.readings);
});

test("a page on which nothing can be displayed is complete only once all are excluded", () => {
  const page = new PageLabels(["a", "b"], kept());
  page.markUnreadable("a");
  page.markUnreadable("b");
  page.defaultLabel = "frontal";
  page.mark("a", { label: "lateral" });
  assert.deepEqual([page.isComplete, page.readings], [false, []]);
  page.mark("a", { reason: "other" });
  page.mark("b", { reason: "other" });

  assert.equal(page.isComplete, true);
  assert.equal(page.summary, "2 excluded: other");
});

test("what waits counts as read, an undo as unread, within what there is", () => {
  const actions = [
    ...["label", "exclude", "flag", "postpone"].map((act) => ({ act })),
    ...["label", "postpone"].map((undone) => ({ act: "undo", undone })),
  ];
  assert.equal(unsentReadings(actions), 1);
  assert.deepEqual(countsNow({ done: 3, all: 4 }, actions), { done: 4, all: 4 });
  assert.deepEqual(countsNow({ done: 4, all: 4 }, actions), { done: 4, all: 4 });
  assert.deepEqual(countsNow({ left: 3 }, actions), { left: 3 });
});

test("readings of a page are undone together, single ones are not the grid's", () => {
  const at = (seconds) => new Date(1e12 + seconds * 1000).toISOString();
  const told = [["a", 0, "grid"], ["b", 0.1, "grid exception"], ["c", 5, "single"], ["d", 60, "grid"]]
    .map(([showing, seconds, how]) => ({ showing, uid: showing, how, made: at(seconds), act: "label", said: "x", note: "" }));

  assert.deepEqual(pageByPage(told).map((page) => page.map(({ item }) => item.showing)), [["a", "b"], ["d"]]);
});

test("a key is known whatever the keyboard writes", () => {
  const key = (name, code, shiftKey = false) => keyOf({ key: name, code, shiftKey });
  assert.equal(key("é", "Digit2"), "2");
  assert.equal(key("2", "Digit2", true), "2");
  assert.equal(key("а", "KeyF"), "f");
  assert.equal(key("F", "KeyF"), "f");
  assert.equal(key("F", "KeyF", true), "Shift+f");
  assert.equal(key("?", "Minus", true), "?");
});

test("a label's key wins, its action moves to Shift", () => {
  const rows = keyRows([{ name: "PA", key: "p" }, { name: "other", key: "0" }], [["postpone", "", ["p"]], ["reset", "", ["0", "Home"]]]);
  assert.deepEqual(rows.map(({ keys }) => keys), [["p"], ["0"], ["Shift+p"], ["Home"]]);
});

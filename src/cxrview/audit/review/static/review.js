// Accept or reject: the keys, the image and what is written around it.

import { announce, hint } from "./announce.js";
import { byId, formatInteger } from "./dom.js";
import { listenToGestures } from "./gestures.js";
import { edgeFor, ImageCache } from "./image_cache.js";
import { areLettersOff, setLettersOff } from "./key_setting.js";
import { keyRows, listenToKeys, showKeyTable, wireButtons } from "./keys.js";
import { queueKey } from "./page_config.js";
import { Queue } from "./queue.js";
import { ReviewSession } from "./review_session.js";
import { getBlob, getJson, postJson, Refused, SignedOut } from "./server.js";
import { acquireTabId } from "./tab_lock.js";
import { UnsentActions } from "./unsent_actions.js";
import { painted, Viewer } from "./viewer.js";
import { VIEWING_ACTIONS, viewingActs } from "./viewing_keys.js";
import { refetchSharper } from "./sharper_image.js";

/** @typedef {import("./review_session.js").Item} Item */

const CONCURRENT = 3;
// Well below LEASE_SECONDS of leases.py, or an image that is looked at for long is given to another tab.
const RENEW_MS = 45_000;
/** @type {Record<string, string>} */
const VIEW_OF = { PA: "frontal", AP: "frontal", LL: "lateral", RL: "lateral" };
/** @type {[string, string, string[]][]} */
const ACTIONS = [
  ["accept", "accept the proposed view", ["a", "Enter"]],
  ["reject", "reject it: the image shows the other view", ["r"]],
  ["unreadable", "mark as unreadable: no view can be seen", ["x"]],
  ["PA", "frontal, and you know that it is PA", ["1"]],
  ["AP", "frontal, and you know that it is AP", ["2"]],
  ["LL", "lateral, and you know that it is LL (left side at the detector)", ["3"]],
  ["RL", "lateral, and you know that it is RL (right side at the detector)", ["4"]],
  ["skip", "skip: decide later", ["s"]],
  ["undo", "undo, back to that image", ["u", "Backspace"]],
  ["autoWindow", "automatic window on / off", ["w"]],
  ["invert", "invert", ["i"]],
  ["rotate", "rotate by a quarter, for viewing only", ["t"]],
  ...VIEWING_ACTIONS,
  ["keys", "show these keys", ["?", "h"]],
];

// The token in the address became a cookie: it need not stay in the history of the browser.
history.replaceState(null, "", "/");

/** @type {Item | null} */
let shown = null;
let isDrawn = false;
let drawnWindow = "minmax";
/** @type {{waiting: number, lastError: unknown, isSafe: boolean}} */
let sending = { waiting: 0, lastError: null, isSafe: true };

const viewer = new Viewer(byId("picture"), byId("window"), (display) => {
  const parts = [
    (display.window !== 100 || display.level !== 50) && `window ${Math.round(display.window)} level ${Math.round(display.level)}`,
    display.invert && "inverted",
    display.zoom > 1 && `× ${display.zoom.toFixed(1)}`,
    display.rotation && `${display.rotation}°`,
  ];
  byId("shown-as").textContent = parts.filter(Boolean).join(" · ");
  refetch();
});
const { width, height } = byId("picture");
const images = new ImageCache(edgeFor(Math.min(width, height)), CONCURRENT, () => refresh());
const refetch = refetchSharper(viewer, () => ({ showing: shown?.showing, window: images.window }));
listenToGestures(byId("picture"), viewer);

const tab = await acquireTabId(queueKey);
const unsent = new UnsentActions(queueKey, tab);
const queue = new Queue(unsent, (actions) => postJson("/api/decisions", { actions }), {
  onChange: (state) => {
    sending = state;
    showSending();
  },
  onAnswer: (answer) => {
    if (answer.refused.length) hint(`Not accepted: ${answer.refused[0].why}`);
    session.setCounts(/** @type {any} */ (answer));
    session.refill();
  },
});
const session = new ReviewSession(tab, {
  fetch: getJson,
  unsent: () => queue.actions(),
  send: (action) => queue.add(action),
  onChange: () => refresh(),
});

/** @type {Record<string, () => void>} */
const acts = {
  accept: () => decide("accept"),
  reject: () => decide("reject"),
  unreadable: () => decide("unreadable"),
  PA: () => decideProjection("PA"),
  AP: () => decideProjection("AP"),
  LL: () => decideProjection("LL"),
  RL: () => decideProjection("RL"),
  skip: () => decide("skip"),
  undo: () => {
    if (!session.undo()) return hint("Nothing to undo");
    say("undone");
  },
  autoWindow: () => {
    images.window = images.window === "auto" ? "minmax" : "auto";
    const isAuto = images.window === "auto";
    document.querySelector('[data-act="autoWindow"]')?.setAttribute("aria-pressed", String(isAuto));
    hint(isAuto ? "Automatic window on" : "Automatic window off");
    refresh();
  },
  ...viewingActs(viewer),
  keys: () => byId("keys").showModal(),
};
const rows = keyRows([], ACTIONS);
listenToKeys(rows, (name) => acts[name]());
wireButtons(rows, (name) => acts[name]());
showKeyTable(rows);
byId("letters-off").checked = areLettersOff();
byId("letters-off").addEventListener("change", (/** @type {Event} */ event) => {
  const areOff = /** @type {HTMLInputElement} */ (event.target).checked;
  if (!setLettersOff(areOff)) return hint("This browser does not keep the setting");
  location.reload(); // the keys on the buttons are others
});
byId("export").addEventListener("click", saveCsv);
byId("again").addEventListener("click", async () => {
  await queue.sendAll();
  session.setCounts(await postJson("/api/skipped", {}));
  session.refill();
});
// Where the browser keeps nothing, this page is the only place of what waits.
addEventListener("beforeunload", (event) => {
  if (!queue.isSafe && queue.size) event.preventDefault();
});

await queue.start();
await session.start();
refresh();
setInterval(renew, RENEW_MS);
document.addEventListener("visibilitychange", renew);

function renew() {
  if (!document.hidden) session.renew();
}

/**
 * Near 0 and 100 with more digits, which show how sure the model is.
 * @param {number} pfi
 */
function formatPercent(pfi) {
  return `${pfi.toFixed(pfi < 1 || pfi > 99 ? 3 : 1)} %`;
}

/** @param {string} proposed */
function otherView(proposed) {
  return proposed === "frontal" ? "lateral" : "frontal";
}

/** @param {string} projection it says which view it is, too */
function decideProjection(projection) {
  if (!shown) return hint(emptyWords());
  decide(VIEW_OF[projection] === shown.proposed ? "accept" : "reject", projection);
}

/**
 * @param {string} act
 * @param {string | null} projection
 */
function decide(act, projection = null) {
  if (!shown) return hint(emptyWords());
  const { bitmap, why } = images.get(shown.showing);
  if (act === "accept" || act === "reject") {
    if (why) return hint("This image cannot be displayed. Skip it, or mark it as unreadable.");
    if (!bitmap) return hint("Image still loading");
  }
  const view = act === "accept" ? shown.proposed : otherView(shown.proposed);
  const words = act === "accept" || act === "reject" ? `${act}ed: ${projection ?? view}` : act === "skip" ? "skipped" : act;
  say(words);
  session.decide(act, projection);
}

/** @param {string} words */
function say(words) {
  byId("last").textContent = words;
  announce(words);
}

function refresh() {
  images.prefetch(session.showings);
  const item = session.items[0] ?? null;
  showCounts();
  if (item?.showing !== shown?.showing || item?.said !== shown?.said) setItem(item);
  showAgain(!item && session.isAtEnd && Boolean(session.counts?.skipped));
  if (!item) return showMessage(emptyWords());
  const { bitmap, why } = images.get(item.showing);
  if (isDrawn && drawnWindow === images.window) return;
  if (bitmap) paint(item, bitmap);
  else if (why) showUnreadable(why);
  else if (!isDrawn) showMessage("Loading the image …");
}

/** @param {boolean} isOffered whether to offer the skipped images; Enter then shows them */
function showAgain(isOffered) {
  const button = byId("again");
  const isNew = button.hidden && isOffered;
  button.hidden = !isOffered;
  if (isNew) button.focus();
}

/** @param {Item | null} item */
function setItem(item) {
  shown = item;
  isDrawn = false;
  byId("facts").classList.toggle("idle", !item);
  if (!item || !images.get(item.showing).bitmap) viewer.show(null);
  if (!item) return;
  byId("reason").textContent = item.reason;
  const view = item.header_view && item.header_view !== item.header ? ` (${item.header_view})` : "";
  byId("header").textContent = item.header ? item.header + view : "no view";
  byId("by").textContent = item.by === "readers" ? "Readers" : "Model";
  byId("proposed").textContent = item.proposed;
  byId("pfi").textContent = item.pfi === null ? "unknown" : formatPercent(item.pfi);
  byId("pfi-bar").hidden = item.pfi === null;
  byId("pfi-bar").value = item.pfi ?? 0;
  byId("path").textContent = item.path;
  byId("accepted").textContent = item.proposed;
  byId("rejected").textContent = otherView(item.proposed);
  for (const id of ["said-title", "said-before"]) byId(id).hidden = !item.said;
  byId("said-before").textContent = item.said ? `${item.said}, undone` : "";
}

/**
 * @param {Item} item
 * @param {ImageBitmap} bitmap
 */
function paint(item, bitmap) {
  // The same image through another window: zoom and place stay.
  if (isDrawn) viewer.sharpen(bitmap);
  else viewer.show(bitmap);
  drawnWindow = images.window;
  if (isDrawn) return;
  isDrawn = true;
  showMessage("");
  painted().then((at) => {
    if (shown === item) document.dispatchEvent(new CustomEvent("painted", { detail: { showing: item.showing, at } }));
  });
}

/** @param {string} why */
function showUnreadable(why) {
  isDrawn = true;
  drawnWindow = images.window;
  showMessage(`This image cannot be displayed: ${why}. Skip it, or mark it as unreadable.`);
}

/** @param {string} words */
function showMessage(words) {
  // Set only when it changed, or a screen reader would read it again.
  if (byId("message").textContent !== words) byId("message").textContent = words;
  byId("message").hidden = !words;
}

function emptyWords() {
  const { counts, isAtEnd } = session;
  if (!counts || !isAtEnd) return "Loading the next image …";
  if (counts.left) return "The images that are left are open in another tab or browser.";
  if (counts.skipped) return `All images are decided except ${formatInteger(counts.skipped)} that you skipped.`;
  return counts.total ? "All images are decided. End cxrview with Ctrl-C in the terminal." : "There is nothing to decide: no header disagrees, and no image is in the review band.";
}

function showCounts() {
  if (!session.counts) return;
  const { total, decided, skipped, left } = session.counts;
  byId("count").textContent = `${formatInteger(decided)} of ${formatInteger(total)}`;
  byId("state").textContent = `${formatInteger(left)} left${skipped ? `, ${formatInteger(skipped)} skipped` : ""}`;
  byId("progress").max = Math.max(1, total);
  byId("progress").value = decided;
}

function showSending() {
  const { waiting, lastError, isSafe } = sending;
  const count = waiting === 1 ? "1 decision is not saved yet" : `${waiting} decisions are not saved yet`;
  const kept = isSafe ? "kept in this browser" : "kept in this tab only, so leave it open";
  let words = "";
  if (waiting && lastError) {
    words = lastError instanceof SignedOut
      ? `cxrview was started again. ${count}, ${kept}: open the new address that it printed.`
      : lastError instanceof Refused
        ? `${count}, ${kept}: ${lastError.message}`
        : `cxrview cannot be reached, or cannot write. ${count}, ${kept}; you can continue.`;
  }
  byId("banner").hidden = !words;
  if (byId("banner").textContent !== words) byId("banner").textContent = words;
}

async function saveCsv() {
  await queue.sendAll();
  try {
    const address = URL.createObjectURL(await getBlob("/decisions.csv"));
    const link = Object.assign(document.createElement("a"), { href: address, download: "decisions.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    hint("Decisions saved");
  } catch (error) {
    hint(error instanceof Refused ? error.message : "cxrview cannot be reached");
  }
}

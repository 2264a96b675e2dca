// /grid: sixty at once; the page gets one label, the exceptions are marked, Enter confirms.

import { askReason } from "./ask.js";
import { GridCells } from "./grid_cells.js";
import { GridPage } from "./grid_page.js";
import { GRID_ACTS, fillKeyTable, keyRows, listenToKeys, wireButtons } from "./keys.js";
import { choices } from "./page_facts.js";
import { makeAct, openQueue } from "./post.js";
import { getJson } from "./server.js";
import { say } from "./spoken.js";
import { takeTab } from "./tab.js";
import { painted } from "./viewer.js";

const CELLS = 60;
const EDGE = 256;
const AGAIN_MS = 3000;
const labels = choices.map((choice) => choice.name);
const at = (id) => document.getElementById(id);

const tab = await takeTab();
const queue = openQueue(tab, counted);
const cells = new GridCells(at("cells"), { clicked: cycle, drawn });
let page = null; // on the screen
let images = new Map();
let next = null; // {page, images}, fetched ahead
let shownAt = null; // when all of it was painted
let before = []; // confirmed pages, the last one last: {page, images, uids}
let left = null;
let isClosed = false; // the blind round, by the adjudicator

function thumbnail(showing) {
  const image = new Image();
  image.src = `/api/picture/${showing}?edge=${EDGE}`;
  image.alt = "";
  image.draggable = false;
  return image;
}

async function fetchNext() {
  const held = [...(page?.showings ?? []), ...queue.acts().map((act) => act.showing)];
  const answer = await getJson(`/api/grid?count=${CELLS}&held=${held.join(",")}&tab=${tab}`);
  counted(answer);
  left = answer.left;
  isClosed = Boolean(answer.closed);
  const showings = answer.items.map((item) => item.showing).filter((showing) => !held.includes(showing));
  if (!showings.length) return null;
  return { page: new GridPage(showings), images: new Map(showings.map((showing) => [showing, thumbnail(showing)])) };
}

async function turn() {
  lay(next ?? null);
  next = null;
  try {
    if (!page) lay(await fetchNext());
    if (page) next = await fetchNext();
  } catch {
    if (!page) message("Waiting for the server …");
  }
  // Offline, or the rest lies in another tab, or what was confirmed is not written yet.
  if (!page && left !== 0 && !isClosed) setTimeout(() => page ?? turn(), AGAIN_MS);
}

function lay(found) {
  page = found?.page ?? null;
  images = found?.images ?? new Map();
  shownAt = null;
  cells.lay(page, images);
  message(page ? "" : emptyWords());
  tell();
}

function emptyWords() {
  if (left === null) return "Fetching the next page …";
  if (!left) return "You have read everything. Thank you.";
  if (isClosed) return "The blind round is closed: no more readings are taken.";
  return "The rest is open in another tab of yours.";
}

async function drawn(which) {
  const when = await painted();
  if (which !== page) return;
  shownAt = when;
  tell();
  document.dispatchEvent(new CustomEvent("painted", { detail: { cells: page.showings.length, at: when } }));
}

const acts = {
  look: () => look(cells.showing),
  exclude,
  confirm,
  undo,
  keys: () => at("keys").showModal(),
};

function act(name, event) {
  if (name.startsWith("label:")) label(name.slice(6), event.type === "click");
  else if (name in acts) acts[name]();
  else cells.go(name);
}

// The first label is the rule of the page; from then on a key marks the cell in focus, while a
// button, which knows of no cell, changes the rule.
function label(name, isButton) {
  if (!page) return;
  if (!page.rule || isButton) return setRule(name);
  page.mark(cells.showing, { label: name });
  marked();
}

function setRule(name) {
  page.setRule(name);
  tell();
  say(`all ${page.showings.length}: ${name}`);
}

function cycle(showing) {
  if (!page.rule) return say("Choose the page's label first");
  page.cycle(showing, labels);
  marked();
}

async function exclude() {
  const [asked, showing] = [page, cells.showing];
  if (!showing) return;
  const reason = await askReason();
  if (!reason || asked !== page) return;
  page.mark(showing, { reason });
  marked();
}

function marked() {
  const { label: name, reason } = page.verdict(cells.showing) ?? {};
  say(name ?? (reason ? `excluded: ${reason}` : ""));
  tell();
}

function confirm() {
  if (!page?.isSaid) return say("Choose the page's label first");
  if (shownAt === null) return say("Not yet: some pictures are still on their way");
  const readings = page.readings;
  const each = Math.round((performance.now() - shownAt) / readings.length);
  const uids = readings.map(([showing, { label: name = "", reason = "" }, isException]) => {
    const written = makeAct(name ? "label" : "exclude", showing, {
      shown: shownAt, label: name, reason, how: isException ? "grid exception" : "grid",
    });
    // The page's time, shared out.
    written.milliseconds = each;
    queue.add(written);
    return [written.uid, showing];
  });
  before.push({ page, images, uids });
  before = before.slice(-3);
  say(`${readings.length} recorded`);
  turn();
}

// The last page comes back as it was confirmed; the one on the screen comes after it.
function undo() {
  const last = before.pop();
  if (!last) return say("Nothing to undo");
  for (const [uid, showing] of last.uids) queue.add(makeAct("undo", showing, { undoes: uid }));
  if (page) next = { page, images };
  lay(last);
  say("page taken back");
}

function look(showing) {
  if (!showing) return;
  const closer = at("closer");
  closer.querySelector("img").src = `/api/picture/${showing}?edge=1024`;
  closer.showModal();
}
for (const how of ["click", "keydown"]) at("closer").addEventListener(how, (event) => {
  event.preventDefault();
  event.stopPropagation();
  at("closer").close();
});

function tell() {
  cells.update();
  const isReady = Boolean(page?.isSaid) && shownAt !== null;
  document.querySelector('[data-act="confirm"]').disabled = !isReady;
  for (const button of document.querySelectorAll("[data-label]")) {
    button.setAttribute("aria-pressed", String(button.dataset.label === page?.rule));
  }
  at("tally").textContent = page ? page.tally || "Which label is the rule here?" : "";
}

function counted({ done, all }) {
  if (all === undefined) return;
  at("progress").max = Math.max(1, all);
  at("progress").value = done;
}

function message(words) {
  at("message").textContent = words;
  at("message").hidden = !words;
}

const rows = keyRows(choices, GRID_ACTS);
listenToKeys(rows, act);
wireButtons(rows, act);
fillKeyTable(document.querySelector("#keys tbody"), rows);
turn();

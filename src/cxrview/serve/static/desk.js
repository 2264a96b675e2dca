// The reading desk: one picture, its keys, and the acts that come of them. Where the pictures come
// from (a worklist, a queue of conflicts) is the page's matter.

import { askNote, askReason } from "./ask.js";
import { tellSignedOut } from "./banner.js";
import { face } from "./desk_face.js";
import { listenToGestures } from "./gestures.js";
import { DESK_ACTS, fillKeyTable, keyRows, listenToKeys, wireButtons } from "./keys.js";
import { Pace } from "./pace.js";
import { choices } from "./page_facts.js";
import { edgeFor, Pictures } from "./pictures.js";
import { makeAct, openQueue } from "./post.js";
import { getJson, SignedOut } from "./server.js";
import { sharpenOnZoom } from "./sharper.js";
import { say } from "./spoken.js";
import { painted, Viewer } from "./viewer.js";

const ZOOM_STEP = 1.25;
const PAN_STEP = 60;
// What the server says of a file that it can't open: that is no reason to exclude an image.
const GONE = "cannot_open";

export class Desk {
  #supply;
  #queue;
  #viewer;
  #pictures;
  #words;
  #pace = new Pace();
  #item = null; // on the desk, drawn or not
  #isDrawn = false;
  #shownAt = null; // when it was painted; null while it is not
  #note = "";
  #marked = new Set();
  #history = []; // acts that may be taken back, the last one last
  #counts = { done: 0, all: 0 };

  // page: {round, tab, supply(queue, hears), words: {end, elsewhere}}, and where it has any
  // showItem(item), which shows what else is known of a picture, and keep(desk).
  constructor(page) {
    this.page = page;
    this.#words = page.words;
    const canvas = document.getElementById("picture");
    this.#viewer = new Viewer(canvas, document.getElementById("window"), {
      changed: (display) => {
        face.display(display);
        sharpen(display);
      },
    });
    const sharpen = sharpenOnZoom(this.#viewer, () => this.#item?.showing);
    listenToGestures(canvas, this.#viewer);
    const { width, height } = canvas;
    this.#pictures = new Pictures(edgeFor(Math.min(width, height)), { arrived: () => this.#refresh() });
    this.#queue = openQueue(page.tab, (answer) => this.#supply.answered?.(answer));
    this.#supply = page.supply(this.#queue, {
      moved: () => this.#refresh(),
      counted: (answer) => this.#counted(answer),
    });
    this.#wireKeys();
    this.#recallHistory();
  }

  // Writes a reading of the picture that lies on the desk, and goes on to the next.
  judge(act, said, words) {
    const isRead = this.#item && (this.#shownAt !== null || act === "postpone");
    if (!isRead) return say("Not yet: the picture is still on its way");
    const item = this.#item;
    const written = makeAct(act, item.showing, {
      shown: this.#shownAt, note: this.#note, display: this.#display(), ...said,
    });
    this.#queue.add(written);
    this.#history.push({ uid: written.uid, item, act, note: this.#note });
    if (act !== "postpone") this.#pace.took();
    this.#tell(words);
    this.#supply.take();
  }

  get item() {
    return this.#item;
  }

  #wireKeys() {
    const here = DESK_ACTS.filter(([act]) =>
      act.startsWith("pan") || document.querySelector(`[data-act="${act}"]`));
    const rows = keyRows(choices, here);
    const act = (name) => (name.startsWith("label:") ? this.#label(name.slice(6)) : this.#acts[name]());
    listenToKeys(rows, act);
    wireButtons(rows, act);
    fillKeyTable(document.querySelector("#keys tbody"), rows);
  }

  #acts = {
    exclude: () => this.#exclude(),
    postpone: () => this.judge("postpone", {}, "postponed"),
    mark: () => this.#mark(),
    note: () => this.#write(),
    undo: () => this.#undo(),
    keep: () => this.page.keep(this),
    invert: () => this.#viewer.invert(),
    rotate: () => this.#viewer.rotate(),
    zoomIn: () => this.#viewer.zoomBy(ZOOM_STEP),
    zoomOut: () => this.#viewer.zoomBy(1 / ZOOM_STEP),
    panLeft: () => this.#viewer.panBy(PAN_STEP, 0),
    panRight: () => this.#viewer.panBy(-PAN_STEP, 0),
    panUp: () => this.#viewer.panBy(0, PAN_STEP),
    panDown: () => this.#viewer.panBy(0, -PAN_STEP),
    reset: () => this.#viewer.reset(),
    keys: () => document.getElementById("keys").showModal(),
  };

  #label(label) {
    if (this.#item && this.#pictures.get(this.#item.showing).why) {
      return say("A picture that can't be drawn can be excluded or postponed");
    }
    this.judge("label", { label }, label);
  }

  async #exclude() {
    const item = this.#item;
    const reason = await askReason();
    // Another tab or an undo may have moved the desk on while the question stood.
    if (reason && item === this.#item) this.judge("exclude", { reason }, `excluded: ${reason}`);
  }

  #mark() {
    if (!this.#item) return;
    const { showing } = this.#item;
    const isMarked = !this.#marked.delete(showing);
    if (isMarked) this.#marked.add(showing);
    this.#queue.add(makeAct(isMarked ? "flag" : "unflag", showing, { shown: this.#shownAt }));
    face.marked(isMarked);
    say(isMarked ? "marked" : "mark taken away");
  }

  async #write() {
    const item = this.#item;
    if (!item) return;
    const note = await askNote(this.#note);
    if (item !== this.#item) return;
    this.#note = note;
    face.noted(note);
  }

  #undo() {
    const last = this.#history.pop();
    if (!last) return say("Nothing to undo");
    this.#queue.add(makeAct("undo", last.item.showing, { undoes: last.uid }));
    if (last.act !== "postpone") this.#pace.takenBack();
    this.#tell("undone");
    this.#supply.putBack(last.item);
    this.#note = last.note;
    face.noted(last.note);
  }

  // After a reload, what was done before it can still be undone.
  async #recallHistory() {
    const address = `/api/recent?round=${encodeURIComponent(this.page.round)}`;
    const { items } = await getJson(address).catch(() => ({ items: [] }));
    const known = new Set(this.#history.map((entry) => entry.uid));
    const before = items.filter(({ uid }) => !known.has(uid)).reverse();
    this.#history.unshift(...before.map(({ uid, showing }) => ({ uid, act: "label", item: { showing }, note: "" })));
    for (const { showing, flagged } of items) if (flagged) this.#marked.add(showing);
  }

  #refresh() {
    this.#pictures.want(this.#supply.showings);
    tellSignedOut(this.#supply.trouble instanceof SignedOut && !this.#queue.size);
    const item = this.#supply.current;
    if (item !== this.#item) this.#lay(item);
    if (!item) return face.message(this.#emptyWords());
    if (this.#isDrawn) return;
    const { bitmap, why } = this.#pictures.get(item.showing);
    if (bitmap) this.#draw(item, bitmap);
    else if (why) this.#giveUp(why);
    else face.message(this.#supply.trouble ? this.#emptyWords() : "Fetching the picture …");
  }

  #lay(item) {
    this.#item = item;
    this.#isDrawn = false;
    this.#shownAt = null;
    this.#note = "";
    face.noted("");
    face.marked(Boolean(item) && this.#marked.has(item.showing));
    this.page.showItem?.(item);
    const there = item && this.#pictures.get(item.showing).bitmap;
    if (!there) this.#viewer.show(null);
  }

  #draw(item, bitmap) {
    this.#viewer.show(bitmap);
    this.#isDrawn = true;
    face.message("");
    painted().then((at) => {
      if (this.#item !== item) return;
      this.#shownAt = at;
      document.dispatchEvent(new CustomEvent("painted", { detail: { showing: item.showing, at } }));
    });
  }

  #giveUp(why) {
    this.#isDrawn = true;
    this.#shownAt = performance.now();
    const advice = why.startsWith(GONE)
      ? "Its file is not where it was: postpone it, and tell whoever serves the study."
      : "Exclude it, or postpone it.";
    face.message(`This picture can't be drawn: ${why}. ${advice}`);
  }

  #emptyWords() {
    const { trouble, left, isClosed } = this.#supply;
    if (trouble) return "Waiting for the server …";
    if (isClosed) return "The blind round is closed: no more readings are taken.";
    if (left === null) return "Fetching the next picture …";
    return left > this.#unsentReadings() ? this.#words.elsewhere : this.#words.end;
  }

  #counted({ done, all, left }) {
    if (all !== undefined) this.#counts = { done, all };
    else if (left !== undefined) this.#counts = { waits: left };
    this.#tellCounts();
  }

  #tellCounts() {
    const { done, all, waits = null } = this.#counts;
    face.count({ done: Math.min(all, Math.max(0, done + this.#unsentReadings())), all, waits });
  }

  #unsentReadings() {
    const worth = { label: 1, exclude: 1, undo: -1 };
    return this.#queue.acts().reduce((sum, { act }) => sum + (worth[act] ?? 0), 0);
  }

  #display() {
    const { window, level, zoom, ...rest } = this.#viewer.display;
    const tenth = (value) => Math.round(value * 10) / 10;
    return { window: tenth(window), level: tenth(level), zoom: Math.round(zoom * 100) / 100, ...rest };
  }

  #tell(words) {
    face.last(words);
    face.pace(this.#pace.perHour);
    this.#tellCounts();
    say(words);
  }
}

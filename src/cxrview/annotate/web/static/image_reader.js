// Reads one image after another: keys and buttons, and the actions that they cause. The page decides
// where the images come from (a list, a queue of conflicts).

import { announce, hint } from "./announce.js";
import { promptNote, promptReason } from "./dialogs.js";
import { byId } from "./dom.js";
import { advice, fileFault } from "./file_fault.js";
import { listenToGestures } from "./gestures.js";
import { oneByOne } from "./history.js";
import { edgeFor, ImageCache } from "./image_cache.js";
import { StoredMap } from "./stored_map.js";
import { keyRows, listenToKeys, READER_ACTIONS, showKeyTable, wireButtons } from "./keys.js";
import { choices, queueKey } from "./page_config.js";
import { status, showAutoWindow } from "./reader_status.js";
import { ReadingSession } from "./reading_session.js";
import { newAction } from "./submit_queue.js";
import { painted, Viewer } from "./viewer.js";
import { viewingActs } from "./viewing_keys.js";
import { refetchSharper } from "./sharper_image.js";

/** @typedef {import("./supply.js").Item} Item */

const CONCURRENT = 3;

export class ImageReader {
  #page;
  #session;
  #viewer;
  #images;
  #notes;
  /** @type {Map<string, boolean>} flags changed on this page; the others are the server's */
  #flags = new Map();
  /** @type {Item | null} */
  #item = null;
  #isDrawn = false;
  /** @type {number | null} when it was painted; null while it is not */
  #shownAt = null;
  #shownWindow = "minmax";

  /**
   * @param {object} page
   * @param {string} page.round
   * @param {string} page.tab
   * @param {(queue: import("./queue.js").Queue, on: import("./supply.js").SupplyEvents) => import("./supply.js").Supply} page.makeSupply
   * @param {{end: string, elsewhere: string}} page.words
   * @param {(item: Item | null) => void} [page.showItem] shows the page's other facts of an image
   * @param {(reader: ImageReader) => void} [page.keep]
   */
  constructor(page) {
    this.#page = page;
    this.#notes = new StoredMap(`cxrview-notes/${queueKey}`);
    const canvas = byId("picture");
    this.#viewer = new Viewer(canvas, byId("window"), (display) => {
      status.display(display);
      refetch();
    });
    const refetch = refetchSharper(this.#viewer, () => ({ showing: this.#item?.showing, window: this.#images.window }));
    listenToGestures(canvas, this.#viewer);
    const { width, height } = canvas;
    this.#images = new ImageCache(edgeFor(Math.min(width, height)), CONCURRENT, () => this.#refresh());
    this.#session = new ReadingSession({
      ...page,
      words: { loading: "Loading the next image …", ...page.words },
      group: oneByOne,
      onChange: () => this.#refresh(),
      onCounts: (counts) => status.count(counts),
    });
    this.#wireKeys();
  }

  start() {
    return this.#session.start();
  }

  get item() {
    return this.#item;
  }

  /**
   * Shows an image that was read before, ahead of all others.
   * @param {Item} item
   */
  reopen(item) {
    if (item.note && !this.#notes.has(item.showing)) this.#notes.set(item.showing, item.note);
    this.#session.supply.restore([item]);
  }

  /**
   * Records a reading of the image that is shown, and shows the next one.
   * @param {string} act
   * @param {Record<string, string>} said
   * @param {string} words
   */
  submit(act, said, words) {
    const item = this.#item;
    if (!item) return hint(this.#session.emptyWords());
    if (this.#shownAt === null && act !== "postpone") return hint("Image still loading");
    const note = this.#note(item);
    const written = newAction(act, item.showing, {
      shown: this.#shownAt, note, display: this.#display(), ...said,
    });
    this.#notes.delete(item.showing);
    status.last(words);
    announce(words);
    const done = { uid: written.uid, item: { ...item, note: act === "postpone" ? note : "" }, act, note };
    this.#session.submit([written], [done], 1);
  }

  #wireKeys() {
    const here = READER_ACTIONS.filter(([act]) =>
      act.startsWith("pan") || document.querySelector(`[data-act="${act}"]`));
    const rows = keyRows(choices, here);
    const acts = { ...viewingActs(this.#viewer), ...this.#acts };
    const act = (/** @type {string} */ name) =>
      (name.startsWith("label:") ? this.#label(name.slice(6)) : acts[name]());
    listenToKeys(rows, act);
    wireButtons(rows, act);
    showKeyTable(rows);
  }

  /** @type {Record<string, () => void>} */
  #acts = {
    exclude: () => this.#exclude(),
    postpone: () => this.submit("postpone", {}, "postponed"),
    mark: () => this.#flag(),
    note: () => this.#write(),
    undo: () => this.#undo(),
    keep: () => this.#page.keep?.(this),
    autoWindow: () => this.#toggleAutoWindow(),
    keys: () => byId("keys").showModal(),
  };

  /** @param {string} label */
  #label(label) {
    const why = this.#item && this.#images.get(this.#item.showing).why;
    if (why) return hint(`An image that cannot be displayed takes no label. ${advice(why)}`);
    this.submit("label", { label }, label);
  }

  async #exclude() {
    const item = this.#item;
    if (!item) return hint(this.#session.emptyWords());
    const fault = fileFault(this.#images.get(item.showing).why ?? "");
    const warning = `The file is ${fault}. Do not exclude the image for that: postpone it and tell the study's administrator.`;
    const reason = await promptReason(fault ? warning : "");
    // Another tab or an undo may have changed the image while the dialog was open.
    if (reason && item === this.#item) this.submit("exclude", { reason }, `excluded: ${reason}`);
  }

  #flag() {
    const item = this.#item;
    if (!item) return hint(this.#session.emptyWords());
    const isFlagged = !this.#isFlagged(item);
    this.#flags.set(item.showing, isFlagged);
    this.#session.queue.add(newAction(isFlagged ? "flag" : "unflag", item.showing, { shown: this.#shownAt }));
    status.flagged(isFlagged);
    announce(isFlagged ? "flagged for discussion" : "flag removed");
  }

  async #write() {
    const item = this.#item;
    if (!item) return hint(this.#session.emptyWords());
    const note = await promptNote(this.#note(item));
    this.#notes.set(item.showing, note);
    if (item === this.#item) status.noted(note);
  }

  #undo() {
    const last = this.#session.undo();
    if (!last) return hint("Nothing to undo");
    for (const { item, note } of last) this.#notes.set(item.showing, note);
    status.last("undone");
    announce("undone");
    this.#session.restore(last);
  }

  #toggleAutoWindow() {
    this.#images.window = this.#images.window === "auto" ? "minmax" : "auto";
    const isAuto = this.#images.window === "auto";
    showAutoWindow(isAuto);
    hint(isAuto ? "Automatic window on" : "Automatic window off");
    this.#refresh();
  }

  /** @param {Item} item */
  #note(item) {
    return this.#notes.get(item.showing) ?? item.note ?? "";
  }

  /** @param {Item} item */
  #isFlagged(item) {
    return this.#flags.get(item.showing) ?? Boolean(item.flagged);
  }

  #refresh() {
    if (!this.#session) return;
    const { supply } = this.#session;
    this.#images.prefetch(supply.showings);
    const item = supply.items[0] ?? null;
    if (item?.showing !== this.#item?.showing) this.#setItem(item);
    if (!item) return status.message(this.#session.emptyWords());
    const { bitmap, why } = this.#images.get(item.showing);
    if (this.#isDrawn && this.#shownWindow === this.#images.window) return;
    if (bitmap) this.#paint(item, bitmap);
    else if (why) this.#showUnreadable(why);
    else if (!this.#isDrawn) status.message("Loading the image …");
  }

  /** @param {Item | null} item */
  #setItem(item) {
    this.#item = item;
    this.#isDrawn = false;
    this.#shownAt = null;
    status.noted(item ? this.#note(item) : "");
    status.flagged(item !== null && this.#isFlagged(item));
    status.said(item?.said ?? "");
    this.#page.showItem?.(item);
    const isThere = item && this.#images.get(item.showing).bitmap;
    if (!isThere) this.#viewer.show(null);
  }

  /**
   * @param {Item} item
   * @param {ImageBitmap} bitmap
   */
  #paint(item, bitmap) {
    // The same image with another window: zoom and position stay.
    if (this.#isDrawn) this.#viewer.sharpen(bitmap);
    else this.#viewer.show(bitmap);
    this.#shownWindow = this.#images.window;
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    status.message("");
    painted().then((at) => {
      if (this.#item !== item) return;
      this.#shownAt = at;
      document.dispatchEvent(new CustomEvent("painted", { detail: { showing: item.showing, at } }));
    });
  }

  /** @param {string} why */
  #showUnreadable(why) {
    this.#isDrawn = true;
    this.#shownWindow = this.#images.window;
    this.#shownAt = performance.now();
    status.message(`This image cannot be displayed: ${why}. ${advice(why)}.`);
  }

  #display() {
    const { window, level, zoom, ...rest } = this.#viewer.display;
    const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;
    const auto = this.#shownWindow === "auto" ? { auto_window: true } : {};
    return { window: tenth(window), level: tenth(level), zoom: Math.round(zoom * 100) / 100, ...rest, ...auto };
  }
}

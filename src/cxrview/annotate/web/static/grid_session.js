// Reads sixty thumbnails at once: the page gets one label, exceptions are marked, Enter confirms.
// The page on the screen is the beginning of the same supply of images that /read uses.

import { announce, hint } from "./announce.js";
import { promptReason } from "./dialogs.js";
import { all, byId } from "./dom.js";
import { advice } from "./file_fault.js";
import { GridCells } from "./grid_cells.js";
import { pageByPage } from "./history.js";
import { ImageCache } from "./image_cache.js";
import { StoredMap } from "./stored_map.js";
import { GRID_ACTIONS, keyOf, keyRows, listenToKeys, showKeyTable, wireButtons } from "./keys.js";
import { choices, queueKey } from "./page_config.js";
import { inWords, PageLabels } from "./page_labels.js";
import { PrefetchSupply } from "./prefetch_supply.js";
import { Preview } from "./preview.js";
import { status, showAutoWindow } from "./reader_status.js";
import { ReadingSession } from "./reading_session.js";
import { newAction } from "./submit_queue.js";
import { painted } from "./viewer.js";

/** @typedef {import("./supply.js").Item} Item */

export const CELLS = 60;
const EDGE = 256;
const CONCURRENT = 4;
const PAGES_KEPT = 3;
const CHOOSE = "Choose the default label for this page";
const labels = choices.map((choice) => choice.name);

export class GridSession {
  #session;
  #cells;
  #images;
  #preview;
  #marks;
  /** @type {PageLabels | null} */
  #page = null;
  /** Number of images of each page that an undo restored, and of the page that it replaced.
   * @type {number[]} */
  #sizes = [];
  /** @type {string[][]} the last confirmed pages, whose marks are kept for an undo */
  #confirmedPages = [];
  /** @type {Map<string, string>} the window in which each thumbnail of the page is shown */
  #shownWindow = new Map();
  /** @type {number | null} when all images of the page were painted */
  #shownAt = null;

  /** @param {string} tab */
  constructor(tab) {
    this.#marks = new StoredMap(`cxrview-marks/${queueKey}`);
    this.#images = new ImageCache(EDGE, CONCURRENT, (showing) => this.#arrived(showing));
    this.#cells = new GridCells(byId("cells"), {
      onClick: (showing) => this.#nextLabel(showing),
      onLook: (showing) => this.#look(showing),
    });
    const rows = keyRows(choices, GRID_ACTIONS);
    this.#preview = new Preview((event) => this.#keyInPreview(rows, event));
    this.#session = new ReadingSession({
      round: "blind",
      tab,
      makeSupply: (queue, on) =>
        new PrefetchSupply(
          {
            address: "/api/grid", tab, count: CELLS, few: CELLS, behind: CELLS,
            unsent: () => queue.actions().map(({ showing }) => showing),
          },
          on,
        ),
      words: {
        loading: "Loading the next page …",
        end: "You have read everything. Thank you.",
        elsewhere: "The remaining images are open in another of your tabs. Continue there, or here.",
      },
      group: pageByPage,
      onChange: () => this.#refresh(),
      onCounts: (counts) => status.count(counts),
    });
    const act = (/** @type {string} */ name, /** @type {Event} */ event) => this.#act(name, event);
    listenToKeys(rows, act);
    wireButtons(rows, act);
    showKeyTable(rows);
  }

  start() {
    return this.#session.start();
  }

  /**
   * @param {string} name
   * @param {Event} event
   */
  #act(name, event) {
    if (name.startsWith("label:")) this.#label(name.slice(6), event.type === "click");
    else if (name in this.#acts) this.#acts[name]();
    else this.#cells.moveFocus(name);
  }

  /** @type {Record<string, () => void>} */
  #acts = {
    look: () => this.#look(this.#cells.focused),
    exclude: () => this.#exclude(),
    autoWindow: () => this.#toggleAutoWindow(),
    confirm: () => this.#confirm(),
    undo: () => this.#undo(),
    keys: () => byId("keys").showModal(),
  };

  // Shows the next page once the current one is confirmed. The current page never changes, except
  // that images which another tab has taken over disappear.
  #refresh() {
    if (!this.#session) return;
    const { supply } = this.#session;
    const supplied = supply.items.map(({ showing }) => showing);
    const here = new Set(supplied);
    const left = this.#pageShowings.filter((showing) => here.has(showing));
    const due = left.length ? left : supplied.slice(0, this.#sizes[0] ?? CELLS);
    if (this.#page ? !isSame(due, this.#page.showings) : due.length) this.#setPage(due);
    this.#images.prefetch(supply.showings);
    status.message(this.#page ? "" : this.#session.emptyWords());
  }

  /** @param {string[]} showings */
  #setPage(showings) {
    if (showings.length) this.#sizes.shift();
    this.#page = showings.length ? new PageLabels(showings, this.#marks) : null;
    this.#shownAt = null;
    this.#shownWindow.clear();
    const { showing: previewed } = this.#preview;
    if (previewed && !showings.includes(previewed)) this.#preview.close();
    this.#cells.setPage(this.#page);
    for (const showing of showings) this.#drawCell(showing);
    this.#notify();
    this.#checkShown();
  }

  /** @param {string} showing */
  #drawCell(showing) {
    const { bitmap, why, window = "" } = this.#images.get(showing);
    if (bitmap) this.#cells.draw(showing, bitmap);
    if (bitmap) this.#shownWindow.set(showing, window);
    if (why === undefined) return;
    this.#page?.markUnreadable(showing);
    this.#cells.showUnreadable(showing, why);
  }

  /** @param {string} showing */
  #arrived(showing) {
    if (!this.#page?.showings.includes(showing)) return;
    this.#drawCell(showing);
    this.#notify();
    this.#checkShown();
  }

  async #checkShown() {
    const page = this.#page;
    const isThere = (/** @type {string} */ showing) => {
      const { bitmap, why } = this.#images.get(showing);
      return Boolean(bitmap) || why !== undefined;
    };
    if (!page || this.#shownAt !== null || !page.showings.every(isThere)) return;
    const when = await painted();
    if (page !== this.#page || this.#shownAt !== null) return;
    this.#shownAt = when;
    this.#notify();
    document.dispatchEvent(new CustomEvent("painted", { detail: { cells: page.showings.length, at: when } }));
  }

  // A button labels the page. A key labels the chosen cell, or the page if no cell was chosen yet.
  /**
   * @param {string} name
   * @param {boolean} isButton
   */
  #label(name, isButton) {
    const page = this.#page;
    if (!page) return hint(this.#session.emptyWords());
    if (!page.defaultLabel || isButton || !this.#cells.isChosen) {
      page.defaultLabel = name;
      announce(`default label: ${name}`);
      return this.#notify();
    }
    this.#mark(this.#cells.focused, { label: name });
  }

  /** @param {string} showing */
  #nextLabel(showing) {
    const page = this.#page;
    if (!page) return;
    if (!page.defaultLabel) return hint(CHOOSE);
    page.nextLabel(showing, labels);
    this.#marked(showing);
  }

  async #exclude() {
    const showing = this.#preview.showing ?? this.#cells.focused;
    if (!this.#page || !showing) return hint(this.#session.emptyWords());
    this.#cells.isChosen = true;
    const reason = await promptReason();
    if (reason && this.#page?.showings.includes(showing)) this.#mark(showing, { reason });
  }

  /**
   * @param {string | null} showing
   * @param {import("./page_labels.js").Verdict} verdict
   */
  #mark(showing, verdict) {
    if (!showing || !this.#page) return;
    const { why } = this.#images.get(showing);
    if (verdict.label && why !== undefined) {
      return hint(`An image that cannot be displayed takes no label. ${advice(why, "leave out")}`);
    }
    this.#page.mark(showing, verdict);
    this.#marked(showing);
  }

  /** @param {string} showing */
  #marked(showing) {
    announce(inWords(this.#page?.verdict(showing) ?? null));
    this.#notify();
  }

  #confirm() {
    const page = this.#page;
    if (!page) return hint(this.#session.emptyWords());
    if (!page.isComplete) return hint(this.#whyIncomplete(page));
    if (this.#shownAt === null) return hint("Some images are still loading");
    const itemOf = new Map(this.#session.supply.items.map((item) => [item.showing, item]));
    const { readings } = page;
    const each = Math.round((performance.now() - this.#shownAt) / readings.length);
    const actions = readings.map(({ showing, verdict: { label = "", reason = "" }, isException }) => ({
      ...newAction(label ? "label" : "exclude", showing, {
        shown: this.#shownAt, label, reason, how: isException ? "grid exception" : "grid",
        note: itemOf.get(showing)?.note ?? "",
        display: this.#shownWindow.get(showing) === "auto" ? { auto_window: true } : {},
      }),
      // The time spent on the page, divided among its images.
      milliseconds: each,
    }));
    const done = actions.map(({ uid, showing, act, note, how }, i) => ({
      uid, act, note, how, said: inWords(readings[i].verdict), item: itemOf.get(showing) ?? { showing },
    }));
    this.#confirmedPages = [...this.#confirmedPages, page.showings].slice(-PAGES_KEPT);
    this.#page = null;
    this.#session.submit(actions, done, page.showings.length);
    this.#forgetOldMarks();
    if (!this.#page) this.#setPage([]);
    this.#refresh();
    hint(`${readings.length} recorded`);
  }

  /** @param {PageLabels} page */
  #whyIncomplete(page) {
    return page.defaultLabel ? "None of these images can be displayed: exclude them, or read them as single images" : CHOOSE;
  }

  // Restores the last page as it was confirmed; the page on the screen follows it.
  #undo() {
    const last = this.#session.undo();
    if (!last) return hint("Nothing to undo");
    const showings = last.map(({ item }) => item.showing);
    this.#recallMarks(last);
    this.#sizes = [last.length, ...(this.#page ? [this.#page.showings.length] : []), ...this.#sizes];
    this.#page = null;
    this.#session.restore(last);
    if (!isSame(this.#pageShowings, showings)) this.#refresh();
    hint("Page undone");
  }

  get #pageShowings() {
    return /** @type {PageLabels | null} */ (this.#page)?.showings ?? [];
  }

  /**
   * Marks a page as it was when it was confirmed, also if that was before a reload.
   * @param {import("./history.js").Done[]} last
   */
  #recallMarks(last) {
    const byDefault = last.find(({ how }) => how === "grid")?.said ?? "";
    const page = new PageLabels(last.map(({ item }) => item.showing), this.#marks);
    if (byDefault) page.defaultLabel = byDefault;
    for (const { item, said = "", act } of last) {
      page.mark(item.showing, act === "exclude" ? { reason: said.replace(/^excluded: /, "") } : { label: said });
    }
  }

  #forgetOldMarks() {
    const showings = [...this.#confirmedPages.flat(), ...this.#session.supply.items.map(({ showing }) => showing)];
    this.#marks.keepOnly(new Set(showings.flatMap((showing) => [showing, `page ${showing}`])));
  }

  /** @param {string | null} showing */
  #look(showing) {
    if (!showing) return hint(this.#session.emptyWords());
    this.#preview.open(showing, this.#images.window);
  }

  /**
   * @param {import("./keys.js").KeyRow[]} rows
   * @param {KeyboardEvent} event
   */
  #keyInPreview(rows, event) {
    const key = keyOf(event);
    const act = event.repeat ? "" : (rows.find(({ keys }) => keys.includes(key))?.act ?? "");
    const { showing } = this.#preview;
    if (!showing) return;
    if (act.startsWith("label:")) {
      this.#preview.close();
      this.#cells.isChosen = true;
      this.#mark(showing, { label: act.slice(6) });
    } else if (act === "exclude") {
      this.#preview.close();
      this.#exclude();
    } else if (act === "autoWindow") {
      this.#toggleAutoWindow();
    } else if (["left", "right", "up", "down"].includes(act)) {
      this.#cells.moveFocus(act);
      this.#look(this.#cells.focused);
    }
  }

  #toggleAutoWindow() {
    this.#images.window = this.#images.window === "auto" ? "minmax" : "auto";
    const isAuto = this.#images.window === "auto";
    showAutoWindow(isAuto);
    hint(isAuto ? "Automatic window on" : "Automatic window off");
    for (const showing of this.#pageShowings) this.#drawCell(showing);
    if (this.#preview.showing) this.#look(this.#preview.showing);
  }

  #notify() {
    const page = this.#page;
    this.#cells.update();
    /** @type {HTMLButtonElement} */ (all('[data-act="confirm"]')[0]).disabled = !page?.isComplete || this.#shownAt === null;
    for (const button of all("[data-label]")) {
      button.setAttribute("aria-pressed", String(button.dataset.label === page?.defaultLabel));
    }
    const words = page ? page.summary || CHOOSE : "";
    if (byId("tally").textContent !== words) byId("tally").textContent = words;
  }
}

/**
 * @param {string[]} one
 * @param {string[]} other
 */
const isSame = (one, other) => one.length === other.length && one.every((showing, i) => showing === other[i]);

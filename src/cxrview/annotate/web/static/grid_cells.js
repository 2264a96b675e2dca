// The thumbnails of a page: a listbox with one cell in focus.

import { createElement } from "./dom.js";
import { advice, inShort } from "./file_fault.js";

const LONG_PRESS_MS = 500;
const MAX_MOVE_PIXELS = 10; // that a finger may move during a long press

export class GridCells {
  #place;
  #on;
  /** @type {import("./page_labels.js").PageLabels | null} */
  #page = null;
  /** @type {any[]} */
  #cells = [];
  #at = 0;

  /**
   * @param {HTMLElement} place
   * @param {{onClick: (showing: string) => void, onLook: (showing: string) => void}} on
   */
  constructor(place, on) {
    this.#place = place;
    this.#on = on;
    // Whether the reader has chosen the cell in focus: until then a key labels the whole page.
    this.isChosen = false;
  }

  /** @param {import("./page_labels.js").PageLabels | null} page */
  setPage(page) {
    this.#page = page;
    this.#at = 0;
    this.isChosen = false;
    this.#cells = (page?.showings ?? []).map((showing, i) => this.#cell(showing, i));
    this.#place.replaceChildren(...this.#cells);
    this.#place.scrollTop = 0;
    this.update();
    // Otherwise a screen reader would not read the cell in focus aloud.
    if (page && !document.querySelector("dialog[open]")) this.#place.focus({ preventScroll: true });
  }

  /**
   * @param {string} showing
   * @param {ImageBitmap} bitmap
   */
  draw(showing, bitmap) {
    const cell = this.#of(showing);
    if (!cell) return;
    const canvas = createElement("canvas", { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    cell.classList.remove("unreadable", "loading");
    cell.removeAttribute("title");
    cell.querySelector(".image").replaceChildren(canvas);
  }

  /**
   * @param {string} showing
   * @param {string} why
   */
  showUnreadable(showing, why) {
    const cell = this.#of(showing);
    cell?.classList.remove("loading");
    cell?.classList.add("unreadable");
    if (!cell) return;
    cell.dataset.why = inShort(why);
    cell.title = `${why}. ${advice(why, "leave out")}.`;
    cell.querySelector(".image").replaceChildren(inShort(why));
  }

  get focused() {
    return this.#page?.showings[this.#at] ?? null;
  }

  /** @param {number} index */
  focus(index) {
    this.isChosen = true;
    this.#at = Math.min(Math.max(0, index), this.#cells.length - 1);
    this.#cells[this.#at]?.scrollIntoView({ block: "nearest" });
    this.update();
  }

  /** @param {string} direction */
  moveFocus(direction) {
    const columns = getComputedStyle(this.#place).gridTemplateColumns.split(" ").length;
    const steps = /** @type {Record<string, number>} */ ({ left: -1, right: 1, up: -columns, down: columns });
    const to = this.#at + steps[direction];
    this.focus(to >= 0 && to < this.#cells.length ? to : this.#at);
  }

  update() {
    const page = this.#page;
    this.#cells.forEach((cell, i) => {
      const showing = page?.showings[i] ?? "";
      const verdict = page?.verdict(showing);
      const words = verdict ? (verdict.label ?? verdict.reason) : "";
      const isException = Boolean(page?.isException(showing));
      const isUnreadable = cell.classList.contains("unreadable");
      const said = [words || "no label yet", isException && "exception", isUnreadable && (cell.dataset.why ?? "cannot be displayed")];
      cell.classList.toggle("exception", isException);
      cell.classList.toggle("here", i === this.#at);
      cell.classList.toggle("chosen", i === this.#at && this.isChosen);
      cell.setAttribute("aria-selected", String(i === this.#at));
      cell.setAttribute("aria-label", `Image ${i + 1}: ${said.filter(Boolean).join(", ")}`);
      cell.querySelector(".verdict").textContent = words;
    });
    const here = this.#cells[this.#at];
    if (here) this.#place.setAttribute("aria-activedescendant", here.id);
    else this.#place.removeAttribute("aria-activedescendant");
  }

  /** @param {string} showing */
  #of(showing) {
    const at = this.#page?.showings.indexOf(showing) ?? -1;
    return at < 0 ? null : this.#cells[at];
  }

  /**
   * @param {string} showing
   * @param {number} i
   */
  #cell(showing, i) {
    const cell = createElement(
      "div",
      { id: `cell-${i}`, className: "cell loading" },
      createElement("div", { className: "image" }, "loading"),
      createElement("span", { className: "verdict" }),
    );
    cell.dataset.showing = showing;
    cell.setAttribute("role", "option");
    const look = () => {
      this.focus(i);
      this.#on.onLook(showing);
    };
    const wasLongPress = listenToLongPress(cell, look);
    cell.addEventListener("contextmenu", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!wasLongPress()) look();
    });
    cell.addEventListener("click", () => {
      if (wasLongPress()) return;
      this.focus(i);
      this.#on.onClick(showing);
    });
    return cell;
  }
}

/**
 * Calls act() for a long press without movement, which enlarges the image and labels nothing.
 * @param {HTMLElement} cell
 * @param {() => void} act
 * @returns {() => boolean} whether the press that has just ended was a long one
 */
function listenToLongPress(cell, act) {
  let timer = 0;
  let isLong = false;
  let start = { x: 0, y: 0 };
  cell.addEventListener("pointerdown", (event) => {
    isLong = false;
    if (event.button !== 0) return;
    start = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      isLong = true;
      act();
    }, LONG_PRESS_MS);
  });
  cell.addEventListener("pointermove", (event) => {
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > MAX_MOVE_PIXELS) clearTimeout(timer);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    cell.addEventListener(end, () => clearTimeout(timer));
  }
  return () => isLong;
}

// The texts around the image: counts, flags, messages.

import { byId, formatInteger } from "./dom.js";

/** @typedef {{window: number, level: number, invert: boolean, zoom: number, rotation: number}} Display */

export const status = {
  /** @param {string} words */
  message(words) {
    // Replaced only if it changed, or a screen reader would read it aloud again.
    if (byId("message").textContent !== words) byId("message").textContent = words;
    byId("message").hidden = !words;
  },

  /** @param {{done: number, all: number} | {left: number}} counts `left` for a queue of unknown length */
  count(counts) {
    const hasEnd = "all" in counts;
    const bar = byId("progress");
    byId("count").textContent = hasEnd ? `${formatInteger(counts.done)} of ${formatInteger(counts.all)}` : `${formatInteger(counts.left)} left`;
    bar.hidden = !hasEnd;
    if (!hasEnd) return;
    bar.max = Math.max(1, counts.all);
    bar.value = counts.done;
  },

  /** @param {boolean} isFlagged */
  flagged(isFlagged) {
    byId("marked").hidden = !isFlagged;
    document.querySelector('[data-act="mark"]')?.setAttribute("aria-pressed", String(isFlagged));
  },

  /** @param {string} note */
  noted(note) {
    byId("noted").hidden = !note;
    byId("noted").title = note;
  },

  /**
   * The reader's verdict on an image that was opened again.
   * @param {string} said
   */
  said(said) {
    byId("said-before").textContent = said ? `your reading: ${said}` : "";
  },

  /**
   * Describes how the view differs from the default view.
   * @param {Display} display
   */
  display({ window, level, invert, zoom, rotation }) {
    const parts = [
      (window !== 100 || level !== 50) && `window ${formatInteger(window)} level ${formatInteger(level)}`,
      invert && "inverted",
      zoom > 1 && `× ${zoom.toFixed(1)}`,
      rotation && `${rotation}°`,
    ];
    byId("shown-as").textContent = parts.filter(Boolean).join(" · ");
  },

  /** @param {string} words */
  last(words) {
    byId("last").textContent = words;
  },
};

/** @param {boolean} isAuto the automatic window is on */
export function showAutoWindow(isAuto) {
  document.querySelector('[data-act="autoWindow"]')?.setAttribute("aria-pressed", String(isAuto));
}

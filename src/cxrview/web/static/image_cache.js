// Fetches and decodes images before they are due, so that showing one only has to draw it.

import { getBlob, Refused } from "./server.js";

const RETRY_MS = 1500;
// The image cannot be displayed, or is not this reader's any more: a retry would not help.
const PERMANENT = new Set([404, 422]);

/** @typedef {{bitmap?: ImageBitmap, why?: string, window?: string}} Entry */

export class ImageCache {
  #edge;
  #concurrent;
  #onArrival;
  /** {bitmap} or {why} once known, {} while it is being fetched
   * @type {Map<string, Entry>} */
  #held = new Map();
  /** @type {string[]} */
  #wanted = [];
  #underWay = 0;
  #window = "minmax";

  /**
   * @param {number} edge
   * @param {number} concurrent below the six connections that a browser opens to one server, since
   *   readings need some
   * @param {(showing: string) => void} onArrival an image can be drawn, or cannot be displayed
   */
  constructor(edge, concurrent, onArrival) {
    this.#edge = edge;
    this.#concurrent = concurrent;
    this.#onArrival = onArrival;
  }

  /** "minmax" for the full range of values, "auto" for the range of the chest. */
  get window() {
    return this.#window;
  }

  set window(window) {
    this.#window = window;
    for (const { bitmap } of this.#held.values()) bitmap?.close();
    this.#held.clear();
    this.#startNext();
  }

  /**
   * Fetches images in this order, and discards all others.
   * @param {string[]} showings
   */
  prefetch(showings) {
    this.#wanted = showings;
    const wanted = new Set(showings);
    for (const [showing, { bitmap }] of this.#held) {
      if (wanted.has(showing)) continue;
      bitmap?.close();
      this.#held.delete(showing);
    }
    this.#startNext();
  }

  /**
   * Returns {bitmap}, {why} if the image cannot be displayed, or {} if it is not loaded yet.
   * @param {string} showing
   * @returns {Entry}
   */
  get(showing) {
    return this.#held.get(showing) ?? {};
  }

  #startNext() {
    for (const showing of this.#wanted) {
      if (this.#underWay >= this.#concurrent) return;
      if (!this.#held.has(showing)) this.#fetch(showing);
    }
  }

  /** @param {string} showing */
  async #fetch(showing) {
    /** @type {Entry} */
    const entry = { window: this.#window };
    this.#held.set(showing, entry);
    this.#underWay += 1;
    try {
      entry.bitmap = await fetchImage(showing, this.#edge, this.#window);
    } catch (error) {
      if (error instanceof Refused && PERMANENT.has(error.status)) entry.why = error.message;
      else return this.#tryAgain(showing, entry);
    } finally {
      this.#underWay -= 1;
    }
    // The image, or the window that it was fetched with, is not wanted any more.
    if (this.#held.get(showing) !== entry) entry.bitmap?.close();
    else this.#onArrival(showing);
    this.#startNext();
  }

  /**
   * @param {string} showing
   * @param {Entry} entry
   */
  #tryAgain(showing, entry) {
    setTimeout(() => {
      if (this.#held.get(showing) === entry) this.#held.delete(showing);
      this.#startNext();
    }, RETRY_MS);
  }
}

/**
 * @param {string} showing
 * @param {number | "full"} edge
 * @param {string} window
 */
export async function fetchImage(showing, edge, window) {
  const asked = window === "auto" ? "&window=auto" : "";
  return createImageBitmap(await getBlob(`/api/picture/${showing}?edge=${edge}${asked}`));
}

const EDGES = [1024, 1536, 2048];

/**
 * The smallest edge with enough pixels for the screen.
 * @param {number} pixels
 */
export const edgeFor = (pixels) => EDGES.find((edge) => edge >= pixels * 0.9) ?? 2048;

/**
 * @param {number} pixels
 * @returns {number | "full"}
 */
export const sharperEdge = (pixels) => EDGES.find((edge) => edge >= pixels) ?? "full";

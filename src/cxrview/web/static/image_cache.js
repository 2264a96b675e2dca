// Fetches and decodes images before they are due, so that showing one only has to draw it.

import { getBlob, Refused } from "./server.js";

const RETRY_MS = 1500;
// The image cannot be displayed, or is not this reader's any more: a retry would not help.
const PERMANENT = new Set([404, 422]);

/**
 * Whether an image cannot be displayed, so that a retry would not help.
 * @param {unknown} error
 * @returns {error is Refused}
 */
export const isPermanent = (error) => error instanceof Refused && PERMANENT.has(error.status);

/** @typedef {{bitmap?: ImageBitmap, why?: string, window?: string}} Entry */

/**
 * @param {string} showing
 * @param {string} window
 */
const keyOf = (showing, window) => `${showing} ${window}`;

export class ImageCache {
  #edge;
  #concurrent;
  #onArrival;
  /** {bitmap} or {why} once known, {} while it is being fetched; by showing and window
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
    // The first image is on the screen, and a bitmap that was closed cannot be drawn again.
    this.#keepOnly(this.#wanted.slice(0, 1));
    this.#startNext();
  }

  /**
   * Fetches images in this order, and discards all others.
   * @param {string[]} showings
   */
  prefetch(showings) {
    this.#wanted = showings;
    this.#keepOnly(showings);
    this.#startNext();
  }

  /**
   * Returns {bitmap}, {why} if the image cannot be displayed, or {} if it is not loaded yet.
   * @param {string} showing
   * @returns {Entry}
   */
  get(showing) {
    return this.#held.get(keyOf(showing, this.#window)) ?? {};
  }

  /** @param {string[]} showings in any window */
  #keepOnly(showings) {
    const kept = new Set(showings.flatMap((showing) => [keyOf(showing, "minmax"), keyOf(showing, "auto")]));
    for (const [key, { bitmap }] of this.#held) {
      if (kept.has(key)) continue;
      bitmap?.close();
      this.#held.delete(key);
    }
  }

  #startNext() {
    for (const showing of this.#wanted) {
      if (this.#underWay >= this.#concurrent) return;
      if (!this.#held.has(keyOf(showing, this.#window))) this.#fetch(showing);
    }
  }

  /** @param {string} showing */
  async #fetch(showing) {
    /** @type {Entry} */
    const entry = { window: this.#window };
    const key = keyOf(showing, this.#window);
    this.#held.set(key, entry);
    this.#underWay += 1;
    try {
      entry.bitmap = await fetchImage(showing, this.#edge, this.#window);
    } catch (error) {
      if (isPermanent(error)) entry.why = error.message;
      else return this.#tryAgain(key, entry);
    } finally {
      this.#underWay -= 1;
    }
    // The image, or the window that it was fetched with, is not wanted any more.
    if (this.#held.get(key) !== entry) entry.bitmap?.close();
    else this.#onArrival(showing);
    this.#startNext();
  }

  /**
   * @param {string} key
   * @param {Entry} entry
   */
  #tryAgain(key, entry) {
    setTimeout(() => {
      if (this.#held.get(key) === entry) this.#held.delete(key);
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

/**
 * Whether an image was made smaller by the server: its longer side is then one of the edges.
 * @param {number} longerSide
 */
export const isReduced = (longerSide) => EDGES.includes(longerSide);

// What may be undone: readings, singly or as a page of them, the last one last. Those from before
// a reload, or from another tab or computer, are asked for.

import { getJson } from "./server.js";

/** @typedef {import("./supply.js").Item} Item */
/**
 * @typedef {object} Done
 * @property {string} uid
 * @property {Item} item
 * @property {string} act
 * @property {string} note
 * @property {string} [said] the label, or "excluded: " and the reason
 * @property {string} [how]
 */

// Readings of one page are written within a moment.
const SAME_PAGE_MS = 2000;

export class History {
  /** @type {Done[][]} */
  #groups = [];

  /** @param {Done[]} group */
  push(group) {
    this.#groups.push(group);
  }

  /** @returns {Done[] | null} */
  pop() {
    return this.#groups.pop() ?? null;
  }

  /**
   * @param {string} round
   * @param {(items: any[]) => Done[][]} group
   * @param {(address: string) => Promise<any>} ask
   */
  async recall(round, group, ask = getJson) {
    const address = `/api/recent?round=${encodeURIComponent(round)}`;
    const { items } = await ask(address).catch(() => ({ items: [] }));
    const known = new Set(this.#groups.flat().map(({ uid }) => uid));
    const before = items.filter((/** @type {any} */ { uid }) => !known.has(uid)).reverse();
    this.#groups.unshift(...group(before));
  }
}

/** @param {any} told @returns {Done} */
const done = ({ uid, act, said, note, how, ...item }) => ({ uid, act, said, note, how, item });

/** @param {any[]} told the oldest first */
export const oneByOne = (told) => told.map((one) => [done(one)]);

/**
 * Only what was read on pages; a new page begins after a gap, or with the page's other readings.
 * @param {any[]} told the oldest first
 */
export function pageByPage(told) {
  /** @type {Done[][]} */
  const pages = [];
  let last = -Infinity;
  for (const one of told) {
    const made = Date.parse(one.made);
    if (one.how.startsWith("grid")) {
      if (made - last > SAME_PAGE_MS) pages.push([]);
      pages[pages.length - 1].push(done(one));
      last = made;
    }
  }
  return pages;
}

// Readings that can be undone, one by one or by page, the newest last. Readings from before a reload,
// or from another tab or computer, are fetched from the server.

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

// Readings of one page are written within this time.
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

/** @param {any} sent @returns {Done} */
const done = ({ uid, act, said, note, how, ...item }) => ({ uid, act, said, note, how, item });

/** @param {any[]} sent by the server, the oldest first */
export const oneByOne = (sent) => sent.map((one) => [done(one)]);

/**
 * Groups the readings made on grid pages by page; a new page begins after a pause.
 * @param {any[]} sent by the server, the oldest first
 */
export function pageByPage(sent) {
  /** @type {Done[][]} */
  const pages = [];
  let last = -Infinity;
  for (const one of sent) {
    const made = Date.parse(one.made);
    if (one.how.startsWith("grid")) {
      if (made - last > SAME_PAGE_MS) pages.push([]);
      pages[pages.length - 1].push(done(one));
      last = made;
    }
  }
  return pages;
}

// The reader's own list: images in hand, asked for ahead of their turn. At most one question is
// under way, and an answer only ever adds behind what is there: whatever the reader does meanwhile,
// nothing is replaced and nothing comes twice.

import { getJson } from "./server.js";

/** @typedef {import("./supply.js").Item} Item */

const RETRY_MS = 3000;
// The server reads no longer address. More wait only after a long time offline, and are sent first.
const MOST_HELD = 400;

export class PrefetchSupply {
  #page;
  #on;
  #ask;
  /** @type {Item[]} */
  #behind = []; // the last ones read, whose images are kept for an undo
  #asking = false;
  #timer = 0;
  /** @type {Item[]} */
  items = [];
  /** @type {number | null} */
  left = null;
  isClosed = false;
  /** @type {unknown} */
  trouble = null;

  /**
   * @param {{address: string, tab: string, count: number, few: number, behind: number,
   *   unsent: () => string[]}} page asks for `count` where no more than `few` are left, and keeps
   *   `behind` for an undo; unsent() gives images with actions that the server does not have yet:
   *   it must not give those again
   * @param {import("./supply.js").SupplyEvents} on
   * @param {(address: string) => Promise<any>} ask
   */
  constructor(page, on, ask = getJson) {
    this.#page = page;
    this.#on = on;
    this.#ask = ask;
  }

  start() {
    this.askNow();
  }

  get showings() {
    return [...this.items, ...this.#behind].map((item) => item.showing);
  }

  advance(count = 1) {
    this.#behind = [...this.items.slice(0, count), ...this.#behind].slice(0, this.#page.behind);
    this.items = this.items.slice(count);
    this.#on.onChange();
    this.askNow();
  }

  /** @param {Item[]} items */
  restore(items) {
    const back = new Set(items.map(({ showing }) => showing));
    /** @param {Item[]} list */
    const others = (list) => list.filter(({ showing }) => !back.has(showing));
    this.items = [...items, ...others(this.items)];
    this.#behind = others(this.#behind);
    this.#on.onChange();
  }

  /** @param {string[]} showings */
  drop(showings) {
    const gone = new Set(showings);
    this.items = this.items.filter(({ showing }) => !gone.has(showing));
    this.#on.onChange();
    this.askNow();
  }

  /** @param {any} answer */
  answered(answer) {
    this.left = answer.left;
    if (answer.closed) this.#close();
    this.#on.onCounts(answer);
    // What was postponed may come again.
    this.askNow();
  }

  /** Asks for more where few are left. */
  async askNow() {
    if (this.#asking || this.isClosed || this.items.length > this.#page.few) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    let hasMore = false;
    try {
      const held = this.#held();
      const { address, count, tab } = this.#page;
      const told = held.slice(0, MOST_HELD).join(",");
      hasMore = this.#takeIn(await this.#ask(`${address}?count=${count}&held=${told}&tab=${tab}`), held);
      this.trouble = null;
    } catch (error) {
      this.trouble = error;
    } finally {
      this.#asking = false;
    }
    this.#on.onChange();
    if (hasMore) this.askNow();
    // Offline, or the rest lies in another tab: it may come back.
    else if (this.trouble || (!this.items.length && this.left)) this.#later();
  }

  /** Those on the screen first, then the newest that wait. */
  #held() {
    return [...new Set([...this.items.map((item) => item.showing), ...this.#page.unsent().reverse()])];
  }

  /**
   * @param {any} answer
   * @param {string[]} asked
   * @returns {boolean} whether there was something new
   */
  #takeIn(answer, asked) {
    const lost = new Set(answer.lost ?? []);
    this.items = this.items.filter(({ showing }) => !lost.has(showing));
    const held = new Set([...this.#held(), ...asked]);
    const added = answer.items.filter((/** @type {Item} */ item) => !held.has(item.showing));
    this.items.push(...added);
    this.left = answer.left;
    if (answer.closed) this.#close();
    this.#on.onCounts(answer);
    return added.length > 0;
  }

  #close() {
    this.isClosed = true;
    this.items = [];
    this.#on.onChange();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.askNow(), RETRY_MS);
  }
}

// Supplies the images of the reader's own list, fetched before they are due. At most one request runs
// at a time, and its answer only appends, so that no image is replaced or comes twice, whatever the
// reader does in that time.

import { getJson } from "./server.js";

/** @typedef {import("./supply.js").Item} Item */

const RETRY_MS = 3000;
// The server accepts no longer address. More actions wait only after a long time offline, and are
// sent first.
const MAX_HELD = 400;

export class PrefetchSupply {
  #page;
  #on;
  #ask;
  /** @type {Item[]} */
  #behind = []; // the images read last, kept for an undo
  #asking = false;
  #timer = 0;
  /** @type {Item[]} */
  items = [];
  /** @type {number | null} */
  left = null;
  isClosed = false;
  isCurrent = true;
  /** @type {unknown} */
  trouble = null;

  /**
   * @param {{address: string, tab: string, count: number, few: number, behind: number,
   *   unsent: () => string[]}} page requests `count` images when no more than `few` are left, and
   *   keeps `behind` for an undo; unsent() returns images with actions that the server does not have
   *   yet, which it must not send again
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
    this.isCurrent = false;
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
    const dropped = new Set(showings);
    this.items = this.items.filter(({ showing }) => !dropped.has(showing));
    this.isCurrent = false;
    this.#on.onChange();
    this.askNow();
  }

  /** @param {any} answer */
  answered(answer) {
    this.left = answer.left;
    if (answer.closed) this.#close();
    this.#on.onCounts(answer);
    // Postponed images may be due again.
    this.askNow();
  }

  /** Requests more images if few are left. */
  async askNow() {
    if (this.#asking || this.isClosed || this.items.length > this.#page.few) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    let hasMore = false;
    try {
      const held = this.#held();
      const { address, count, tab } = this.#page;
      const heldList = held.slice(0, MAX_HELD).join(",");
      hasMore = this.#append(await this.#ask(`${address}?count=${count}&held=${heldList}&tab=${tab}`), held);
      this.trouble = null;
    } catch (error) {
      this.trouble = error;
    } finally {
      this.#asking = false;
    }
    this.#on.onChange();
    if (hasMore) this.askNow();
    // The browser is offline, or another tab holds the rest and may return it.
    else if (this.trouble || (!this.items.length && this.left)) this.#later();
  }

  /** The supplied images first, then those of unsent actions, the newest first. */
  #held() {
    return [...new Set([...this.items.map((item) => item.showing), ...this.#page.unsent().reverse()])];
  }

  /**
   * @param {any} answer
   * @param {string[]} asked
   * @returns {boolean} whether an image was appended
   */
  #append(answer, asked) {
    const lost = new Set(answer.lost ?? []);
    this.items = this.items.filter(({ showing }) => !lost.has(showing));
    const held = new Set([...this.#held(), ...asked]);
    const added = answer.items.filter((/** @type {Item} */ item) => !held.has(item.showing));
    this.items.push(...added);
    this.left = answer.left;
    this.isCurrent = true;
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

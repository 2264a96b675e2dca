// Supplies one image at a time where only the server can choose the next one. It is requested after
// all actions have been sent.

import { getJson } from "./server.js";

/** @typedef {import("./supply.js").Item} Item */

const RETRY_MS = 3000;
// While no image is due: a conflict may arise, or another adjudicator may return one.
const POLL_MS = 15_000;

export class ServerSupply {
  #address;
  #sendAll;
  #on;
  #ask;
  #asked = 0;
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
   * @param {string} address
   * @param {() => Promise<boolean>} sendAll resolves to whether the server has every action
   * @param {import("./supply.js").SupplyEvents} on
   * @param {(address: string) => Promise<any>} ask
   */
  constructor(address, sendAll, on, ask = getJson) {
    this.#address = address;
    this.#sendAll = sendAll;
    this.#on = on;
    this.#ask = ask;
  }

  start() {
    document.addEventListener("visibilitychange", () => this.#poll());
    this.#fetch();
  }

  get showings() {
    return this.items.map((item) => item.showing);
  }

  advance() {
    this.items = [];
    this.left = null;
    this.#on.onChange();
    this.#fetch();
  }

  /** @param {Item[]} items */
  restore(items) {
    this.#asked += 1; // an answer still on its way is ignored
    clearTimeout(this.#timer);
    this.items = items.slice(0, 1);
    this.#on.onChange();
  }

  /** @param {string[]} showings */
  drop(showings) {
    if (this.items.some(({ showing }) => showings.includes(showing))) this.advance();
  }

  answered() {}

  askNow() {
    if (!this.items.length) this.#fetch();
  }

  async #fetch() {
    const asked = ++this.#asked;
    clearTimeout(this.#timer);
    let answer = null;
    try {
      if (await this.#sendAll()) answer = await this.#ask(this.#address);
      if (asked === this.#asked) this.trouble = null;
    } catch (error) {
      if (asked === this.#asked) this.trouble = error;
    }
    if (asked !== this.#asked) return;
    if (answer) {
      this.items = answer.item ? [answer.item] : [];
      this.left = answer.left;
      this.#on.onCounts(answer);
    }
    if (!this.items.length) this.#later(answer ? POLL_MS : RETRY_MS);
    this.#on.onChange();
  }

  #poll() {
    if (!document.hidden && !this.items.length && this.left !== null) this.#fetch();
  }

  /** @param {number} pause */
  #later(pause) {
    const asked = this.#asked;
    this.#timer = setTimeout(() => {
      if (asked !== this.#asked) return;
      if (document.hidden) this.#later(pause);
      else this.#fetch();
    }, pause);
  }
}

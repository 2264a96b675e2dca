// What is left to decide, what was decided, and what is undone: without anything of the screen.

import { randomHex } from "./tab_lock.js";

/** @typedef {{showing: string, path: string, reason: string, header: string, header_view: string | null,
 *   proposed: string, by: string, pfi: number | null, uid?: string, said?: string}} Item */
/** @typedef {{total: number, decided: number, skipped: number, left: number}} Counts */
/** @typedef {import("./unsent_actions.js").Action} Action */
/** @typedef {{items: Item[], finished: string[]} & Counts} Answer */

const AHEAD = 6;
const FEW = 4;
const RETRY_MS = 2000;
const MOST_UNDO = 500;
// As many as the server takes in an address.
const MOST_HELD = 200;

export class ReviewSession {
  #tab;
  #on;
  /** The images that come, the first of them shown. @type {Item[]} */
  items = [];
  /** @type {{item: Item, uid: string, act: string}[]} */
  #history = [];
  #isFetching = false;
  #isAgain = false;
  #timer = 0;
  /** @type {Counts | null} */
  counts = null;
  /** Whether the server has been asked and gave none. */
  isAtEnd = false;

  /**
   * @param {string} tab
   * @param {{fetch: (address: string) => Promise<any>, unsent: () => Action[],
   *   send: (action: Action) => void, onChange: () => void}} on
   */
  constructor(tab, on) {
    this.#tab = tab;
    this.#on = on;
  }

  async start() {
    await this.refill();
    const recent = await this.#on.fetch("/api/recent").catch(() => ({ items: [] }));
    const before = recent.items.map((/** @type {any} */ item) => ({ item, uid: item.uid, act: item.said }));
    this.#history.unshift(...before.reverse());
  }

  get showings() {
    return this.items.map((item) => item.showing);
  }

  /**
   * @param {string} act
   * @param {string | null} projection
   */
  decide(act, projection = null) {
    const item = this.items.shift();
    if (!item) return;
    const uid = randomHex(16);
    this.#history.push({ item, uid, act });
    if (this.#history.length > MOST_UNDO) this.#history.shift();
    this.#on.send({ uid, showing: item.showing, act, projection, undoes: "" });
    this.#on.onChange();
    this.refill();
  }

  /** Shows the image of the last decision again. @returns {boolean} whether there was one */
  undo() {
    const last = this.#history.pop();
    if (!last) return false;
    const undoes = last.act === "skip" ? "" : last.uid;
    this.#on.send({ uid: randomHex(16), showing: last.item.showing, act: "undo", projection: null, undoes });
    this.items = this.items.filter((item) => item.showing !== last.item.showing);
    this.items.unshift({ ...last.item, said: last.act === "skip" ? undefined : last.act });
    this.isAtEnd = false;
    this.#on.onChange();
    this.renew(); // before the server puts the image back into the list of all tabs
    return true;
  }

  /** @param {Counts} counts of an answer */
  setCounts({ total, decided, skipped, left }) {
    this.counts = { total, decided, skipped, left };
    this.#on.onChange();
  }

  /** Asks for images while few are left. */
  async refill() {
    if (this.items.length < FEW) await this.#ask();
  }

  /** Keeps the images of this tab from other tabs for as long as it is open. */
  async renew() {
    if (this.counts) await this.#ask();
  }

  async #ask() {
    if (this.#isFetching) {
      this.#isAgain = true;
      return;
    }
    this.#isFetching = true;
    clearTimeout(this.#timer);
    const held = [...this.showings, ...this.#unsent()];
    const count = this.items.length < FEW ? AHEAD : 0;
    const address = `/api/next?tab=${this.#tab}&count=${count}&held=${held.slice(0, MOST_HELD).join(",")}`;
    /** @type {Answer | null} */
    const answer = await this.#on.fetch(address).catch(() => null);
    this.#isFetching = false;
    if (answer) this.#take(answer);
    else this.#timer = setTimeout(() => this.refill(), RETRY_MS);
    if (this.#isAgain) {
      this.#isAgain = false;
      this.#ask();
    }
  }

  #unsent() {
    return this.#on.unsent().map(({ showing }) => showing);
  }

  /** @param {Answer} answer */
  #take(answer) {
    const finished = new Set(answer.finished);
    // The first one stays: it is on the screen, perhaps because of an undo.
    this.items = this.items.filter((item, place) => place === 0 || !finished.has(item.showing));
    // The answer has nothing that was held when it was requested; an undo may have come since.
    const known = new Set([...this.showings, ...this.#unsent()]);
    this.items.push(...answer.items.filter((item) => !known.has(item.showing)));
    this.isAtEnd = !this.items.length;
    this.setCounts(answer);
    // Images that another tab holds are free after a while.
    if (this.isAtEnd && answer.left) this.#timer = setTimeout(() => this.refill(), RETRY_MS);
  }
}

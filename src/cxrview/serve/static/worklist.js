// What comes next on /read: pictures in hand, asked for ahead of their turn.

import { getJson } from "./server.js";

const AHEAD = 8;
const FEW = 5;
const BEHIND = 4;
const AGAIN_MS = 3000;
// The server reads no longer address. More wait only after a long time offline, and are sent first.
const MOST_HELD = 400;

export class Worklist {
  #tab;
  #unsent;
  #hears;
  #items = [];
  #behind = []; // the last ones read, whose pictures are kept for an undo
  #asking = false;
  left = null; // null before the first answer
  isClosed = false; // the blind round, by the adjudicator
  trouble = null;

  // unsent() gives the showings of acts that the server does not have yet: it must not give those
  // again. hears.moved() when what is to be shown or fetched may have changed.
  constructor(tab, unsent, hears) {
    this.#tab = tab;
    this.#unsent = unsent;
    this.#hears = hears;
    this.refill();
  }

  get current() {
    return this.#items[0] ?? null;
  }

  // In the order in which their pictures are needed.
  get showings() {
    return [...this.#items, ...this.#behind].map((item) => item.showing);
  }

  // The current one is done with: the next is there at once.
  take() {
    this.#behind = [this.#items.shift(), ...this.#behind].slice(0, BEHIND);
    this.#hears.moved();
    this.refill();
  }

  // An undo brings this one back.
  putBack(item) {
    const others = (items) => items.filter((other) => other.showing !== item.showing);
    this.#items = [item, ...others(this.#items)];
    this.#behind = others(this.#behind);
    this.#hears.moved();
  }

  // The server has taken acts: a picture that was postponed may come again.
  answered(answer) {
    this.left = answer.left;
    this.#hears.counted(answer);
    this.refill();
  }

  // Asks for more where few are left.
  async refill() {
    if (this.#asking || this.#items.length > FEW) return;
    this.#asking = true;
    try {
      const held = [...this.#items.map((item) => item.showing), ...this.#unsent()];
      const address = `/api/next?count=${AHEAD}&held=${held.slice(0, MOST_HELD).join(",")}&tab=${this.#tab}`;
      this.#takeIn(await getJson(address), held);
      this.trouble = null;
    } catch (error) {
      this.trouble = error;
    } finally {
      this.#asking = false;
    }
    // Offline, or the rest lies in another tab: it may come back.
    if (this.trouble || (!this.current && this.left > 0 && !this.isClosed)) setTimeout(() => this.refill(), AGAIN_MS);
    this.#hears.moved();
  }

  #takeIn(answer, asked) {
    const held = new Set([...this.#items.map((item) => item.showing), ...asked]);
    this.#items.push(...answer.items.filter(({ showing }) => !held.has(showing)));
    this.left = answer.left;
    this.isClosed = Boolean(answer.closed);
    this.#hears.counted(answer);
  }
}

// What comes next where only the server knows: it is asked once everything has reached it.

import { getJson } from "./server.js";

const AGAIN_MS = 3000;

export class OneByOne {
  #address;
  #flushed;
  #hears;
  #asked = 0;
  current = null;
  left = null; // null before the first answer
  trouble = null;

  // flushed() resolves to whether the server has every act of this tab.
  constructor(address, flushed, hears) {
    this.#address = address;
    this.#flushed = flushed;
    this.#hears = hears;
    this.#fetch();
  }

  get showings() {
    return this.current ? [this.current.showing] : [];
  }

  take() {
    this.current = null;
    this.left = null;
    this.#hears.moved();
    this.#fetch();
  }

  putBack(item) {
    this.#asked += 1; // an answer still under way comes too late
    this.current = item;
    this.#hears.moved();
  }

  async #fetch() {
    const asked = ++this.#asked;
    let answer = null;
    try {
      if (await this.#flushed()) answer = await getJson(this.#address);
      this.trouble = null;
    } catch (error) {
      this.trouble = error;
    }
    if (asked !== this.#asked) return;
    if (answer) {
      this.current = answer.item;
      this.left = answer.left;
      this.#hears.counted(answer);
    } else {
      setTimeout(() => asked === this.#asked && this.#fetch(), AGAIN_MS);
    }
    this.#hears.moved();
  }
}

// Every act goes in here before anything else, and leaves when the server has it. Sent in the
// background, in batches, in order, again and again until the server answers.

import { ifDead } from "./tab.js";

const BATCH = 50;
// Lets the next picture be painted before the line is written to the network.
const BREATH_MS = 30;
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];
const LEFTOVERS_EVERY_MS = 20_000;

export class Queue {
  #kept;
  #send;
  #busy = false;
  #timer = 0;
  #failures = 0;

  // send(acts) resolves to the server's {written, refused, ...}. hears.changed(state) is told
  // whenever the count or the trouble changes, hears.answered(answer) what the server says.
  constructor(kept, send, hears) {
    this.#kept = kept;
    this.#send = send;
    this.hears = hears;
    this.trouble = null;
    this.isSafe = true;
    addEventListener("online", () => this.drain());
    document.addEventListener("visibilitychange", () => this.drain());
    addEventListener("pagehide", () => this.drain());
    setInterval(() => this.#takeLeftovers(), LEFTOVERS_EVERY_MS);
    this.#takeLeftovers();
  }

  get size() {
    return this.#kept.size;
  }

  // All that wait, the oldest first.
  acts() {
    return this.#kept.first(Infinity).map(([, act]) => act);
  }

  add(act) {
    this.isSafe = this.#kept.add(act) && this.isSafe;
    this.#tell();
    if (!this.trouble) this.#later(BREATH_MS);
  }

  // Resolves to true when nothing waits any more, to false when sending it failed.
  async flushed() {
    while (this.#busy) await new Promise((resolve) => setTimeout(resolve, 10));
    await this.drain();
    return this.size === 0;
  }

  async drain() {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    try {
      let batch;
      while ((batch = this.#kept.first(BATCH)).length) await this.#sendBatch(batch);
      this.#failures = 0;
      this.trouble = null;
    } catch (error) {
      this.trouble = error;
      this.#later(PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)]);
    } finally {
      this.#busy = false;
    }
    this.#tell();
    // An act may have come while the last answer was on its way.
    if (!this.trouble && this.size) this.#later(0);
  }

  async #sendBatch(batch) {
    const answer = await this.#send(batch.map(([, act]) => act));
    const settled = new Set([...answer.written, ...answer.refused.map(({ uid }) => uid)]);
    const gone = batch.filter(([, act]) => settled.has(act.uid));
    // Else the same batch would be sent for ever.
    if (!gone.length) throw new Error("the server took none of them");
    this.#kept.remove(gone.map(([name]) => name));
    this.hears.answered(answer);
  }

  async #takeLeftovers() {
    for (const tab of this.#kept.otherTabs()) await ifDead(tab, () => this.#kept.takeOver(tab));
    if (this.size) this.drain();
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.drain(), pause);
  }

  #tell() {
    this.hears.changed({ waiting: this.size, trouble: this.trouble, isSafe: this.isSafe });
  }
}

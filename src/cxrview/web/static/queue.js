// The queue of unsent actions. Each action is stored here first, and removed when the server has it.
// Actions are sent in the background, in batches and in order, with retries until the server answers.

import { ifTabClosed } from "./tab_lock.js";

/** @typedef {import("./unsent_actions.js").Action} Action */
/** @typedef {{written: string[], refused: {uid: string, why: string}[]} & Record<string, any>} Answer */

const BATCH = 50;
// So that the next image is painted before the action is sent.
const SEND_DELAY_MS = 30;
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];
const LEFTOVERS_EVERY_MS = 20_000;

export class Queue {
  #unsent;
  #send;
  #on;
  #busy = false;
  #timer = 0;
  #failures = 0;
  /** @type {unknown} */
  lastError = null;
  isSafe = true;

  /**
   * @param {import("./unsent_actions.js").UnsentActions} unsent
   * @param {(actions: Action[]) => Promise<Answer>} send
   * @param {{onChange: (state: {waiting: number, lastError: unknown, isSafe: boolean}) => void,
   *   onAnswer: (answer: Answer) => void}} on
   */
  constructor(unsent, send, on) {
    this.#unsent = unsent;
    this.#send = send;
    this.#on = on;
  }

  /** Starts sending, also the unsent actions of closed tabs; resolves once these are taken over. */
  async start() {
    addEventListener("online", () => this.flush());
    document.addEventListener("visibilitychange", () => this.flush());
    addEventListener("pagehide", () => this.flush());
    setInterval(() => this.#takeLeftovers(), LEFTOVERS_EVERY_MS);
    await this.#takeLeftovers();
  }

  get size() {
    return this.#unsent.size;
  }

  /** All unsent actions, the oldest first. */
  actions() {
    return this.#unsent.first(Infinity).map(([, action]) => action);
  }

  /** @param {Action[]} actions */
  add(...actions) {
    for (const action of actions) this.isSafe = this.#unsent.add(action) && this.isSafe;
    this.#notify();
    if (!this.lastError) this.#later(SEND_DELAY_MS);
  }

  /** Resolves to true when everything is sent, to false if sending failed. */
  async sendAll() {
    while (this.#busy) await new Promise((resolve) => setTimeout(resolve, 10));
    await this.flush();
    return this.size === 0;
  }

  async flush() {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    try {
      let batch;
      while ((batch = this.#unsent.first(BATCH)).length) await this.#sendBatch(batch);
      this.#failures = 0;
      this.lastError = null;
    } catch (error) {
      this.lastError = error;
      this.#later(PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)]);
    } finally {
      this.#busy = false;
    }
    this.#notify();
    // An action may have come while the last answer was on its way.
    if (!this.lastError && this.size) this.#later(0);
  }

  /** @param {[string, Action][]} batch */
  async #sendBatch(batch) {
    const answer = await this.#send(batch.map(([, action]) => action));
    const written = new Set(answer.written);
    const refused = new Map(answer.refused.map(({ uid, why }) => [uid, why]));
    const settled = batch.filter(([, { uid }]) => written.has(uid) || refused.has(uid));
    // Otherwise the same batch would be sent for ever.
    if (!settled.length) throw new Error("the server took none of them");
    for (const [name, action] of settled) {
      const why = refused.get(action.uid);
      if (why === undefined) this.#unsent.remove([name]);
      else this.#unsent.setAside(name, action, why);
    }
    this.#on.onAnswer(answer);
  }

  async #takeLeftovers() {
    for (const tab of this.#unsent.otherTabs()) await ifTabClosed(tab, () => this.#unsent.takeOver(tab));
    if (this.size) this.flush();
  }

  /** @param {number} pause */
  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), pause);
  }

  #notify() {
    this.#on.onChange({ waiting: this.size, lastError: this.lastError, isSafe: this.isSafe });
  }
}

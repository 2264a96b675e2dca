// The state that /read, /grid, /adjudicate and /second-look share: a supply of images, the queue of
// unsent actions, the history for undo, and the message if there is no image.

import { hint } from "./announce.js";
import { showConnectionProblem } from "./banner.js";
import { countsNow, unsentReadings } from "./counts.js";
import { all, byId } from "./dom.js";
import { History } from "./history.js";
import { readSession, reasonOf } from "./server.js";
import { newAction, openQueue } from "./submit_queue.js";
import { TabLease } from "./tab_lease.js";

/** @typedef {import("./history.js").Done} Done */
/** @typedef {import("./supply.js").Supply} Supply */
/** @typedef {import("./queue.js").Queue} Queue */

export class ReadingSession {
  #page;
  #history = new History();
  #counted = {};

  /**
   * @param {object} page
   * @param {string} page.round
   * @param {string} page.tab
   * @param {{end: string, elsewhere: string, loading: string}} page.words
   * @param {(queue: Queue, on: import("./supply.js").SupplyEvents) => Supply} page.makeSupply
   * @param {(sent: any[]) => Done[][]} page.group how undo groups readings from before a reload
   * @param {() => void} page.onChange
   * @param {(counts: any) => void} page.onCounts
   */
  constructor(page) {
    this.#page = page;
    this.queue = openQueue(page.tab, (answer) => this.#answered(answer));
    this.supply = page.makeSupply(this.queue, {
      onChange: () => this.#changed(),
      onCounts: (answer) => {
        this.#counted = answer;
        this.updateCounts();
      },
    });
    this.lease = new TabLease(page.tab, {
      held: () => this.supply.items.map(({ showing }) => showing),
      unsent: () => this.unsentShowings(),
      onLost: (showings) => this.supply.drop(showings),
    });
    byId("take-over").addEventListener("click", () => this.#takeOver());
  }

  async start() {
    this.#changed();
    const isKnown = readSession().catch(() => {});
    this.lease.start();
    await this.queue.start();
    await this.lease.releaseClosedTabs();
    this.supply.start();
    await isKnown;
    // Unsent readings are sent first, or the server's list of readings to undo would lack them.
    await this.queue.sendAll();
    await this.#history.recall(this.#page.round, this.#page.group);
  }

  /**
   * Records the readings of the first images of the supply.
   * @param {import("./unsent_actions.js").Action[]} actions
   * @param {Done[]} done the same readings, for an undo
   * @param {number} count of images to advance by
   */
  submit(actions, done, count) {
    this.queue.add(...actions);
    this.#history.push(done);
    this.supply.advance(count);
    this.updateCounts();
  }

  /** Undoes the last reading or page of readings; returns it, or null if there is none. */
  undo() {
    const last = this.#history.pop();
    if (!last) return null;
    this.queue.add(...last.map(({ uid, item, act }) =>
      newAction("undo", item.showing, { undoes: uid, undone: act })));
    return last;
  }

  /** @param {Done[]} done */
  restore(done) {
    this.supply.restore(done.map(({ item }) => item));
    this.lease.renew();
    this.updateCounts();
  }

  unsentShowings() {
    return this.queue.actions().map(({ showing }) => showing);
  }

  updateCounts() {
    this.#page.onCounts(countsNow(this.#counted, this.queue.actions()));
  }

  /** The message if no image is due. */
  emptyWords() {
    const { trouble, left, isClosed } = this.supply;
    if (isClosed) return "The blind round is closed: no more readings are taken.";
    if (trouble) return "Waiting for the server …";
    if (left === null) return this.#page.words.loading;
    if (!this.#areSomeLeft) return this.#page.words.end;
    return this.supply.isCurrent ? this.#page.words.elsewhere : this.#page.words.loading;
  }

  get #areSomeLeft() {
    return (this.supply.left ?? 0) > unsentReadings(this.queue.actions());
  }

  get #isElsewhere() {
    const { items, trouble, isClosed, isCurrent } = this.supply;
    return !items.length && !trouble && !isClosed && isCurrent && this.#areSomeLeft;
  }

  /** @param {import("./queue.js").Answer} answer */
  #answered(answer) {
    // The server sends counts for the blind round only.
    if (this.#page.round === "blind") this.supply.answered(answer);
    this.#changed();
  }

  #changed() {
    if (!this.supply) return;
    showConnectionProblem(this.supply.trouble, this.queue.size);
    byId("take-over").hidden = !this.#isElsewhere;
    const isEmpty = !this.supply.items.length;
    for (const button of all("[data-needs-image]")) {
      /** @type {HTMLButtonElement} */ (button).disabled = isEmpty;
    }
    this.#page.onChange();
  }

  async #takeOver() {
    try {
      await this.lease.takeOver();
    } catch (error) {
      return hint(`Not taken over: ${reasonOf(error)}. Try again`);
    }
    this.supply.askNow();
  }
}

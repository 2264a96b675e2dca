// What this tab holds, so that another tab of the reader shows other images: said again and again
// while the tab is open, given back when it is closed.

import { queueKey } from "./page_config.js";
import { postJson } from "./server.js";
import { forgetClosedTabs } from "./tab_lock.js";

// Well below LEASE_SECONDS of leases.py, or an open tab loses its images.
const RENEW_MS = 45_000;

export class TabLease {
  #tab;
  #on;

  /**
   * @param {string} tab
   * @param {{held: () => string[], unsent: () => string[], onLost: (showings: string[]) => void}} on
   *   held() gives the images that are shown or fetched, unsent() those with actions not sent yet
   */
  constructor(tab, on) {
    this.#tab = tab;
    this.#on = on;
  }

  start() {
    setInterval(() => this.renew(), RENEW_MS);
    document.addEventListener("visibilitychange", () => this.renew());
    addEventListener("pagehide", () => {
      // What is not sent yet stays held, or another tab would show it before its label arrives.
      this.#say(this.#tab, this.#on.unsent(), true);
    });
  }

  /** Looking at one image for long must not free it for others. */
  async renew() {
    if (document.hidden) return;
    const answer = await this.#say(this.#tab, [...this.#on.held(), ...this.#on.unsent()], false);
    if (answer?.lost.length) this.#on.onLost(answer.lost);
  }

  /** Frees what tabs of this browser hold that were killed: those could not say so. */
  async releaseClosedTabs() {
    for (const tab of await forgetClosedTabs(queueKey, this.#tab)) await this.#say(tab, [], true);
  }

  /** Frees what every other tab of the reader holds, on this computer or another. */
  takeOver() {
    return postJson("/api/take-over", { tab: this.#tab });
  }

  /**
   * @param {string} tab
   * @param {string[]} held
   * @param {boolean} only whether everything else is given back
   * @returns {Promise<{lost: string[]} | null>} null where the server did not answer
   */
  #say(tab, held, only) {
    return postJson("/api/hold", { tab, held: [...new Set(held)], only }).catch(() => null);
  }
}

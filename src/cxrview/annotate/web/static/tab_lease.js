// Leases the images of this tab, so that another tab of the reader shows other images. The lease is
// renewed while the tab is open, and returned when it is closed.

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
   *   held() returns the images that are shown or fetched, unsent() those with unsent actions
   */
  constructor(tab, on) {
    this.#tab = tab;
    this.#on = on;
  }

  start() {
    setInterval(() => this.renew(), RENEW_MS);
    document.addEventListener("visibilitychange", () => this.renew());
    addEventListener("pagehide", () => {
      // Images with unsent actions stay held, or another tab would show them before their labels
      // arrive.
      this.#hold(this.#tab, this.#on.unsent(), true);
    });
  }

  /** Renews the lease, so that an image that is looked at for long is not given to another tab. */
  async renew() {
    if (document.hidden) return;
    const answer = await this.#hold(this.#tab, [...this.#on.held(), ...this.#on.unsent()], false);
    if (answer?.lost.length) this.#on.onLost(answer.lost);
  }

  /** Returns the images of tabs of this browser that ended without returning them, as in a crash. */
  async releaseClosedTabs() {
    for (const tab of await forgetClosedTabs(queueKey, this.#tab)) await this.#hold(tab, [], true);
  }

  /** Returns the images of every other tab of the reader, on this computer or another. */
  takeOver() {
    return postJson("/api/take-over", { tab: this.#tab });
  }

  /**
   * @param {string} tab
   * @param {string[]} held
   * @param {boolean} only whether all other images of the tab are returned
   * @returns {Promise<{lost: string[]} | null>} null if the server did not answer
   */
  #hold(tab, held, only) {
    return postJson("/api/hold", { tab, held: [...new Set(held)], only }).catch(() => null);
  }
}

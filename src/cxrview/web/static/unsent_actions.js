// Actions that the server does not have yet, in localStorage: one item each, so that the cost of
// writing one does not depend on how many there are.

/** @typedef {{uid: string, showing: string, act: string} & Record<string, any>} Action */

const ROOT = "cxrview";
const BAD = "cxrview-bad";
const REFUSED = "cxrview-refused";

/**
 * Counts the unsent actions of all tabs of a reader on this computer.
 * @param {string} queueKey
 */
export function countUnsent(queueKey) {
  return keys().filter((name) => name.startsWith(`${ROOT}/${queueKey}/`)).length;
}

export class UnsentActions {
  #prefix;
  #tab;
  #number = 0;
  /** Used if the browser stores nothing (disk full, private window); lasts as long as the page.
   * @type {Map<string, string>} */
  #memory = new Map();
  /** Names of actions in memory that another tab left in storage, to those in storage.
   * @type {Map<string, string>} */
  #left = new Map();
  /** @type {(name: string) => void} */
  onUnreadable = () => {};

  /**
   * @param {string} queueKey
   * @param {string} tab
   */
  constructor(queueKey, tab) {
    this.#prefix = `${ROOT}/${queueKey}/`;
    this.#tab = tab;
  }

  /**
   * @param {Action} action
   * @returns {boolean} whether the action survives this page
   */
  add(action) {
    const text = JSON.stringify(action);
    try {
      localStorage.setItem(this.#newName(), text);
      return true;
    } catch {
      this.#memory.set(this.#newName(), text);
      return false;
    }
  }

  /**
   * The oldest actions of this tab, as [name, action].
   * @param {number} count
   * @returns {[string, Action][]}
   */
  first(count) {
    /** @type {[string, Action][]} */
    const found = [];
    for (const name of this.#names(this.#tab)) {
      if (found.length >= count) break;
      const action = this.#read(name);
      if (action) found.push([name, action]);
    }
    return found;
  }

  /** @param {string[]} names */
  remove(names) {
    for (const name of names) {
      const stored = this.#memory.delete(name) ? this.#left.get(name) : name;
      this.#left.delete(name);
      if (stored) localStorage.removeItem(stored);
    }
  }

  /**
   * Keeps an action that the server refused under another name, with the reason.
   * @param {string} name
   * @param {Action} action
   * @param {string} why
   */
  setAside(name, action, why) {
    try {
      localStorage.setItem(name.replace(ROOT, REFUSED), JSON.stringify({ ...action, why }));
    } catch {
      // Storage is full; the banner reports the refusal.
    }
    this.remove([name]);
  }

  get size() {
    return this.#names(this.#tab).length;
  }

  /** Other tabs with unsent actions. */
  otherTabs() {
    const tabs = this.#names("").map((name) => name.slice(this.#prefix.length).split("/")[0]);
    return [...new Set(tabs)].filter((tab) => tab !== this.#tab);
  }

  /** @param {string} tab */
  takeOver(tab) {
    for (const name of this.#names(tab)) {
      const text = localStorage.getItem(name);
      if (text === null) continue;
      // The tab's id separates it from an action of this tab in the same millisecond.
      const mine = `${name.replace(`/${tab}/`, `/${this.#tab}/`)}-${tab}`;
      try {
        // Written before it is removed: after a crash in between it is sent twice, and the server
        // writes it once.
        localStorage.setItem(mine, text);
        this.#memory.delete(mine);
        this.#left.delete(mine);
        localStorage.removeItem(name);
      } catch {
        // Storage is full: it stays where it is until it is sent.
        this.#memory.set(mine, text);
        this.#left.set(mine, name);
      }
    }
  }

  /**
   * Reads one action. One that cannot be read is set aside and reported, so that the rest is sent.
   * @param {string} name
   * @returns {Action | null}
   */
  #read(name) {
    const text = this.#memory.get(name) ?? localStorage.getItem(name) ?? "";
    try {
      const action = JSON.parse(text);
      if (typeof action?.uid === "string") return action;
    } catch {
      // Reported below.
    }
    try {
      localStorage.setItem(name.replace(ROOT, BAD), text);
    } catch {
      // Storage is full.
    }
    this.remove([name]);
    this.onUnreadable(name);
    return null;
  }

  // The names sort by the time of the action, also among actions of several tabs.
  #newName() {
    this.#number = (this.#number + 1) % 10_000;
    const number = String(this.#number).padStart(4, "0");
    return `${this.#prefix}${this.#tab}/${Date.now()}-${number}`;
  }

  /** @param {string} tab */
  #names(tab) {
    const start = tab ? `${this.#prefix}${tab}/` : this.#prefix;
    return [...keys(), ...this.#memory.keys()].filter((name) => name.startsWith(start)).sort();
  }
}

function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return []; // storage is blocked in this browser
  }
}

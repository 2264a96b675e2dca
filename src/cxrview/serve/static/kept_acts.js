// Acts that the server does not have yet, in localStorage: one item each, so that writing one
// costs the same however many wait.

const ROOT = "cxrview";

export class KeptActs {
  #prefix;
  #tab;
  #number = 0;
  // Where the browser keeps nothing (disk full, private window): better than losing it at once.
  #memory = new Map();

  constructor(queueKey, tab) {
    this.#prefix = `${ROOT}/${queueKey}/`;
    this.#tab = tab;
  }

  // Whether it will outlive this page.
  add(act) {
    const text = JSON.stringify(act);
    try {
      localStorage.setItem(this.#newName(), text);
      return true;
    } catch {
      this.#memory.set(this.#newName(), text);
      return false;
    }
  }

  // The oldest acts of this tab, as [name, act].
  first(count) {
    return this.#names(this.#tab)
      .slice(0, count)
      .map((name) => [name, JSON.parse(this.#memory.get(name) ?? localStorage.getItem(name))]);
  }

  remove(names) {
    for (const name of names) if (!this.#memory.delete(name)) localStorage.removeItem(name);
  }

  get size() {
    return this.#names(this.#tab).length;
  }

  // Tabs that have left something behind, this one not counted.
  otherTabs() {
    const tabs = this.#names("").map((name) => name.slice(this.#prefix.length).split("/")[0]);
    return [...new Set(tabs)].filter((tab) => tab !== this.#tab);
  }

  takeOver(tab) {
    for (const name of this.#names(tab)) {
      // Written before it is removed: a crash in between sends it twice, which writes it once.
      localStorage.setItem(name.replace(`/${tab}/`, `/${this.#tab}/`), localStorage.getItem(name));
      localStorage.removeItem(name);
    }
  }

  // Sorts by the time of the act, also among acts that came from several tabs.
  #newName() {
    this.#number = (this.#number + 1) % 10_000;
    const number = String(this.#number).padStart(4, "0");
    return `${this.#prefix}${this.#tab}/${Date.now()}-${number}`;
  }

  #names(tab) {
    const start = tab ? `${this.#prefix}${tab}/` : this.#prefix;
    return [...Object.keys(localStorage), ...this.#memory.keys()]
      .filter((name) => name.startsWith(start))
      .sort();
  }
}

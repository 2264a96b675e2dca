// A map by image that survives a reload of this tab: notes, and labels of a page that is not
// confirmed yet.

export class StoredMap {
  #name;
  /** @type {Map<string, any>} */
  #map;

  /** @param {string} name in sessionStorage */
  constructor(name) {
    this.#name = name;
    this.#map = new Map(read(name));
  }

  /** @param {string} key */
  get(key) {
    return this.#map.get(key);
  }

  /** @param {string} key */
  has(key) {
    return this.#map.has(key);
  }

  /**
   * @param {string} key
   * @param {any} value
   */
  set(key, value) {
    this.#map.set(key, value);
    this.#write();
  }

  /** @param {string[]} keys */
  delete(...keys) {
    for (const key of keys) this.#map.delete(key);
    this.#write();
  }

  /**
   * Deletes all other keys.
   * @param {Set<string>} keys
   */
  keepOnly(keys) {
    for (const key of [...this.#map.keys()]) if (!keys.has(key)) this.#map.delete(key);
    this.#write();
  }

  #write() {
    try {
      sessionStorage.setItem(this.#name, JSON.stringify([...this.#map]));
    } catch {
      // The map still lasts as long as the page.
    }
  }
}

/** @param {string} name @returns {[string, any][]} */
function read(name) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(name) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

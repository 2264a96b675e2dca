// The little of a browser that the scripts ask for when they are loaded.

class Store {
  constructor() {
    Object.defineProperty(this, "kept", { value: new Map(), enumerable: false });
  }
  getItem(name) {
    return this[name] ?? null;
  }
  setItem(name, text) {
    this[name] = String(text);
  }
  removeItem(name) {
    delete this[name];
  }
}

globalThis.document = { querySelector: () => null, addEventListener() {}, hidden: false };
globalThis.addEventListener = () => {};
globalThis.localStorage = new Store();
globalThis.sessionStorage = new Store();

export const clear = () => {
  for (const store of [localStorage, sessionStorage]) {
    for (const name of Object.keys(store)) store.removeItem(name);
  }
};

export const settle = async () => {
  for (let i = 0; i < 20; i += 1) await null;
};

// Which tab this is. A tab keeps its id through a reload, and holds a lock of that name while it
// lives, so that others can see whether what it left behind may be taken over.

const TRY_MS = 400;
const NAME = "cxrview-tab";
const KNOWN = "cxrview-tabs";
/** @param {string} tab */
const lockOf = (tab) => `cxrview-tab-${tab}`;

/**
 * @param {string} queueKey of study and reader
 * @returns {Promise<string>}
 */
export async function acquireTabId(queueKey) {
  const before = storage("sessionStorage")?.getItem(NAME);
  // A tab that was duplicated has the id of one that still lives: then it needs its own.
  const tab = before && (await hold(before)) ? before : await newTabId();
  try {
    storage("sessionStorage")?.setItem(NAME, tab);
  } catch {
    // The browser keeps nothing: after a reload this is another tab.
  }
  remember(queueKey, (tabs) => [...tabs.filter((one) => one !== tab), tab]);
  return tab;
}

/**
 * Calls back while nobody else has that tab's lock; without locks (plain http from another
 * machine) always, which is safe for readings since the server writes none twice.
 * @param {string} tab
 * @param {() => void | Promise<void>} act
 */
export async function ifTabClosed(tab, act) {
  if (!navigator.locks) return act();
  return navigator.locks.request(lockOf(tab), { ifAvailable: true }, (lock) => (lock ? act() : undefined));
}

/**
 * Ids of tabs that are closed without having said so, as after a crash; each is told once.
 * @param {string} queueKey
 * @param {string} tab this one
 */
export async function forgetClosedTabs(queueKey, tab) {
  if (!navigator.locks) return [];
  /** @type {string[]} */
  const closed = [];
  for (const one of known(queueKey)) {
    if (one !== tab) await ifTabClosed(one, () => void closed.push(one));
  }
  remember(queueKey, (tabs) => tabs.filter((one) => !closed.includes(one)));
  return closed;
}

async function newTabId() {
  const tab = randomHex(6);
  await hold(tab);
  return tab;
}

/**
 * Resolves to whether the lock is ours; it is given back by the tab's end alone.
 * @param {string} tab
 * @returns {Promise<boolean>}
 */
function hold(tab) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const keep = () => {
      resolve(true);
      return new Promise(() => {});
    };
    // A page that is being reloaded gives its lock back a moment later.
    const options = { signal: AbortSignal.timeout(TRY_MS) };
    navigator.locks.request(lockOf(tab), options, keep).catch(() => resolve(false));
  });
}

/** @param {string} queueKey @returns {string[]} */
function known(queueKey) {
  try {
    const tabs = JSON.parse(storage("localStorage")?.getItem(`${KNOWN}/${queueKey}`) ?? "[]");
    return Array.isArray(tabs) ? tabs : [];
  } catch {
    return [];
  }
}

/**
 * @param {string} queueKey
 * @param {(tabs: string[]) => string[]} change
 */
function remember(queueKey, change) {
  try {
    storage("localStorage")?.setItem(`${KNOWN}/${queueKey}`, JSON.stringify(change(known(queueKey))));
  } catch {
    // The browser keeps nothing: images of a killed tab are free after two minutes.
  }
}

/** @param {"localStorage" | "sessionStorage"} name @returns {Storage | null} null where blocked */
function storage(name) {
  try {
    return globalThis[name];
  } catch {
    return null;
  }
}

/** @param {number} bytes */
export function randomHex(bytes) {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

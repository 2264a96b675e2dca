// The id of this tab. A tab keeps its id through a reload, and holds a lock of that name while it is
// open, so that other tabs can detect whether they may take over its unsent actions.

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
  // A duplicated tab has the id of one that is still open, and needs a new one.
  const tab = before && (await hold(before)) ? before : await newTabId();
  try {
    storage("sessionStorage")?.setItem(NAME, tab);
  } catch {
    // The browser stores nothing: after a reload the tab gets another id.
  }
  remember(queueKey, (tabs) => [...tabs.filter((one) => one !== tab), tab]);
  return tab;
}

/**
 * Calls act() while holding that tab's lock, if the tab is closed. Without locks (plain http from
 * another machine) it always calls act(), which is safe since the server writes no reading twice.
 * @param {string} tab
 * @param {() => void | Promise<void>} act
 */
export async function ifTabClosed(tab, act) {
  if (!navigator.locks) return act();
  return navigator.locks.request(lockOf(tab), { ifAvailable: true }, (lock) => (lock ? act() : undefined));
}

/**
 * Returns and forgets the ids of tabs that ended without returning their images, as in a crash.
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
 * Takes the lock of a tab until this tab ends; resolves to whether it was free.
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
    // A page that is being reloaded releases its lock a moment later.
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
    // The browser stores nothing: images of a killed tab are free once their lease ends.
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

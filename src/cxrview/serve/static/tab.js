// Which tab this is. A tab keeps its name through a reload, and holds a lock of that name while it
// lives, so that others can see whether what it left behind may be taken over.

const TRY_MS = 400;
const NAME = "cxrview-tab";
const lockOf = (tab) => `cxrview-tab-${tab}`;

export async function takeTab() {
  const before = sessionStorage.getItem(NAME);
  // A tab that was duplicated has the name of one that still lives: then it needs its own.
  const tab = before && (await hold(before)) ? before : await freshTab();
  sessionStorage.setItem(NAME, tab);
  return tab;
}

// Calls back while nobody else has that tab's lock; without locks (plain http from another
// machine) always, which is safe since the server writes no reading twice.
export async function ifDead(tab, act) {
  if (!navigator.locks) return act();
  return navigator.locks.request(lockOf(tab), { ifAvailable: true }, (lock) => lock && act());
}

async function freshTab() {
  const tab = randomHex(6);
  await hold(tab);
  return tab;
}

// Resolves to whether the lock is ours; it is given back by the tab's end alone.
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

export function randomHex(bytes) {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

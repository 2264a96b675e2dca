// Talks to the server, and tells apart why it did not answer.

import { csrfOf, queueKey, queueKeyOf } from "./page_facts.js";

const PATIENCE_MS = 20_000;
// Of one request that outlives its page. Browsers allow 64 KiB for all of them together.
const MOST_KEPT_ALIVE_BYTES = 32 << 10;

export class Unreachable extends Error {}
export class SignedOut extends Error {}
// Somebody else signed in with this browser: what this page holds is not his.
export class SomebodyElse extends Error {}
export class Refused extends Error {
  constructor(status, why) {
    super(why || `the server answered ${status}`);
    this.status = status;
  }
}

let csrf = csrfOf(document);

export async function getJson(address) {
  return (await ask(address, { headers: { Accept: "application/json" } })).json();
}

export async function getBlob(address) {
  // Pictures are fetched ahead: they give way to whatever else is under way.
  return (await ask(address, { priority: "low" })).blob();
}

export async function postJson(address, body) {
  try {
    return await post(address, body);
  } catch (error) {
    if (error.status !== 403) throw error;
    // After signing in again in another tab the page's token is a stale one.
    await renewCsrf();
    return post(address, body);
  }
}

async function post(address, said) {
  const body = JSON.stringify(said);
  const answer = await ask(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body,
    // Survives the closing of the page. Of what is too large for that a browser sends nothing.
    keepalive: new Blob([body]).size <= MOST_KEPT_ALIVE_BYTES,
  });
  return answer.json();
}

async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, {
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...options,
    });
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (answer.ok) return answer;
  if (answer.status === 401) throw new SignedOut();
  if (answer.status >= 502) throw new Unreachable(`answered ${answer.status}`);
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.why);
}

async function renewCsrf() {
  const answer = await ask(location.pathname, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!csrfOf(page)) throw new SignedOut();
  if (queueKeyOf(page) !== queueKey) throw new SomebodyElse();
  csrf = csrfOf(page);
}

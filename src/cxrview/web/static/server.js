// Requests to the server, with an error class for each reason why one failed.

import { measureSkew } from "./clock.js";
import { csrfAtLoad, queueKey } from "./page_config.js";

const TIMEOUT_MS = 20_000;
// Time limit of a picture's body: one of all pixels takes minutes on a slow line. Without a limit, a
// request whose connection was cut may never end.
const PICTURE_MS = 180_000;
// Of one request that outlives its page. Browsers allow 64 KiB for all such requests together.
const MAX_KEEPALIVE_BYTES = 32 << 10;
// The header by which the server marks a refusal because the token is of an earlier login.
const STALE = "X-Stale-Page";
// The request header with the reader whose page this is, and the header by which the server marks a
// refusal because another reader has signed in since.
const PAGE_OF = "X-Page-Of";
const DIFFERENT = "X-Different-Reader";

export class Unreachable extends Error {}
export class SignedOut extends Error {}
// Another reader has signed in with this browser, so that this page is not theirs.
export class DifferentReader extends Error {}
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {any} said what the server answered
   * @param {boolean} isStale
   */
  constructor(status, said, isStale = false) {
    super(said.why || `the server answered ${status}`);
    this.status = status;
    this.said = said;
    this.isStale = isStale;
  }
}

let csrf = csrfAtLoad;
/** @type {Set<AbortController>} */
const reading = new Set();
// A request that is answered after the page was closed would lease images to a closed tab.
addEventListener("pagehide", () => {
  for (const one of reading) one.abort();
});

/**
 * Why a request failed, as the end of a sentence.
 * @param {unknown} error
 */
export function reasonOf(error) {
  if (error instanceof SignedOut) return "you are signed out";
  if (error instanceof DifferentReader) return "another reader has signed in with this browser";
  return error instanceof Refused ? error.message : "the server cannot be reached";
}

/** @param {string} address */
export async function getJson(address) {
  return toJson(await ask(address, { headers: { Accept: "application/json" } }));
}

/** @param {string} address */
export async function getBlob(address) {
  // Images are fetched ahead of time, so that other requests come first.
  return ask(address, { priority: "low" }, PICTURE_MS);
}

/**
 * @param {string} address
 * @param {object} body
 */
export async function postJson(address, body) {
  try {
    return await post(address, body);
  } catch (error) {
    if (!(error instanceof Refused && error.isStale)) throw error;
    // After the reader signed in again in another tab, the token of this page is outdated.
    await readSession();
    return post(address, body);
  }
}

/** Fetches the CSRF token, and the server's time. */
export async function readSession() {
  await askSession();
}

/** Seconds until the login of this browser ends, also if it was made in another tab. */
export async function secondsUntilLoginEnds() {
  return (await askSession()).seconds_left;
}

async function askSession() {
  const sent = Date.now();
  const session = await getJson("/api/session");
  if (session.queue !== queueKey) throw new DifferentReader();
  csrf = session.csrf;
  measureSkew(session.now, sent, Date.now());
  return session;
}

/**
 * @param {string} address
 * @param {object} said
 */
async function post(address, said) {
  const body = JSON.stringify(said);
  const answer = await ask(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body,
    // So that the request survives the closing of the page. Browsers refuse larger ones.
    keepalive: new Blob([body]).size <= MAX_KEEPALIVE_BYTES,
  });
  return toJson(answer);
}

/** @param {Blob} body */
const toJson = async (body) => JSON.parse(await body.text());

/**
 * @param {string} address
 * @param {RequestInit & {priority?: string}} options
 * @param {number} [bodyMs] in which the body must have come
 * @returns {Promise<Blob>} the body of the answer
 */
async function ask(address, options, bodyMs = TIMEOUT_MS) {
  const { answer, body } = await request(address, options, bodyMs);
  if (answer.ok) return body;
  if (answer.status === 401) throw new SignedOut();
  if (answer.headers.has(DIFFERENT)) throw new DifferentReader();
  if (answer.status >= 502) throw new Unreachable(`answered ${answer.status}`);
  const said = await toJson(body).catch(() => ({}));
  throw new Refused(answer.status, said, answer.headers.has(STALE));
}

/**
 * @param {string} address
 * @param {RequestInit & {priority?: string}} options
 * @param {number} bodyMs
 */
async function request(address, options, bodyMs) {
  const timeout = new AbortController();
  let timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  if (!options.method) reading.add(timeout);
  const headers = { ...options.headers, ...(queueKey && { [PAGE_OF]: queueKey }) };
  try {
    const answer = await fetch(address, { credentials: "same-origin", signal: timeout.signal, ...options, headers });
    clearTimeout(timer);
    timer = setTimeout(() => timeout.abort(), bodyMs);
    return { answer, body: await answer.blob() };
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : "");
  } finally {
    clearTimeout(timer);
    reading.delete(timeout);
  }
}

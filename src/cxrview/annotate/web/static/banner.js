// The lines at the top of the page that report problems; hidden while there are none.

import { byId, createElement } from "./dom.js";
import { Refused, SignedOut, DifferentReader, Unreachable } from "./server.js";

/** @typedef {{words: string, address: string}} Link */

/** @type {Map<string, [string, Link | null]>} */
const lines = new Map();

/**
 * Sets the line of one topic, or removes it if `words` is empty.
 * @param {string} topic
 * @param {string} words
 * @param {Link | null} [link]
 */
export function banner(topic, words, link = null) {
  const place = byId("banner");
  if (words) lines.set(topic, [words, link]);
  else lines.delete(topic);
  const shown = [...lines.values()].map(([text, target]) =>
    createElement("p", {}, text, ...(target ? [" ", anchor(target)] : [])));
  // Replaced only if it changed, or a screen reader would read it aloud at every action.
  if (place.textContent !== shown.map((line) => line.textContent).join("")) {
    place.replaceChildren(...shown);
  }
  place.hidden = !lines.size;
}

export const SIGN_IN = { words: "Sign in again", address: "/sign-in" };
export const ANOTHER = "Another reader has signed in with this browser.";

/**
 * Reports how many readings are not sent yet, and why.
 * @param {{waiting: number, lastError: unknown, isSafe: boolean}} state
 */
export function showQueueState({ waiting, lastError, isSafe }) {
  const count = waiting === 1 ? "1 reading is not sent yet" : `${waiting} readings are not sent yet`;
  const kept = isSafe ? "kept on this computer" : "kept in this tab only, so leave it open";
  if (!lastError || !waiting) {
    const unsafe = isSafe || !waiting ? "" : "This browser keeps nothing: leave this tab open until all is sent.";
    return banner("queue", unsafe);
  }
  if (lastError instanceof SignedOut) {
    return banner("queue", `You are signed out. ${count}, ${kept}.`, SIGN_IN);
  }
  if (lastError instanceof DifferentReader) {
    return banner("queue", `${ANOTHER} ${count} for you, ${kept}.`, SIGN_IN);
  }
  if (lastError instanceof Unreachable) {
    return banner("queue", `The server cannot be reached. ${count}, ${kept}; go on reading.`);
  }
  const why = lastError instanceof Refused ? lastError.message : "the server takes none of them";
  return banner("queue", `${count}, ${kept}: ${why}.`);
}

/**
 * Reports why no image can be loaded, if no unsent reading reports it already.
 * @param {unknown} trouble
 * @param {number} waiting
 */
export function showConnectionProblem(trouble, waiting) {
  if (trouble instanceof SignedOut) return banner("login", waiting ? "" : "You are signed out.", SIGN_IN);
  if (trouble instanceof DifferentReader) return banner("login", waiting ? "" : `${ANOTHER} This page is not theirs.`, SIGN_IN);
  if (trouble instanceof Refused) return banner("login", `No image comes: ${trouble.message}`);
  return banner("login", "");
}

let refusedSoFar = 0;
/** @type {Set<string>} */
const reasons = new Set();

/** @param {{why: string}[]} refused of one batch; the line counts earlier batches too */
export function showRefusals(refused) {
  if (!refused.length) return;
  refusedSoFar += refused.length;
  for (const { why } of refused) reasons.add(why);
  const count = refusedSoFar === 1 ? "1 of your readings" : `${refusedSoFar} of your readings`;
  banner("refused", `The server did not accept ${count}: ${[...reasons].join("; ")}.`);
}

export function showUnreadableReading() {
  banner("unreadable", "A reading that was kept on this computer cannot be read any more and was set aside.");
}

/** @param {Link} link */
function anchor({ words, address }) {
  return createElement("a", { href: address, target: "_blank", rel: "noopener", textContent: words });
}

// The line at the top of the page: only there when something is not as it should be.

import { byId, createElement } from "./dom.js";
import { Refused, SignedOut, DifferentReader, Unreachable } from "./server.js";

/** @typedef {{words: string, address: string}} Way */

/** @type {Map<string, [string, Way | null]>} */
const lines = new Map();

/**
 * Sets, or with empty words takes away, the line of one matter.
 * @param {string} matter
 * @param {string} words
 * @param {Way | null} [link]
 */
export function banner(matter, words, link = null) {
  const place = byId("banner");
  if (words) lines.set(matter, [words, link]);
  else lines.delete(matter);
  const shown = [...lines.values()].map(([text, way]) =>
    createElement("p", {}, text, ...(way ? [" ", anchor(way)] : [])));
  // Told anew only when it changed, or a screen reader would say it at every action.
  if (place.textContent !== shown.map((line) => line.textContent).join("")) {
    place.replaceChildren(...shown);
  }
  place.hidden = !lines.size;
}

export const SIGN_IN = { words: "Sign in again", address: "/sign-in" };

/**
 * What is not sent, and why.
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
    return banner("queue", `Somebody else has signed in with this browser. ${count} for you, ${kept}.`, SIGN_IN);
  }
  if (lastError instanceof Unreachable) {
    return banner("queue", `The server cannot be reached. ${count}, ${kept}; go on reading.`);
  }
  const why = lastError instanceof Refused ? lastError.message : "the server takes none of them";
  return banner("queue", `${count}, ${kept}: ${why}.`);
}

/**
 * Why no image comes, where nothing waits to be sent.
 * @param {unknown} trouble
 * @param {number} waiting
 */
export function showConnectionProblem(trouble, waiting) {
  if (trouble instanceof SignedOut) return banner("login", waiting ? "" : "You are signed out.", SIGN_IN);
  if (trouble instanceof Refused) return banner("login", `No image comes: ${trouble.message}`);
  return banner("login", "");
}

let refusedSoFar = 0;
/** @type {Set<string>} */
const reasons = new Set();

/** @param {{why: string}[]} refused of one batch; those before it count too */
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

/** @param {Way} way */
function anchor({ words, address }) {
  return createElement("a", { href: address, target: "_blank", rel: "noopener", textContent: words });
}

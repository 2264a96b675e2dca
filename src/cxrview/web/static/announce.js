// Says what happened: to screen readers always, and on the screen where nothing else shows it.

import { byId } from "./dom.js";

const SHOWN_MS = 2500;
let timer = 0;

/**
 * To those who do not see it.
 * @param {string} words
 */
export function announce(words) {
  write(words);
  byId("said").classList.remove("shown");
}

/**
 * To everybody: a key that did nothing, or did something that is not seen.
 * @param {string} words
 */
export function hint(words) {
  write(words);
  byId("said").classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => byId("said").classList.remove("shown"), SHOWN_MS);
}

/** @param {string} words */
function write(words) {
  const place = byId("said");
  // The same words twice are said twice only if the element changes.
  place.textContent = place.textContent === words ? `${words}\u00a0` : words;
}

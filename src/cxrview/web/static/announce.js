// Status messages: read aloud by screen readers, and displayed where nothing else shows the change.

import { byId } from "./dom.js";

const SHOWN_MS = 2500;
let timer = 0;

/**
 * Only for screen readers.
 * @param {string} words
 */
export function announce(words) {
  write(words);
  byId("said").classList.remove("shown");
}

/**
 * Also displayed: a key had no effect, or an effect that is not visible.
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
  // A screen reader reads the same words again only if the text of the element changes.
  place.textContent = place.textContent === words ? `${words}\u00a0` : words;
}

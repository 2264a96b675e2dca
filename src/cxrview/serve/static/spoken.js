// Says what happened to those who don't see it.

const place = document.getElementById("said");

export function say(words) {
  // The same words twice are said twice only if the element changes.
  place.textContent = place.textContent === words ? `${words}\u00a0` : words;
}

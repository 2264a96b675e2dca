// The forms of the manager's pages: neither a double click nor a key that is held down confirms
// anything, and nothing is sent twice.

import { all } from "./dom.js";

const TOO_SOON_MS = 600;
const loadedAt = performance.now();

// A key that is held down presses whatever button or link has the focus, again and again.
document.addEventListener("keydown", (event) => {
  if (event.repeat && (event.key === "Enter" || event.key === " ")) event.preventDefault();
}, true);

for (const form of /** @type {HTMLFormElement[]} */ (all("main form"))) {
  let isSent = false;
  form.addEventListener("submit", (event) => {
    // The second click of a double click on the page before this one may arrive here.
    const isTooSoon = "confirm" in form.dataset && performance.now() - loadedAt < TOO_SOON_MS;
    if (isSent || isTooSoon) return event.preventDefault();
    isSent = form.method === "post";
  });
}

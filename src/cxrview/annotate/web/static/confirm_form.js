// Forms of the manager's pages: a double click or a key that is held down confirms nothing, and no
// form is sent twice.

import { all } from "./dom.js";

const TOO_SOON_MS = 600;

// A key that is held down presses the button or link in focus again and again.
document.addEventListener("keydown", (event) => {
  if (event.repeat && (event.key === "Enter" || event.key === " ")) event.preventDefault();
}, true);

for (const form of /** @type {HTMLFormElement[]} */ (all("main form"))) {
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) return event.preventDefault();
    isSent = form.method === "post";
  });
  if ("confirm" in form.dataset) enableLater(form);
}

/**
 * Enables the confirming buttons after a moment. The server renders them disabled, since the second
 * click of a double click, or a held Enter, may come before this script runs.
 * @param {HTMLFormElement} form
 */
function enableLater(form) {
  setTimeout(() => {
    for (const button of all("button[disabled]", form)) button.removeAttribute("disabled");
  }, TOO_SOON_MS);
}

// Runs on every page of a signed-in reader: reloads a page that the browser took from its cache, and
// asks before a sign-out while readings are not sent yet.

import { byId, createElement } from "./dom.js";
import { watchLoginEnd } from "./login_end.js";
import { queueKey } from "./page_config.js";
import { countUnsent } from "./unsent_actions.js";

/** @type {import("./queue.js").Queue | null} */
let queue = null;

/** @param {import("./queue.js").Queue} opened by the page's own script */
export function watchQueue(opened) {
  queue = opened;
}

watchLoginEnd();

// A page restored by the back button shows an outdated state.
addEventListener("pageshow", (event) => event.persisted && location.reload());

// If the browser stores nothing, unsent readings exist in this page only.
addEventListener("beforeunload", (event) => {
  if (queue && !queue.isSafe && queue.size) event.preventDefault();
});

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form.account"));
let isSigningOut = false;
form?.addEventListener("submit", async (event) => {
  if (!countUnsent(queueKey) && !queue?.size) return;
  event.preventDefault();
  if (isSigningOut) return; // a second click, while the readings are sent or the dialog is open
  isSigningOut = true;
  await queue?.sendAll().catch(() => false);
  const left = Math.max(countUnsent(queueKey), queue?.size ?? 0);
  if (!left || (await confirmSignOut(left))) form.submit();
  isSigningOut = false;
});

/**
 * @param {number} left
 * @returns {Promise<boolean>}
 */
function confirmSignOut(left) {
  const count = left === 1 ? "1 reading is" : `${left} readings are`;
  const stay = createElement("button", { textContent: "Stay signed in", className: "main", autofocus: true });
  const leave = createElement("button", { textContent: "Sign out anyway" });
  const dialog = createElement(
    "dialog",
    { className: "small" },
    createElement("h2", { textContent: `${count} not sent yet`, id: "unsent-title" }),
    createElement("p", { textContent: "The server cannot be reached, or you are signed out there. What is not sent stays on this computer and is sent when you sign in here again." }),
    createElement("p", { className: "dialog-buttons" }, stay, leave),
  );
  dialog.setAttribute("aria-labelledby", "unsent-title");
  byId("main").append(dialog);
  return new Promise((resolve) => {
    /** @param {boolean} answer */
    const end = (answer) => {
      dialog.remove();
      resolve(answer);
    };
    stay.addEventListener("click", () => end(false));
    leave.addEventListener("click", () => end(true));
    dialog.addEventListener("cancel", () => end(false));
    dialog.showModal();
  });
}

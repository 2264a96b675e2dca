// Closes the blind round after the adjudicator has confirmed it in a dialog. A double click or a key
// that is held down closes nothing.

import { byId } from "./dom.js";
import { postJson, reasonOf, Refused } from "./server.js";

const TOO_SOON_MS = 600;
const opener = document.getElementById("close-blind-round");
let openedAt = 0;
/** How many readings are left, as shown in the dialog. */
let left = Number(opener?.dataset.left ?? 0);

if (opener) {
  const dialog = byId("closing");
  // A key that is held down presses the button in focus again and again.
  document.addEventListener("keydown", (event) => event.repeat && event.key === "Enter" && event.preventDefault(), true);
  opener.addEventListener("click", () => {
    showReadingsLeft(Number(opener.dataset.readers));
    byId("closing-said").textContent = "";
    dialog.showModal();
    byId("closing-cancel").focus();
    openedAt = performance.now();
  });
  byId("closing-cancel").addEventListener("click", () => dialog.close());
  byId("closing-even-so").addEventListener("change", allow);
  byId("closing-confirm").addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.detail > 1 || performance.now() - openedAt < TOO_SOON_MS) return;
    close();
  });
}

/** @param {number} readers who have them left */
function showReadingsLeft(readers) {
  const whose = readers === 1 ? "by 1 reader" : `by ${readers} readers`;
  const count = left === 1 ? "1 reading is" : `${left} readings are`;
  byId("closing-left").textContent = left ? `${count} still to be made, ${whose}.` : "Everything has been read.";
  byId("closing-even-so").checked = false;
  byId("closing-even-so-label").hidden = !left;
  byId("closing-even-so-words").textContent = left === 1 ? "Close although 1 reading is missing" : `Close although ${left} readings are missing`;
  allow();
}

function allow() {
  byId("closing-confirm").disabled = left > 0 && !byId("closing-even-so").checked;
}

/**
 * Asks the adjudicator to decide again: readings arrived or were undone since the dialog opened.
 * @param {number} now how many are left
 * @param {number} readers who have them left
 */
function showChangedCount(now, readers) {
  left = now;
  showReadingsLeft(readers);
  byId("closing-said").textContent = "Not closed: the number of missing readings has changed.";
}

async function close() {
  byId("closing-confirm").disabled = true;
  try {
    await postJson("/api/close-blind-round", left ? { even_so: true, left } : {});
    location.assign("/");
  } catch (error) {
    if (error instanceof Refused && error.status === 409 && Number.isFinite(error.said.left)) {
      return showChangedCount(error.said.left, error.said.readers);
    }
    byId("closing-said").textContent = `Not closed: ${reasonOf(error)}.`;
    allow();
  }
}

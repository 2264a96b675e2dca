// The dialogs for the reason of an exclusion and for a note. Each promise resolves on the key that
// answers it, not on the dialog's close event, which may come after the next key.

import { all, byId } from "./dom.js";
import { keyOf } from "./keys.js";

/**
 * @param {string} [warning] shown above the reasons
 * @returns {Promise<string | null>} the reason, or null
 */
export function promptReason(warning = "") {
  const dialog = byId("exclude");
  const buttons = all("[data-reason]", dialog);
  byId("exclude-warning").textContent = warning;
  byId("exclude-warning").hidden = !warning;
  return prompt(dialog, null, (answer, signal) => {
    for (const button of buttons) {
      button.addEventListener("click", () => answer(button.dataset.reason ?? null), { signal });
    }
    dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const button = buttons[Number(keyOf(event)) - 1];
      if (!button || event.repeat) return;
      event.preventDefault();
      answer(button.dataset.reason ?? null);
    }, { signal });
  });
}

/**
 * @param {string} note
 * @returns {Promise<string>} the note, edited or not
 */
export async function promptNote(note) {
  const dialog = byId("note");
  const field = byId("note-text");
  field.value = note;
  const said = await prompt(dialog, note, (answer, signal) => {
    const keep = (/** @type {Event} */ event) => {
      event.preventDefault();
      answer(field.value.trim());
    };
    field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) keep(event);
    }, { signal });
    dialog.querySelector("form").addEventListener("submit", keep, { signal });
  });
  return said ?? note;
}

/**
 * Shows a dialog until `listen` calls answer(value), or the dialog is closed without an answer.
 * @param {HTMLDialogElement} dialog
 * @param {string | null} otherwise the value if it is closed without an answer
 * @param {(answer: (value: string | null) => void, signal: AbortSignal) => void} listen
 * @returns {Promise<string | null>}
 */
function prompt(dialog, otherwise, listen) {
  return new Promise((resolve) => {
    const listening = new AbortController();
    const answer = (/** @type {string | null} */ value) => {
      listening.abort();
      dialog.close();
      resolve(value);
    };
    listen(answer, listening.signal);
    const leave = () => answer(otherwise);
    dialog.addEventListener("cancel", leave, { signal: listening.signal });
    // If the dialog is open again by now, the event belongs to an earlier prompt.
    dialog.addEventListener("close", () => dialog.open || leave(), { signal: listening.signal });
    dialog.showModal();
  });
}

// The two questions a reader may be asked. Each resolves with the key that answers it and not with
// the dialog's close event, which comes later: the next key would overtake it.

const exclusion = document.getElementById("exclude");
const noteBox = document.getElementById("note");
const noteText = document.getElementById("note-text");

// The reason, or null.
export function askReason() {
  const buttons = [...exclusion.querySelectorAll("[data-reason]")];
  return ask(exclusion, null, (answer, signal) => {
    for (const button of buttons) {
      button.addEventListener("click", () => answer(button.dataset.reason), { signal });
    }
    exclusion.addEventListener("keydown", (event) => {
      const button = buttons[Number(event.key) - 1];
      if (!button || event.repeat) return;
      event.preventDefault();
      answer(button.dataset.reason);
    }, { signal });
  });
}

// The note as it stands afterwards.
export function askNote(note) {
  noteText.value = note;
  return ask(noteBox, note, (answer, signal) => {
    const keep = (event) => {
      event.preventDefault();
      answer(noteText.value.trim());
    };
    noteText.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) keep(event);
    }, { signal });
    noteBox.querySelector("form").addEventListener("submit", keep, { signal });
  });
}

// Shows a dialog until listen's answer(value) is called, or it is closed without one.
function ask(dialog, otherwise, listen) {
  return new Promise((resolve) => {
    const listening = new AbortController();
    const answer = (value) => {
      listening.abort();
      dialog.close();
      resolve(value);
    };
    listen(answer, listening.signal);
    const leave = () => answer(otherwise);
    dialog.addEventListener("cancel", leave, { signal: listening.signal });
    // Of a question before this one, if the dialog is open again by now.
    dialog.addEventListener("close", () => dialog.open || leave(), { signal: listening.signal });
    dialog.showModal();
  });
}

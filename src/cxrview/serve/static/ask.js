// The two questions a reader may be asked; each resolves when its dialog closes.

const exclusion = document.getElementById("exclude");
const noteBox = document.getElementById("note");
const noteText = document.getElementById("note-text");

// The reason, or null.
export function askReason() {
  return new Promise((resolve) => {
    const buttons = [...exclusion.querySelectorAll("[data-reason]")];
    const choose = (button) => {
      exclusion.returnValue = button.dataset.reason;
      exclusion.close(button.dataset.reason);
    };
    const listening = new AbortController();
    const { signal } = listening;
    for (const button of buttons) button.addEventListener("click", () => choose(button), { signal });
    exclusion.addEventListener("keydown", (event) => {
      const button = buttons[Number(event.key) - 1];
      if (!button || event.repeat) return;
      event.preventDefault();
      choose(button);
    }, { signal });
    exclusion.addEventListener("close", () => {
      listening.abort();
      resolve(exclusion.returnValue || null);
    }, { signal });
    exclusion.returnValue = "";
    exclusion.showModal();
  });
}

// The note as it stands afterwards.
export function askNote(note) {
  return new Promise((resolve) => {
    noteText.value = note;
    const listening = new AbortController();
    const { signal } = listening;
    noteText.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      noteBox.close("kept");
    }, { signal });
    noteBox.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      noteBox.close("kept");
    }, { signal });
    noteBox.addEventListener("close", () => {
      listening.abort();
      resolve(noteBox.returnValue === "kept" ? noteText.value.trim() : note);
    }, { signal });
    noteBox.returnValue = "";
    noteBox.showModal();
  });
}

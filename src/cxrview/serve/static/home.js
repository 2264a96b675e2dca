// Closes the blind round, once the adjudicator has said so twice.

import { postJson } from "./server.js";

const button = document.getElementById("close-blind-round");
const said = document.getElementById("closing-said");

button?.addEventListener("click", async () => {
  if (button.dataset.asked !== "yes") {
    button.dataset.asked = "yes";
    button.textContent = "Yes, close it for everybody";
    return;
  }
  button.disabled = true;
  try {
    await postJson("/api/close-blind-round", {});
    location.assign("/");
  } catch (error) {
    button.disabled = false;
    said.textContent = `It was not closed: ${error.message || "sign in again"}.`;
  }
});

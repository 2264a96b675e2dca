// Shows one image of the grid larger. It never shows the image of the cell previewed before.

import { byId, createElement } from "./dom.js";
import { fetchImage, isPermanent } from "./image_cache.js";
import { reasonOf } from "./server.js";

const EDGE = 1536;
const RETRY_MS = 1500;

export class Preview {
  #dialog = byId("preview");
  #place = byId("preview-image");
  #opened = 0;
  /** @type {string | null} */
  showing = null;

  /** @param {(event: KeyboardEvent) => void} onKey for keys that do not close the preview */
  constructor(onKey) {
    // However the dialog is closed, nothing stays for the next image.
    this.#dialog.addEventListener("close", () => {
      // The event comes late: by then, the next image may have been opened.
      if (!this.#dialog.open) this.#clear();
    });
    this.#place.addEventListener("click", () => this.close());
    byId("preview-close").addEventListener("click", () => this.close());
    this.#dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Tab" || event.key === "Escape" || event.ctrlKey || event.metaKey || event.altKey) return;
      const isOnButton = event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ");
      if (isOnButton) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === " " && !event.repeat) this.close();
      else onKey(event);
    });
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /**
   * @param {string} showing
   * @param {string} window
   */
  open(showing, window) {
    this.#clear();
    this.showing = showing;
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#fetch(showing, window);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
    this.#clear();
  }

  /**
   * @param {string} showing
   * @param {string} window
   */
  async #fetch(showing, window) {
    const opened = ++this.#opened;
    this.#notify("Loading the image …");
    let bitmap = null;
    let why = "";
    try {
      bitmap = await fetchImage(showing, EDGE, window);
    } catch (error) {
      const isLost = isPermanent(error);
      why = isLost ? `This image cannot be displayed: ${reasonOf(error)}.` : `Not loaded: ${reasonOf(error)}. Trying again …`;
      if (!isLost) {
        setTimeout(() => opened === this.#opened && this.#fetch(showing, window), RETRY_MS);
      }
    }
    if (opened !== this.#opened) return bitmap?.close();
    if (!bitmap) return this.#notify(why);
    const canvas = createElement("canvas", { width: bitmap.width, height: bitmap.height });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The radiograph, larger");
    canvas.dataset.showing = showing;
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#place.replaceChildren(canvas);
  }

  /** @param {string} words */
  #notify(words) {
    this.#place.replaceChildren(createElement("p", { textContent: words }));
  }

  #clear() {
    this.#opened += 1; // answers still on their way are ignored
    this.showing = null;
    this.#place.replaceChildren();
  }
}

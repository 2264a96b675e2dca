// The keys that change how an image is shown, on every page with one image.

/** @typedef {import("./viewer.js").Viewer} Viewer */

const ZOOM_STEP = 1.25;
const PAN_STEP = 60;

/** @type {[string, string, string[]][]} */
export const VIEWING_ACTIONS = [
  ["zoomIn", "zoom in", ["+", "="]],
  ["zoomOut", "zoom out", ["-"]],
  ["panLeft", "pan", ["ArrowLeft"]],
  ["panRight", "pan", ["ArrowRight"]],
  ["panUp", "pan", ["ArrowUp"]],
  ["panDown", "pan", ["ArrowDown"]],
  ["reset", "reset view", ["0", "Home"]],
];

/**
 * What the keys do, and what inverts and rotates: the keys of these two differ from page to page.
 * @param {Viewer} viewer
 * @returns {Record<string, () => void>}
 */
export function viewingActs(viewer) {
  return {
    invert: () => viewer.invert(),
    rotate: () => viewer.rotate(),
    zoomIn: () => viewer.zoomBy(ZOOM_STEP),
    zoomOut: () => viewer.zoomBy(1 / ZOOM_STEP),
    panLeft: () => viewer.panBy(PAN_STEP, 0),
    panRight: () => viewer.panBy(-PAN_STEP, 0),
    panUp: () => viewer.panBy(0, PAN_STEP),
    panDown: () => viewer.panBy(0, -PAN_STEP),
    reset: () => viewer.reset(),
  };
}

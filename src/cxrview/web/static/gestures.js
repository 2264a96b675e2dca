// Mouse and touch gestures on the image: drag for window and level, middle button or Shift to pan,
// wheel or two fingers to zoom.

// A drag over the height of the screen covers the full range.
const PERCENT_PER_PIXEL = 0.2;
const ZOOM_PER_NOTCH = 1.15;
const NOTCH = 100;

/** @typedef {{x: number, y: number, pans?: boolean}} Finger */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./viewer.js").Viewer} viewer
 */
export function listenToGestures(canvas, viewer) {
  /** @type {Map<number, Finger>} */
  const fingers = new Map();

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, pans: event.button === 1 || event.shiftKey });
  });

  canvas.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const before = { ...finger };
    Object.assign(finger, { x: event.clientX, y: event.clientY });
    const [dx, dy] = [finger.x - before.x, finger.y - before.y];
    if (fingers.size === 2) pinch(finger, before, other(fingers, event.pointerId));
    else if (finger.pans) viewer.panBy(dx, dy);
    else viewer.windowBy(dx * PERCENT_PER_PIXEL, dy * PERCENT_PER_PIXEL);
  });

  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    viewer.zoomBy(ZOOM_PER_NOTCH ** (-event.deltaY / NOTCH), event.clientX, event.clientY);
  }, { passive: false });

  canvas.addEventListener("dblclick", () => viewer.reset());
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  /**
   * Zooms by the change in distance between two fingers, around the point between them, and pans by
 * the movement of that point.
   * @param {Finger} now
   * @param {Finger} before
   * @param {Finger} still
   */
  function pinch(now, before, still) {
    const span = (/** @type {Finger} */ point) => Math.hypot(point.x - still.x, point.y - still.y);
    viewer.zoomBy(span(now) / Math.max(1, span(before)), (now.x + still.x) / 2, (now.y + still.y) / 2);
    viewer.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  }
}

/**
 * @param {Map<number, Finger>} fingers two of them
 * @param {number} id
 */
function other(fingers, id) {
  const [, finger] = /** @type {[number, Finger]} */ ([...fingers].find(([key]) => key !== id));
  return finger;
}

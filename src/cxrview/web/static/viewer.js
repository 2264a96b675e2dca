// Draws one image on a canvas: fitted, zoomed, panned, rotated, and windowed.

const DEFAULT_VIEW = { window: 100, level: 50, invert: false, zoom: 1, rotation: 0 };
const MAX_ZOOM = 16;
const MIN_WINDOW = 2;

export class Viewer {
  #canvas;
  #context;
  #onChange;
  /** @type {ImageBitmap | null} */
  #bitmap = null;
  #pan = { x: 0, y: 0 }; // in device pixels
  #functions;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Element} filter
   * @param {(display: import("./reader_status.js").Display) => void} onChange after every change of
   *   the view, and of its size while an image is shown
   */
  constructor(canvas, filter, onChange) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#functions = [...filter.querySelectorAll("feFuncR, feFuncG, feFuncB")];
    this.#onChange = onChange;
    this.display = { ...DEFAULT_VIEW };
    new ResizeObserver(() => this.#resize()).observe(/** @type {Element} */ (canvas.parentElement));
    this.#resize();
  }

  /**
   * Draws at once, so that the image is in the next frame; null clears the canvas.
   * @param {ImageBitmap | null} bitmap
   */
  show(bitmap) {
    this.#bitmap = bitmap;
    this.reset();
  }

  /**
   * Replaces the image by itself with more pixels or another window; zoom and position stay.
   * @param {ImageBitmap} bitmap
   */
  sharpen(bitmap) {
    this.#bitmap = bitmap;
    this.#change({});
  }

  reset() {
    this.#pan = { x: 0, y: 0 };
    this.#change(DEFAULT_VIEW);
  }

  invert() {
    this.#change({ invert: !this.display.invert });
  }

  rotate() {
    this.#pan = { x: -this.#pan.y, y: this.#pan.x };
    this.#change({ rotation: (this.display.rotation + 90) % 360 });
  }

  /**
   * Changes window and level, both in percent of the image's range.
   * @param {number} wider
   * @param {number} higher
   */
  windowBy(wider, higher) {
    this.#change({
      window: clamp(this.display.window + wider, MIN_WINDOW, 200),
      level: clamp(this.display.level + higher, 0, 100),
    });
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  panBy(x, y) {
    const ratio = devicePixelRatio;
    this.#pan = { x: this.#pan.x + x * ratio, y: this.#pan.y + y * ratio };
    this.#change({});
  }

  /**
   * Zooms around a point of the screen, or around the middle of the canvas.
   * @param {number} factor
   * @param {number | null} clientX
   * @param {number | null} clientY
   */
  zoomBy(factor, clientX = null, clientY = null) {
    const zoom = clamp(this.display.zoom * factor, 1, MAX_ZOOM);
    const real = zoom / this.display.zoom;
    const box = this.#canvas.getBoundingClientRect();
    const at = (/** @type {number | null} */ client, /** @type {number} */ start, /** @type {number} */ size) =>
      client === null ? 0 : (client - start - size / 2) * devicePixelRatio;
    const [x, y] = [at(clientX, box.left, box.width), at(clientY, box.top, box.height)];
    this.#pan = { x: x - (x - this.#pan.x) * real, y: y - (y - this.#pan.y) * real };
    this.#change({ zoom });
  }

  // Device pixels that the longer side covers: as many as the image needs to look sharp.
  get pixelsAcross() {
    if (!this.#bitmap) return 0;
    return Math.max(this.#bitmap.width, this.#bitmap.height) * this.#scale();
  }

  get bitmap() {
    return this.#bitmap;
  }

  /** @param {Partial<import("./reader_status.js").Display>} settings */
  #change(settings) {
    this.display = { ...this.display, ...settings };
    this.#clampPan();
    this.#applyFilter();
    this.#draw();
    this.#onChange(this.display);
  }

  #resize() {
    const { clientWidth, clientHeight } = /** @type {Element} */ (this.#canvas.parentElement);
    this.#canvas.width = Math.max(1, Math.round(clientWidth * devicePixelRatio));
    this.#canvas.height = Math.max(1, Math.round(clientHeight * devicePixelRatio));
    this.#clampPan();
    this.#draw();
    if (this.#bitmap) this.#onChange(this.display);
  }

  #fit() {
    const isOnItsSide = this.display.rotation % 180 !== 0;
    const { width, height } = /** @type {ImageBitmap} */ (this.#bitmap);
    const [across, down] = isOnItsSide ? [height, width] : [width, height];
    return { across, down, fit: Math.min(this.#canvas.width / across, this.#canvas.height / down) };
  }

  #scale() {
    return this.#fit().fit * this.display.zoom;
  }

  #clampPan() {
    if (!this.#bitmap) return;
    const { across, down } = this.#fit();
    const scale = this.#scale();
    const overhang = (/** @type {number} */ image, /** @type {number} */ canvas) => Math.max(0, (image * scale - canvas) / 2);
    const [right, below] = [overhang(across, this.#canvas.width), overhang(down, this.#canvas.height)];
    this.#pan = { x: clamp(this.#pan.x, -right, right), y: clamp(this.#pan.y, -below, below) };
  }

  #draw() {
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (!this.#bitmap) return;
    const scale = this.#scale();
    context.imageSmoothingQuality = scale < 1 ? "medium" : "high";
    context.translate(this.#canvas.width / 2 + this.#pan.x, this.#canvas.height / 2 + this.#pan.y);
    context.rotate((this.display.rotation * Math.PI) / 180);
    context.scale(scale, scale);
    context.drawImage(this.#bitmap, -this.#bitmap.width / 2, -this.#bitmap.height / 2);
  }

  // Window, level and inversion are one linear function of grey values, so one filter does all. The
  // default view, which is the usual case, needs no filter.
  #applyFilter() {
    const { window, level, invert } = this.display;
    const isDefault = window === DEFAULT_VIEW.window && level === DEFAULT_VIEW.level && !invert;
    let slope = 100 / window;
    let intercept = 0.5 - (level / 100) * slope;
    if (invert) [slope, intercept] = [-slope, 1 - intercept];
    for (const line of this.#functions) {
      line.setAttribute("slope", String(slope));
      line.setAttribute("intercept", String(intercept));
    }
    this.#canvas.classList.toggle("windowed", !isDefault);
  }
}

const clamp = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) => Math.min(most, Math.max(least, value));

/**
 * Resolves once the drawn image is on the screen: the callback of the frame comes before painting, a
 * message posted from it after.
 * @returns {Promise<number>} the time, by performance.now()
 */
export function painted() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve(performance.now());
      };
      port2.postMessage(null);
    });
  });
}

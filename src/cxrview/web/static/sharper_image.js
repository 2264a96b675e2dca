// Fetches the image with more pixels after the reader has zoomed in or made the window larger.

import { fetchImage, isReduced, sharperEdge } from "./image_cache.js";

const REST_MS = 250;

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {() => {showing?: string, window: string}} now the image that is shown, and its window
 * @returns {() => void} to be called after every change of the view or of its size
 */
export function refetchSharper(viewer, now) {
  let timer = 0;
  let has = "";
  /** @type {ImageBitmap | null} the image with more pixels, while it is shown */
  let sharp = null;

  async function fetchSharper() {
    const { showing, window } = now();
    const needed = viewer.pixelsAcross;
    const { bitmap } = viewer;
    if (!showing || !bitmap) return;
    const across = Math.max(bitmap.width, bitmap.height);
    // A tenth of the pixels may be missing, as in `edgeFor`.
    if (needed * 0.9 <= across || !isReduced(across)) return;
    const edge = sharperEdge(needed);
    const asked = `${showing} ${edge} ${window}`;
    if (has === asked) return;
    has = asked;
    const sharper = await fetchImage(showing, edge, window).catch(() => null);
    // The reader may have moved to another image since, or returned to this one.
    const isStill = now().showing === showing && now().window === window;
    if (sharper && isStill && viewer.bitmap && sharper.width >= viewer.bitmap.width) return show(sharper);
    sharper?.close();
    if (has === asked) has = "";
  }

  /** @param {ImageBitmap} sharper */
  function show(sharper) {
    const before = sharp;
    sharp = sharper;
    viewer.sharpen(sharper);
    before?.close();
  }

  return () => {
    // An image of all pixels takes a hundred times the memory of its file.
    if (sharp && viewer.bitmap !== sharp) {
      sharp.close();
      sharp = null;
      has = "";
    }
    clearTimeout(timer);
    timer = setTimeout(fetchSharper, REST_MS);
  };
}

// Once a zoom has come to rest, fetches the picture with as many pixels as it then needs.

import { fetchPicture, sharperEdge } from "./pictures.js";

const REST_MS = 250;

export function sharpenOnZoom(viewer, showingNow) {
  let timer = 0;
  let has = { showing: "", edge: 0 };

  async function fetchSharper() {
    const showing = showingNow();
    const needed = viewer.pixelsAcross;
    const { bitmap } = viewer;
    if (!showing || !bitmap || needed <= Math.max(bitmap.width, bitmap.height)) return;
    const edge = sharperEdge(needed);
    if (has.showing === showing && has.edge === edge) return;
    has = { showing, edge };
    const sharper = await fetchPicture(showing, edge).catch(() => null);
    if (!sharper) has = { showing: "", edge: 0 };
    // The reader may have gone on meanwhile, or come back to it.
    else if (showingNow() === showing && sharper.width >= viewer.bitmap.width) viewer.sharpen(sharper);
  }

  return (display) => {
    clearTimeout(timer);
    if (display.zoom > 1) timer = setTimeout(fetchSharper, REST_MS);
  };
}

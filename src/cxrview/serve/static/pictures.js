// Pictures fetched and decoded before their turn, so that showing one is only drawing it.

import { getBlob, Refused } from "./server.js";

// Leaves connections for readings: a browser opens six to one server.
const AT_ONCE = 3;
const AGAIN_MS = 1500;
// It can't be drawn, or is no longer this reader's: asking again changes nothing.
const FOR_GOOD = new Set([404, 422]);

export class Pictures {
  #edge;
  #held = new Map(); // showing -> {bitmap} or {why} once known, {} while under way
  #wanted = [];
  #underWay = 0;

  // hears.arrived(showing) when one can be drawn, or is known to be undrawable.
  constructor(edge, hears) {
    this.#edge = edge;
    this.hears = hears;
  }

  // In this order; those that are no longer wanted are forgotten.
  want(showings) {
    this.#wanted = showings;
    for (const [showing, { bitmap }] of this.#held) {
      if (showings.includes(showing)) continue;
      bitmap?.close();
      this.#held.delete(showing);
    }
    this.#pump();
  }

  // {bitmap}, {why} of one that can't be drawn, or {} of one that is not there yet.
  get(showing) {
    return this.#held.get(showing) ?? {};
  }

  #pump() {
    for (const showing of this.#wanted) {
      if (this.#underWay >= AT_ONCE) return;
      if (!this.#held.has(showing)) this.#fetch(showing);
    }
  }

  async #fetch(showing) {
    const entry = {};
    this.#held.set(showing, entry);
    this.#underWay += 1;
    try {
      entry.bitmap = await fetchPicture(showing, this.#edge);
    } catch (error) {
      if (error instanceof Refused && FOR_GOOD.has(error.status)) entry.why = error.message;
      else return this.#tryAgain(showing, entry);
    } finally {
      this.#underWay -= 1;
    }
    // Nobody wants it any more.
    if (this.#held.get(showing) !== entry) entry.bitmap?.close();
    else this.hears.arrived(showing);
    this.#pump();
  }

  #tryAgain(showing, entry) {
    setTimeout(() => {
      if (this.#held.get(showing) === entry) this.#held.delete(showing);
      this.#pump();
    }, AGAIN_MS);
  }
}

export async function fetchPicture(showing, edge) {
  return createImageBitmap(await getBlob(`/api/picture/${showing}?edge=${edge}`));
}

const EDGES = [1024, 1536, 2048];

// The smallest that has enough pixels, so that no reader waits for what his screen can't show.
export const edgeFor = (pixels) => EDGES.find((edge) => edge >= pixels * 0.9) ?? 2048;
export const sharperEdge = (pixels) => EDGES.find((edge) => edge >= pixels) ?? "full";

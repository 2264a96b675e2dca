// What a source of images must offer to whoever shows them. There are two: PrefetchSupply for the
// reader's own list, ServerSupply where only the server knows what comes next.

/**
 * An image as the server tells of it.
 * @typedef {object} Item
 * @property {string} showing the image's id before this reader
 * @property {string} [note]
 * @property {boolean} [flagged]
 * @property {string} [said] the reader's own verdict, where the image was read before
 * @property {{verdict: string, note: string}[]} [sides]
 * @property {string} [verdict]
 * @property {string | null} [model_view]
 * @property {number | null} [pfi]
 */

/**
 * @typedef {object} Supply
 * @property {Item[]} items in order; the first is due
 * @property {string[]} showings in the order in which their images are needed
 * @property {number | null} left null before the first answer
 * @property {boolean} isClosed the blind round, by an adjudicator
 * @property {unknown} trouble why the server did not answer
 * @property {() => void} start
 * @property {(count?: number) => void} advance the first `count` are done with
 * @property {(items: Item[]) => void} restore an undo brings these back, before all others
 * @property {(showings: string[]) => void} drop another tab has these now
 * @property {(answer: any) => void} answered the server has taken actions
 * @property {() => void} askNow
 */

/**
 * @typedef {object} SupplyEvents
 * @property {() => void} onChange what is to be shown or fetched may have changed
 * @property {(answer: any) => void} onCounts
 */

export {};

// The interface of a source of images. Two implement it: PrefetchSupply for the reader's own list,
// ServerSupply where only the server can choose the next image.

/**
 * An image, as the server describes it.
 * @typedef {object} Item
 * @property {string} showing the image's id for this reader
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
 * @property {Item[]} items in order; the first is shown
 * @property {string[]} showings in the order in which their images are needed
 * @property {number | null} left null before the first answer
 * @property {boolean} isCurrent the server has answered since an image was removed from `items`
 * @property {boolean} isClosed an adjudicator has closed the blind round
 * @property {unknown} trouble the error of the last request; null if it was answered
 * @property {() => void} start
 * @property {(count?: number) => void} advance remove the first `count` images
 * @property {(items: Item[]) => void} restore put these images, which were undone, before all others
 * @property {(showings: string[]) => void} drop remove images that another tab holds now
 * @property {(answer: any) => void} answered the server has recorded actions
 * @property {() => void} askNow
 */

/**
 * @typedef {object} SupplyEvents
 * @property {() => void} onChange what is to be shown or fetched may have changed
 * @property {(answer: any) => void} onCounts
 */

export {};

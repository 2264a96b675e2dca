// The labels of one page of thumbnails: the default label, and those of single images.

/** @typedef {{label?: string, reason?: string}} Verdict */
/** @typedef {{get: (key: string) => any, set: (key: string, value: any) => void, delete: (...keys: string[]) => void}} Kept */

export class PageLabels {
  #kept;
  #unreadable = new Set();

  /**
   * @param {string[]} showings
   * @param {Kept} kept stores the marks by image, and the default label by the first image of the
   *   page, so that they survive a reload, and an undo that shows the page again
   */
  constructor(showings, kept) {
    this.showings = showings;
    this.#kept = kept;
  }

  get defaultLabel() {
    return this.#kept.get(`page ${this.showings[0]}`) ?? "";
  }

  /** @param {string} label */
  set defaultLabel(label) {
    this.#kept.set(`page ${this.showings[0]}`, label);
  }

  /**
   * The label or reason of a cell; null if it has none yet.
   * @param {string} showing
   * @returns {Verdict | null}
   */
  verdict(showing) {
    const mark = this.#mark(showing);
    if (mark) return mark;
    return this.defaultLabel && !this.#unreadable.has(showing) ? { label: this.defaultLabel } : null;
  }

  /** @param {string} showing */
  isException(showing) {
    const mark = this.#mark(showing);
    return Boolean(mark) && mark.label !== this.defaultLabel;
  }

  /** Whether the page can be confirmed: it has a default label, or each cell is marked. */
  get isComplete() {
    const { length } = this.readings;
    return length > 0 && (Boolean(this.defaultLabel) || length === this.showings.length);
  }

  /**
   * Records that an image cannot be displayed: the default label does not apply to it.
   * @param {string} showing
   */
  markUnreadable(showing) {
    this.#unreadable.add(showing);
  }

  /**
   * @param {string} showing
   * @param {Verdict} verdict
   */
  mark(showing, verdict) {
    if (verdict.label && this.#unreadable.has(showing)) return;
    if (verdict.label && verdict.label === this.defaultLabel) this.#kept.delete(showing);
    else this.#kept.set(showing, verdict);
  }

  /**
   * Gives an image the next of the labels, after the last one the first again.
   * @param {string} showing
   * @param {string[]} labels
   */
  nextLabel(showing, labels) {
    const now = this.verdict(showing)?.label ?? "";
    this.mark(showing, { label: labels[(labels.indexOf(now) + 1) % labels.length] });
  }

  /**
   * The readings that a confirmation would record.
   * @returns {{showing: string, verdict: Verdict, isException: boolean}[]}
   */
  get readings() {
    return this.showings.flatMap((showing) => {
      const verdict = this.verdict(showing);
      return verdict ? [{ showing, verdict, isException: this.isException(showing) }] : [];
    });
  }

  /** The count of each label and reason, in words. */
  get summary() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    const { readings } = this;
    for (const { verdict } of readings) counts.set(inWords(verdict), (counts.get(inWords(verdict)) ?? 0) + 1);
    const open = this.showings.length - readings.length;
    const parts = [...counts].map(([words, count]) => `${count} ${words}`);
    if (open && this.defaultLabel) parts.push(`${open} left out`);
    return parts.join(" · ");
  }

  /** @param {string} showing @returns {any} */
  #mark(showing) {
    const mark = this.#kept.get(showing);
    return mark?.label && this.#unreadable.has(showing) ? undefined : mark;
  }
}

/** @param {Verdict | null} verdict */
export const inWords = (verdict) => verdict?.label ?? (verdict?.reason ? `excluded: ${verdict.reason}` : "");

// One page of thumbnails: which label is the rule, which cells are the exceptions.

export class GridPage {
  #exceptions = new Map(); // showing -> {label} or {reason}
  #broken = new Set();

  constructor(showings) {
    this.showings = showings;
    this.rule = "";
  }

  // What a cell stands as: {label} or {reason}, or null where nobody has said.
  verdict(showing) {
    const exception = this.#exceptions.get(showing);
    if (exception) return exception;
    return this.rule && !this.#broken.has(showing) ? { label: this.rule } : null;
  }

  isException(showing) {
    return this.#exceptions.has(showing);
  }

  // Whether it can be confirmed: it has a rule, or each cell an exception of its own.
  get isSaid() {
    return Boolean(this.rule) || this.readings.length === this.showings.length;
  }

  // A picture that can't be drawn takes no label from the rule.
  breakDown(showing) {
    this.#broken.add(showing);
  }

  isBroken(showing) {
    return this.#broken.has(showing);
  }

  setRule(label) {
    this.rule = label;
    for (const [showing, { label: other }] of this.#exceptions) {
      if (other === label) this.#exceptions.delete(showing);
    }
  }

  mark(showing, verdict) {
    if (verdict.label && this.#broken.has(showing)) return;
    if (verdict.label === this.rule) this.#exceptions.delete(showing);
    else this.#exceptions.set(showing, verdict);
  }

  // To the next label, and round again to the rule.
  cycle(showing, labels) {
    const now = this.verdict(showing)?.label;
    this.mark(showing, { label: labels[(labels.indexOf(now) + 1) % labels.length] });
  }

  // [showing, verdict, isException] of all that a confirmation would write down.
  get readings() {
    return this.showings
      .map((showing) => [showing, this.verdict(showing), this.isException(showing)])
      .filter(([, verdict]) => verdict);
  }

  // How many of each, in words.
  get tally() {
    const counts = new Map();
    for (const [, { label, reason }] of this.readings) {
      const words = label || `excluded: ${reason}`;
      counts.set(words, (counts.get(words) ?? 0) + 1);
    }
    const open = this.showings.length - this.readings.length;
    const parts = [...counts].map(([words, count]) => `${count} ${words}`);
    if (open && this.rule) parts.push(`${open} left out`);
    return parts.join(" · ");
  }
}

// A reader's own pace. A gap of more than a minute is a pause, as on the agreement page.

const PAUSE_MS = 60_000;
const REMEMBERED = 50;
const FEWEST = 5;

export class Pace {
  #times = [];

  took(now = performance.now()) {
    this.#times.push(now);
    if (this.#times.length > REMEMBERED) this.#times.shift();
  }

  takenBack() {
    this.#times.pop();
  }

  // Images per hour of active time over the last readings, or null while there are too few.
  get perHour() {
    const gaps = this.#times.slice(1).map((time, i) => time - this.#times[i]);
    const active = gaps.filter((gap) => gap <= PAUSE_MS);
    if (active.length < FEWEST) return null;
    const spent = active.reduce((sum, gap) => sum + gap, 0);
    return (3_600_000 * active.length) / Math.max(spent, 1);
  }
}

// The server's time. A reader's computer may be minutes or days off, and readings from before the
// closing of the blind round are told from later ones by their time.

/** @type {number | null} */
let skewMs = null;

/**
 * Measures how far the browser's clock is off; half of the way there and back is counted as the
 * answer's.
 * @param {string} serverNow ISO 8601
 * @param {number} sentMs by Date.now()
 * @param {number} receivedMs by Date.now()
 */
export function measureSkew(serverNow, sentMs, receivedMs) {
  const said = Date.parse(serverNow);
  if (Number.isFinite(said)) skewMs = said - (sentMs + receivedMs) / 2;
}

/** @param {number} [browserMs] */
export const serverTime = (browserMs = Date.now()) => new Date(browserMs + (skewMs ?? 0)).toISOString();

/** Seconds that were added to the browser's time; undefined while nobody knows. */
export const skewSeconds = () => (skewMs === null ? undefined : Math.round(skewMs) / 1000);

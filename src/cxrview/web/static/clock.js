// The server's time. The clock of a reader's computer may be minutes or days off, and the time of a
// reading decides whether it was made before the blind round was closed.

/** @type {number | null} */
let skewMs = null;

/**
 * Measures how far the browser's clock is off. The server is taken to have answered halfway between
 * sending and receiving.
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

/** Seconds that are added to the browser's time; undefined until they are measured. */
export const skewSeconds = () => (skewMs === null ? undefined : Math.round(skewMs) / 1000);

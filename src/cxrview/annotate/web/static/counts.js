// How far the reader has come: what the server counted, and what it does not have yet.

/** @typedef {import("./unsent_actions.js").Action} Action */

/** @type {Record<string, number>} */
const WORTH = { label: 1, exclude: 1, undo: -1 };

/** @param {Action[]} actions that wait */
export const unsentReadings = (actions) =>
  actions.reduce((sum, { act }) => sum + (WORTH[act] ?? 0), 0);

/**
 * @param {{done?: number, all?: number, left?: number}} answer the server's last
 * @param {Action[]} actions that wait
 * @returns {{done: number, all: number} | {left: number}} `left` of a queue without an end
 */
export function countsNow(answer, actions) {
  if (answer.all === undefined) return { left: Math.max(0, answer.left ?? 0) };
  const done = (answer.done ?? 0) + unsentReadings(actions);
  return { done: Math.min(answer.all, Math.max(0, done)), all: answer.all };
}

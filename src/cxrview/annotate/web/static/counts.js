// The reader's progress: the server's count, and the readings that it does not have yet.

/** @typedef {import("./unsent_actions.js").Action} Action */

/** @type {Record<string, number>} */
const WORTH = { label: 1, exclude: 1 };

/** @param {Action} action `undone` is the act that an undo takes back */
const worth = ({ act, undone }) => (act === "undo" ? -(WORTH[undone] ?? 0) : (WORTH[act] ?? 0));

/** @param {Action[]} actions not sent yet */
export const unsentReadings = (actions) =>
  actions.reduce((sum, action) => sum + worth(action), 0);

/**
 * @param {{done?: number, all?: number, left?: number}} answer the server's last one
 * @param {Action[]} actions not sent yet
 * @returns {{done: number, all: number} | {left: number}} `left` for a queue of unknown length
 */
export function countsNow(answer, actions) {
  if (answer.all === undefined) return { left: Math.max(0, answer.left ?? 0) };
  const done = (answer.done ?? 0) + unsentReadings(actions);
  return { done: Math.min(answer.all, Math.max(0, done)), all: answer.all };
}

// Creates a reader's actions and the queue that sends them, and connects it to the page's banner.

import { showQueueState, showRefusals, showUnreadableReading } from "./banner.js";
import { serverTime, skewSeconds } from "./clock.js";
import { queueKey } from "./page_config.js";
import { Queue } from "./queue.js";
import { postJson } from "./server.js";
import { watchQueue } from "./signed_in.js";
import { randomHex } from "./tab_lock.js";
import { UnsentActions } from "./unsent_actions.js";

/**
 * @param {string} tab
 * @param {(answer: import("./queue.js").Answer) => void} onAnswer
 */
export function openQueue(tab, onAnswer) {
  const unsent = new UnsentActions(queueKey, tab);
  unsent.onUnreadable = showUnreadableReading;
  const queue = new Queue(unsent, (readings) => postJson("/api/readings", { readings }), {
    onChange: showQueueState,
    onAnswer: (answer) => {
      showRefusals(answer.refused);
      onAnswer(answer);
    },
  });
  watchQueue(queue);
  return queue;
}

/**
 * One action as POST /api/readings takes it. Its times are on the server's clock.
 * @param {string} act
 * @param {string} showing
 * @param {{shown?: number | null} & Record<string, any>} [said] `shown` is when the image was
 *   painted, on the clock of performance.now(). `undone`, the act that an undo takes back, is for
 *   the counts of this page; the server knows it.
 */
export function newAction(act, showing, { shown = null, ...said } = {}) {
  const now = performance.now();
  const browserNow = Date.now();
  return {
    uid: randomHex(16),
    showing,
    act,
    label: "",
    reason: "",
    note: "",
    undoes: "",
    how: "single",
    shown: shown === null ? null : serverTime(browserNow - (now - shown)),
    made: serverTime(browserNow),
    skew_seconds: skewSeconds(),
    milliseconds: shown === null ? null : Math.round(now - shown),
    display: {},
    ...said,
  };
}

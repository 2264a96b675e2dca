// From a reader's act to the server: the queue, wired to this page's banner.

import { banner, tellQueue } from "./banner.js";
import { KeptActs } from "./kept_acts.js";
import { queueKey } from "./page_facts.js";
import { Queue } from "./queue.js";
import { postJson } from "./server.js";
import { randomHex } from "./tab.js";

export function openQueue(tab, answered) {
  return new Queue(
    new KeptActs(queueKey, tab),
    (readings) => postJson("/api/readings", { readings }),
    {
      changed: tellQueue,
      answered: (answer) => {
        if (answer.refused.length) {
          const why = [...new Set(answer.refused.map((refusal) => refusal.why))].join("; ");
          banner("refused", `The server did not take ${answer.refused.length} of your readings: ${why}.`);
        }
        answered(answer);
      },
    },
  );
}

// One line of the study, as POST /api/readings takes it; `shown` is when the picture was painted,
// on the clock of performance.now().
export function makeAct(act, showing, { shown = null, ...said } = {}) {
  const now = performance.now();
  return {
    uid: randomHex(16),
    showing,
    act,
    label: "",
    reason: "",
    note: "",
    undoes: "",
    how: "single",
    shown: shown === null ? null : new Date(Date.now() - (now - shown)).toISOString(),
    made: new Date().toISOString(),
    milliseconds: shown === null ? null : Math.round(now - shown),
    display: {},
    ...said,
  };
}

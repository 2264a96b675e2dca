// The page /second-look: the settled label beside the model's prediction, the most surprising first.

import { byId } from "./dom.js";
import { hint } from "./announce.js";
import { ImageReader } from "./image_reader.js";
import { queueKey } from "./page_config.js";
import { ServerSupply } from "./server_supply.js";
import { acquireTabId } from "./tab_lock.js";

const EXCLUDED = "excluded: ";
const tab = await acquireTabId(queueKey);

/** @param {import("./supply.js").Item | null} item */
function showOpinion(item) {
  byId("opinion").parentElement.classList.toggle("idle", !item?.verdict);
  byId("verdict").textContent = item?.verdict ?? "";
  byId("model-view").textContent = item?.model_view || "nothing";
  const pfi = item?.pfi ?? null;
  byId("pfi").textContent = pfi === null ? "–" : `${pfi.toFixed(1)} %`;
  byId("pfi-bar").value = pfi ?? 0;
}

/**
 * Keeps the label. That is recorded as a reading, too: the adjudicator looked again and agreed.
 * @param {ImageReader} reader
 */
function keep(reader) {
  const verdict = reader.item?.verdict;
  if (!verdict) return hint("There is no label to keep");
  if (verdict.startsWith(EXCLUDED)) {
    reader.submit("exclude", { reason: verdict.slice(EXCLUDED.length) }, `kept: ${verdict}`);
  } else {
    reader.submit("label", { label: verdict }, `kept: ${verdict}`);
  }
}

await new ImageReader({
  round: "second look",
  tab,
  makeSupply: (queue, on) => new ServerSupply(`/api/second-look?tab=${tab}`, () => queue.sendAll(), on),
  words: {
    end: "Nothing is left to look at again.",
    elsewhere: "The remaining images are open in another of your tabs, or with another adjudicator.",
  },
  showItem: showOpinion,
  keep,
}).start();

// /second-look: the settled label beside the model's opinion, the most surprising first.

import { Desk } from "./desk.js";
import { OneByOne } from "./one_by_one.js";
import { takeTab } from "./tab.js";

const EXCLUDED = "excluded: ";
const tab = await takeTab();
const at = (id) => document.getElementById(id);

function showOpinion(item) {
  const isKnown = Boolean(item?.verdict);
  at("opinion").parentElement.classList.toggle("idle", !isKnown);
  if (!isKnown) return;
  at("verdict").textContent = item.verdict;
  at("model-view").textContent = item.model_view || "nothing";
  at("pfi").textContent = item.pfi === null ? "–" : `${item.pfi.toFixed(1)} %`;
  at("pfi-bar").value = item.pfi ?? 0;
}

// Keeping it is a reading too: somebody looked, and said the same again.
function keep(desk) {
  const verdict = desk.item?.verdict;
  if (!verdict) return;
  if (verdict.startsWith(EXCLUDED)) {
    desk.judge("exclude", { reason: verdict.slice(EXCLUDED.length) }, `kept: ${verdict}`);
  } else {
    desk.judge("label", { label: verdict }, `kept: ${verdict}`);
  }
}

new Desk({
  round: "second look",
  tab,
  supply: (queue, hears) => new OneByOne(`/api/second-look?tab=${tab}`, () => queue.flushed(), hears),
  words: {
    end: "Nothing is left to look at again.",
    elsewhere: "The rest is open in another tab.",
  },
  showItem: showOpinion,
  keep,
});

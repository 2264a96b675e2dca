// The page /adjudicate: images on which the readers differ, with each reading but not the reader.

import { byId, createElement } from "./dom.js";
import { ImageReader } from "./image_reader.js";
import { queueKey } from "./page_config.js";
import { ServerSupply } from "./server_supply.js";
import { acquireTabId } from "./tab_lock.js";

const tab = await acquireTabId(queueKey);

/** @param {import("./supply.js").Item | null} item */
function showSides(item) {
  const sides = byId("sides");
  sides.replaceChildren(...(item?.sides ?? []).map(({ verdict, note }) =>
    createElement("li", {}, createElement("strong", { textContent: verdict }), ...(note ? [createElement("q", { textContent: note })] : []))));
  sides.parentElement.classList.toggle("idle", !item?.sides);
}

await new ImageReader({
  round: "adjudication",
  tab,
  makeSupply: (queue, on) => new ServerSupply(`/api/conflict?tab=${tab}`, () => queue.sendAll(), on),
  words: {
    end: "No conflicts left.",
    elsewhere: "The remaining conflicts are open in another of your tabs, or with another adjudicator.",
  },
  showItem: showSides,
}).start();

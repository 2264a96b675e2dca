// The page /read: the reader's own list of the blind round, one image at a time.

import { hint } from "./announce.js";
import { ImageReader } from "./image_reader.js";
import { queueKey } from "./page_config.js";
import { PrefetchSupply } from "./prefetch_supply.js";
import { getJson, reasonOf } from "./server.js";
import { acquireTabId } from "./tab_lock.js";

const tab = await acquireTabId(queueKey);

const reader = new ImageReader({
  round: "blind",
  tab,
  makeSupply: (queue, on) =>
    new PrefetchSupply(
      {
        address: "/api/next", tab, count: 8, few: 5, behind: 4,
        unsent: () => queue.actions().map(({ showing }) => showing),
      },
      on,
    ),
  words: {
    end: "You have read everything. Thank you.",
    elsewhere: "The remaining images are open in another of your tabs. Continue there, or here.",
  },
});

// The image to open again, if the page was opened from the list of the reader's own readings.
const showing = new URLSearchParams(location.search).get("open");
if (showing) {
  history.replaceState(null, "", location.pathname);
  await getJson(`/api/reading/${encodeURIComponent(showing)}?tab=${tab}`)
    .then((item) => reader.reopen(item))
    .catch((error) => hint(`The image could not be opened: ${reasonOf(error)}`));
}
await reader.start();

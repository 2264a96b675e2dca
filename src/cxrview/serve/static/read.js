// /read: the reader's own list, blind.

import { Desk } from "./desk.js";
import { takeTab } from "./tab.js";
import { Worklist } from "./worklist.js";

const tab = await takeTab();

new Desk({
  round: "blind",
  tab,
  supply: (queue, hears) => new Worklist(tab, () => queue.acts().map((act) => act.showing), hears),
  words: {
    end: "You have read everything. Thank you.",
    elsewhere: "The rest is open in another tab of yours, or was until a moment ago.",
  },
});

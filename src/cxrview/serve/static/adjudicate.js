// /adjudicate: pictures that the readers differ on, with what each said and not who.

import { Desk } from "./desk.js";
import { OneByOne } from "./one_by_one.js";
import { takeTab } from "./tab.js";

const tab = await takeTab();
const sides = document.getElementById("sides");

function showSides(item) {
  sides.replaceChildren(...(item?.sides ?? []).map(({ verdict, note }) => {
    const side = document.createElement("li");
    side.append(Object.assign(document.createElement("strong"), { textContent: verdict }));
    if (note) side.append(Object.assign(document.createElement("q"), { textContent: note }));
    return side;
  }));
  sides.parentElement.classList.toggle("idle", !item?.sides);
}

new Desk({
  round: "adjudication",
  tab,
  supply: (queue, hears) => new OneByOne(`/api/conflict?tab=${tab}`, () => queue.flushed(), hears),
  words: {
    end: "No conflict waits.",
    elsewhere: "The rest is open in another tab, or with another adjudicator.",
  },
  showItem: showSides,
});

// Fills the tables of the page /keys, which depend on the keys of the study's labels.

import { hint } from "./announce.js";
import { byId } from "./dom.js";
import { areLettersOff, setLettersOff } from "./key_setting.js";
import { READER_ACTIONS, GRID_ACTIONS, fillKeyTable, keyRows } from "./keys.js";
import { choices } from "./page_config.js";

const body = (/** @type {string} */ name) => byId(name).querySelector("tbody");
fillKeyTable(body("single-keys"), keyRows(choices, READER_ACTIONS.filter(([act]) => act !== "keep")));
fillKeyTable(body("grid-keys"), keyRows(choices, GRID_ACTIONS));

const box = byId("letters-off");
box.checked = areLettersOff();
box.addEventListener("change", () => {
  const isKept = setLettersOff(box.checked);
  hint(isKept ? (box.checked ? "Letter keys are off" : "Letter keys are on") : "This browser does not keep settings");
});

// Fills the tables of /keys: which keys are free depends on the study's labels.

import { DESK_ACTS, GRID_ACTS, fillKeyTable, keyRows } from "./keys.js";
import { choices } from "./page_facts.js";

const body = (name) => document.querySelector(`#${name} tbody`);
fillKeyTable(body("desk-keys"), keyRows(choices, DESK_ACTS.filter(([act]) => act !== "keep")));
fillKeyTable(body("grid-keys"), keyRows(choices, GRID_ACTS));

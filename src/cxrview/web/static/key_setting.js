// Whether single letters and digits are keys. Speech input writes letters that nobody means as
// keys, so a reader may switch them off (WCAG 2.1.4); buttons, arrows and Enter go on working.

import { queueKey } from "./page_config.js";

const NAME = `cxrview-letters-off/${queueKey}`;

export function areLettersOff() {
  try {
    return localStorage.getItem(NAME) === "yes";
  } catch {
    return false;
  }
}

/** @param {boolean} areOff @returns {boolean} whether the browser keeps it */
export function setLettersOff(areOff) {
  try {
    if (areOff) localStorage.setItem(NAME, "yes");
    else localStorage.removeItem(NAME);
    return true;
  } catch {
    return false;
  }
}

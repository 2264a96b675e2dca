// The setting that switches single letters and digits off as keys (WCAG 2.1.4), since speech input
// types letters that are not meant as keys. Buttons, arrows and Enter still work.

import { queueKey } from "./page_config.js";

const NAME = `cxrview-letters-off/${queueKey}`;

export function areLettersOff() {
  try {
    return localStorage.getItem(NAME) === "yes";
  } catch {
    return false;
  }
}

/** @param {boolean} areOff @returns {boolean} whether the browser could store the setting */
export function setLettersOff(areOff) {
  try {
    if (areOff) localStorage.setItem(NAME, "yes");
    else localStorage.removeItem(NAME);
    return true;
  } catch {
    return false;
  }
}

// The keys of the reading pages. A study chooses the keys of its labels, and these take precedence:
// an action whose letter is taken needs Shift and that letter.

import { all, byId, createElement } from "./dom.js";
import { areLettersOff } from "./key_setting.js";
import { VIEWING_ACTIONS } from "./viewing_keys.js";

/** @typedef {{act: string, words: string, keys: string[]}} KeyRow */

/** @type {[string, string, string[]][]} */
export const READER_ACTIONS = [
  ["exclude", "exclude, then 1 to 4 for the reason", ["x"]],
  ["undo", "undo, back to that image", ["u", "Backspace"]],
  ["postpone", "postpone to the end", ["p"]],
  ["mark", "flag for discussion / remove flag", ["m"]],
  ["note", "write a note", ["n"]],
  ["keep", "keep the label as it is", ["k", "Enter"]],
  ["autoWindow", "automatic window on / off", ["w"]],
  ["invert", "invert", ["i"]],
  ["rotate", "rotate by a quarter, for viewing only", ["r"]],
  ...VIEWING_ACTIONS,
  ["keys", "show these keys", ["?", "h"]],
];

/** @type {[string, string, string[]][]} */
export const GRID_ACTIONS = [
  ["left", "go to another image", ["ArrowLeft"]],
  ["right", "go to another image", ["ArrowRight"]],
  ["up", "go to another image", ["ArrowUp"]],
  ["down", "go to another image", ["ArrowDown"]],
  ["look", "look closer", [" "]],
  ["exclude", "exclude this image, then 1 to 4", ["x"]],
  ["autoWindow", "automatic window on / off", ["w"]],
  ["confirm", "confirm the page", ["Enter"]],
  ["undo", "undo last page", ["u", "Backspace"]],
  ["keys", "show these keys", ["?", "h"]],
];

// Actions that repeat while the key is held down. Labels never repeat.
const REPEATING = new Set([
  "zoomIn", "zoomOut", "panLeft", "panRight", "panUp", "panDown", "left", "right", "up", "down",
]);

/** @type {Record<string, string>} */
const NAMES = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓",
  " ": "Space", Backspace: "⌫", "-": "−",
};

/**
 * One row for each action. The act of a choice is "label:NAME".
 * @param {{name: string, key: string}[]} choices
 * @param {[string, string, string[]][]} actions
 * @returns {KeyRow[]}
 */
export function keyRows(choices, actions) {
  const taken = new Set(choices.map((choice) => choice.key));
  /** @param {string} key */
  const free = (key) => (taken.has(key) ? (/[a-z]/.test(key) ? [`Shift+${key}`] : []) : [key]);
  return [
    ...choices.map(({ name, key }) => ({ act: `label:${name}`, words: name, keys: [key] })),
    ...actions.map(([act, words, keys]) => ({ act, words, keys: keys.flatMap(free) })),
  ];
}

/** @param {string} key @returns {string} */
export const keyName = (key) =>
  key.startsWith("Shift+") ? `⇧${keyName(key.slice(6))}` : (NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key));

/**
 * The name of a key: letters regardless of Caps Lock, by their position on keyboards of another
 * script, and digits also where the row of digits needs Shift (AZERTY).
 * @param {KeyboardEvent} event
 * @returns {string}
 */
export function keyOf(event) {
  let key = event.key;
  if (/^Digit\d$/.test(event.code) && !event.shiftKey) key = event.code.slice(-1);
  else if (key.length === 1 && key > "~" && /^Key/.test(event.code)) key = event.code.slice(-1);
  if (!/^[a-z]$/i.test(key)) return key;
  return event.shiftKey ? `Shift+${key.toLowerCase()}` : key.toLowerCase();
}

/**
 * Calls act(name, event) for each key that has an action.
 * @param {KeyRow[]} rows
 * @param {(name: string, event: Event) => void} act
 */
export function listenToKeys(rows, act) {
  const meaning = new Map(rows.flatMap((row) => row.keys.map((key) => [key, row.act])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isElsewhere(event)) return;
    const key = keyOf(event);
    const name = meaning.get(key);
    if (!name || (event.repeat && !REPEATING.has(name))) return;
    if (isCharacter(key) && areLettersOff()) return;
    event.preventDefault();
    act(name, event);
  });
}

/** Keys that speech input may type: not Enter, Space and the arrows. @param {string} key */
const isCharacter = (key) => (key.length === 1 && key !== " ") || key.startsWith("Shift+");

/**
 * Whether a key is not meant for the image: a dialog is open, a field has the focus, or Enter or Space
 * presses the button in focus. The field of a dialog keeps the focus for a moment after the dialog
 * has closed; keys in that moment are meant for the image.
 * @param {KeyboardEvent} event
 */
function isElsewhere({ key, target }) {
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof Element)) return false;
  const within = target.closest("dialog") ? null : target;
  if (within?.closest("input, textarea, select")) return true;
  return (key === "Enter" || key === " ") && Boolean(within?.closest("button, a, summary"));
}

/**
 * Fills a table of keys, with one line for all keys whose action has the same description.
 * @param {Element} body of a table
 * @param {KeyRow[]} rows
 */
export function fillKeyTable(body, rows) {
  /** @type {Map<string, string[]>} */
  const keysOf = new Map();
  for (const { words, keys } of rows) keysOf.set(words, [...(keysOf.get(words) ?? []), ...keys]);
  body.replaceChildren(
    ...[...keysOf].filter(([, keys]) => keys.length).map(([words, keys]) =>
      createElement("tr", {},
        createElement("td", {}, ...keys.map((key) => createElement("kbd", { textContent: keyName(key) }))),
        createElement("th", { scope: "row", textContent: words }))),
  );
}

/**
 * Writes each action's key on its button, and makes the button run the action.
 * @param {KeyRow[]} rows
 * @param {(name: string, event: Event) => void} act
 */
export function wireButtons(rows, act) {
  for (const row of rows) {
    const label = row.act.startsWith("label:") ? row.act.slice(6) : null;
    const found = label === null
      ? all(`[data-act="${row.act}"]`)
      : all("[data-label]").filter((button) => button.dataset.label === label);
    for (const button of found) wire(button, row, act);
  }
}

/**
 * @param {HTMLElement} button
 * @param {KeyRow} row
 * @param {(name: string, event: Event) => void} act
 */
function wire(button, row, act) {
  const cap = button.querySelector("kbd");
  const keys = row.keys.filter((key) => !isCharacter(key) || !areLettersOff());
  if (cap && !cap.classList.contains("sign")) {
    cap.textContent = row.keys.length ? keyName(row.keys[0]) : cap.textContent;
    cap.hidden = !keys.length;
  }
  if (keys.length) button.setAttribute("aria-keyshortcuts", keys.map(shortcut).join(" "));
  // A click must not move the focus, or Enter and Space would press the button.
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  // Enter that is held down would press the button again and again.
  button.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter" && !REPEATING.has(row.act)) event.preventDefault();
  });
  button.addEventListener("click", (event) => act(row.act, event));
}

/** The key in the spelling of aria-keyshortcuts. @param {string} key */
function shortcut(key) {
  if (key === " ") return "Space";
  if (key === "+") return "Plus";
  if (key.startsWith("Shift+")) return `Shift+${key.slice(6).toUpperCase()}`;
  return key.length === 1 ? key.toUpperCase() : key;
}

/** @param {KeyRow[]} rows */
export function showKeyTable(rows) {
  const body = byId("keys").querySelector("tbody");
  if (body) fillKeyTable(body, rows);
}

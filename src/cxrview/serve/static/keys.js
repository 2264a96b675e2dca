// Which key does what. The study chooses its labels' keys, and those win: an act whose letter is
// taken is reached with Shift and that letter.

export const DESK_ACTS = [
  ["exclude", "exclude, then 1 to 4 for the reason", ["x"]],
  ["undo", "undo, back to that picture", ["u", "Backspace"]],
  ["postpone", "postpone to the end", ["p"]],
  ["mark", "mark for a talk, or take the mark away", ["m"]],
  ["note", "write a note", ["n"]],
  ["keep", "keep the label as it is", ["k", "Enter"]],
  ["invert", "invert", ["i"]],
  ["rotate", "rotate by a quarter, for viewing only", ["r"]],
  ["zoomIn", "zoom in", ["+", "="]],
  ["zoomOut", "zoom out", ["-"]],
  ["panLeft", "pan", ["ArrowLeft"]],
  ["panRight", "pan", ["ArrowRight"]],
  ["panUp", "pan", ["ArrowUp"]],
  ["panDown", "pan", ["ArrowDown"]],
  ["reset", "see it as it came", ["0", "Home"]],
  ["keys", "these keys", ["?", "h"]],
];

export const GRID_ACTS = [
  ["left", "go to another picture", ["ArrowLeft"]],
  ["right", "go to another picture", ["ArrowRight"]],
  ["up", "go to another picture", ["ArrowUp"]],
  ["down", "go to another picture", ["ArrowDown"]],
  ["look", "look closer", [" "]],
  ["exclude", "exclude this one, then 1 to 4", ["x"]],
  ["confirm", "confirm the page", ["Enter"]],
  ["undo", "take the last page back", ["u", "Backspace"]],
  ["keys", "these keys", ["?", "h"]],
];

// What a view may do again and again while its key is held down; a label never is.
const REPEATING = new Set([
  "zoomIn", "zoomOut", "panLeft", "panRight", "panUp", "panDown", "left", "right", "up", "down",
]);

const NAMES = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓",
  " ": "Space", Backspace: "⌫", "-": "−",
};

// Rows of {act, words, keys}, a choice's as act "label:NAME".
export function keyRows(choices, acts) {
  const taken = new Set(choices.map((choice) => choice.key));
  const free = (key) => (taken.has(key) ? (/[a-z]/.test(key) ? [`Shift+${key}`] : []) : [key]);
  return [
    ...choices.map(({ name, key }) => ({ act: `label:${name}`, words: name, keys: [key] })),
    ...acts.map(([act, words, keys]) => ({ act, words, keys: keys.flatMap(free) })),
  ];
}

export const keyName = (key) =>
  key.startsWith("Shift+") ? `⇧${keyName(key.slice(6))}` : (NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key));

// Calls act(name, event) for each key that means something here.
export function listenToKeys(rows, act) {
  const meaning = new Map(rows.flatMap((row) => row.keys.map((key) => [key, row.act])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isElsewhere(event)) return;
    const name = meaning.get(keyOf(event));
    if (!name || (event.repeat && !REPEATING.has(name))) return;
    event.preventDefault();
    act(name, event);
  });
}

// The letter whatever Caps Lock says; by its place where the keyboard writes another script.
function keyOf(event) {
  let key = event.key;
  if (key.length === 1 && key > "~" && /^(Key|Digit)/.test(event.code)) key = event.code.at(-1);
  if (!/^[a-z]$/i.test(key)) return key;
  return event.shiftKey ? `Shift+${key.toLowerCase()}` : key.toLowerCase();
}

// A dialog is open, somebody types, or Enter and Space belong to the button in focus. For a moment
// after a dialog has closed its field still has the focus: what comes then is meant for the picture.
function isElsewhere({ key, target }) {
  if (document.querySelector("dialog[open]")) return true;
  const within = target.closest?.("dialog") ? null : target;
  if (within?.closest?.("input, textarea, select")) return true;
  return (key === "Enter" || key === " ") && Boolean(within?.closest?.("button, a, summary"));
}

// One line for all keys that do what can be said in the same words.
export function fillKeyTable(body, rows) {
  const keysOf = new Map();
  for (const { words, keys } of rows) keysOf.set(words, [...(keysOf.get(words) ?? []), ...keys]);
  const make = (name, ...parts) => {
    const element = document.createElement(name);
    element.append(...parts);
    return element;
  };
  body.replaceChildren(
    ...[...keysOf].filter(([, keys]) => keys.length).map(([words, keys]) => {
      const said = make("th", words);
      said.scope = "row";
      return make("tr", make("td", ...keys.map((key) => make("kbd", keyName(key)))), said);
    }),
  );
}

// Writes each act's key on its button, and lets the button do the same.
export function wireButtons(rows, act) {
  for (const row of rows) {
    const label = row.act.startsWith("label:") ? row.act.slice(6) : null;
    const found = label === null
      ? document.querySelectorAll(`[data-act="${row.act}"]`)
      : [...document.querySelectorAll("[data-label]")].filter((button) => button.dataset.label === label);
    for (const button of found) {
      const cap = button.querySelector("kbd");
      cap.textContent = row.keys.length ? keyName(row.keys[0]) : cap.textContent;
      // A click must not take the focus: Enter and Space would then mean the button.
      button.addEventListener("pointerdown", (event) => event.preventDefault());
      button.addEventListener("click", (event) => act(row.act, event));
    }
  }
}

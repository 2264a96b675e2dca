// The line at the top of the page: only there when something is not as it should be.

import { Refused, SignedOut, SomebodyElse, Unreachable } from "./server.js";

const place = document.getElementById("banner");
const lines = new Map();

// Sets, or with empty words takes away, the line of one matter.
export function banner(matter, words, link = null) {
  if (words) lines.set(matter, [words, link]);
  else lines.delete(matter);
  const shown = [...lines.values()].map(([text, way]) => {
    const line = document.createElement("p");
    line.append(text);
    if (way) line.append(" ", anchor(way));
    return line;
  });
  // Told anew only when it changed, or a screen reader would say it at every act.
  if (place.textContent !== shown.map((line) => line.textContent).join("")) {
    place.replaceChildren(...shown);
  }
  place.hidden = !lines.size;
}

const SIGN_IN = { words: "Sign in again", address: "/sign-in" };

// Nothing waits, and yet nothing comes either.
export function tellSignedOut(isOut) {
  banner("login", isOut ? "You are signed out." : "", SIGN_IN);
}

// What waits, and why.
export function tellQueue({ waiting, trouble, isSafe }) {
  const count = waiting === 1 ? "1 reading waits" : `${waiting} readings wait`;
  const kept = isSafe
    ? "kept on this computer"
    : "kept in this tab only, so leave it open";
  if (!trouble || !waiting) {
    const unsafe = isSafe || !waiting ? "" : "This browser keeps nothing: leave this tab open until all is sent.";
    return banner("queue", unsafe);
  }
  if (trouble instanceof SignedOut) {
    return banner("queue", `You are signed out. ${count}, ${kept}.`, SIGN_IN);
  }
  if (trouble instanceof SomebodyElse) {
    return banner("queue", `Somebody else has signed in with this browser. ${count} for you, ${kept}.`, SIGN_IN);
  }
  if (trouble instanceof Unreachable) {
    return banner("queue", `The server can't be reached. ${count}, ${kept}; go on reading.`);
  }
  const why = trouble instanceof Refused ? trouble.message : "the server takes none of them";
  return banner("queue", `${count}, ${kept}: ${why}.`);
}

function anchor({ words, address }) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, target: "_blank", rel: "noopener", textContent: words });
  return link;
}

// Warns some minutes before the login ends. Asks the server before each warning, since the reader
// may have signed in again in another tab.

import { ANOTHER, banner, SIGN_IN } from "./banner.js";
import { byName } from "./page_config.js";
import { DifferentReader, secondsUntilLoginEnds, SignedOut } from "./server.js";

const WARN_SECONDS = 15 * 60;
const CHECK_MS = 30_000;
let endsAt = Date.now() + 1000 * Number(byName("login-seconds-left") || Infinity);

/** Checks at intervals: a single timer would be late after the computer has slept. */
export function watchLoginEnd() {
  check();
  setInterval(check, CHECK_MS);
}

const secondsLeft = () => (endsAt - Date.now()) / 1000;

async function check() {
  if (secondsLeft() > WARN_SECONDS) return banner("login-end", "");
  try {
    endsAt = Date.now() + 1000 * (await secondsUntilLoginEnds());
  } catch (error) {
    if (error instanceof SignedOut) {
      return banner("login-end", "You are signed out: your login has ended. Readings that are not sent yet stay on this computer.", SIGN_IN);
    }
    if (error instanceof DifferentReader) return banner("login-end", `${ANOTHER} This page is not theirs.`, SIGN_IN);
  }
  const minutes = Math.max(1, Math.round(secondsLeft() / 60));
  const when = minutes === 1 ? "in 1 minute" : `in ${minutes} minutes`;
  if (secondsLeft() > WARN_SECONDS) return banner("login-end", "");
  banner("login-end", `Your login ends ${when}. To continue without a break, open your sign-in link again in another tab, or sign in by password; nothing that you have read is lost.`, SIGN_IN);
}

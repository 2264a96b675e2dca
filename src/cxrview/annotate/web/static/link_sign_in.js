// The page /enter#SECRET: removes the secret from the address at once, so that it does not stay in
// the browser's history, and puts it into the form.

import { byId } from "./dom.js";

takeSecret();
// Another link that is opened in this tab differs behind the # only: the page is not loaded again.
addEventListener("hashchange", takeSecret);

function takeSecret() {
  const secret = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  byId("secret").value = secret;
  byId("no-secret").hidden = Boolean(secret);
  byId("enter").disabled = !secret;
}

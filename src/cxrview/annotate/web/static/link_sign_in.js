// /enter#SECRET: takes the secret out of the address at once, so that neither the browser's history
// nor the next person at this computer has it, and hands it to the form's button.

import { byId } from "./dom.js";

const secret = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
byId("secret").value = secret;
byId("no-secret").hidden = Boolean(secret);
byId("enter").disabled = !secret;

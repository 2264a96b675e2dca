// /grid: pages of thumbnails of the reader's own list, blind.

import { GridSession } from "./grid_session.js";
import { queueKey } from "./page_config.js";
import { acquireTabId } from "./tab_lock.js";

await new GridSession(await acquireTabId(queueKey)).start();

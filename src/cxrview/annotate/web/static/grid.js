// The page /grid: the reader's own list of the blind round, as pages of thumbnails.

import { GridSession } from "./grid_session.js";
import { queueKey } from "./page_config.js";
import { acquireTabId } from "./tab_lock.js";

await new GridSession(await acquireTabId(queueKey)).start();

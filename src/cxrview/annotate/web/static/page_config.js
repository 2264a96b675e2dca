// What the server wrote into the page for the scripts.

/** @param {string} name */
const meta = (name) => /** @type {HTMLMetaElement | null} */ (document.querySelector(`meta[name="${name}"]`))?.content ?? "";

export const queueKey = meta("queue");
/** @type {{name: string, key: string}[]} */
export const choices = JSON.parse(meta("choices") || "[]");
export const csrfAtLoad = meta("csrf");

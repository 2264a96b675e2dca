// Settings that the server writes into the page for the scripts.

/** @param {string} name */
export const byName = (name) => /** @type {HTMLMetaElement | null} */ (document.querySelector(`meta[name="${name}"]`))?.content ?? "";

export const queueKey = byName("queue");
/** @type {{name: string, key: string}[]} */
export const choices = JSON.parse(byName("choices") || "[]");
export const csrfAtLoad = byName("csrf");

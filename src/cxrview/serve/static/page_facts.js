// What the server wrote into the page for the scripts.

const meta = (name, page = document) =>
  page.querySelector(`meta[name="${name}"]`)?.content ?? "";

export const queueKey = meta("queue");
export const choices = JSON.parse(meta("choices") || "[]");
export const reasons = JSON.parse(meta("reasons") || "[]");
export const csrfOf = (page) => meta("csrf", page);
export const queueKeyOf = (page) => meta("queue", page);

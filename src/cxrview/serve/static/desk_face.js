// What a reading desk writes around the picture: counts, pace, marks, messages.

const at = (id) => document.getElementById(id);
const whole = (number) => Math.round(number).toLocaleString("en");

export const face = {
  message(words) {
    at("message").textContent = words;
    at("message").hidden = !words;
  },

  // done of all; `waits` of a queue that has no end of its own.
  count({ done, all, waits = null }) {
    at("count").textContent = waits === null ? `${whole(done)} of ${whole(all)}` : `${whole(waits)} left`;
    const bar = at("progress");
    bar.hidden = waits !== null;
    if (waits !== null) return;
    bar.max = Math.max(1, all);
    bar.value = done;
  },

  pace(perHour) {
    at("pace").textContent = perHour ? `${whole(perHour)} an hour` : "";
  },

  marked(isMarked) {
    at("marked").hidden = !isMarked;
    document.querySelector('[data-act="mark"]')?.setAttribute("aria-pressed", String(isMarked));
  },

  noted(note) {
    at("noted").hidden = !note;
    at("noted").title = note;
  },

  // Only what differs from the picture as it came.
  display({ window, level, invert, zoom, rotation }) {
    const parts = [
      (window !== 100 || level !== 50) && `window ${whole(window)} level ${whole(level)}`,
      invert && "inverted",
      zoom > 1 && `× ${zoom.toFixed(1)}`,
      rotation && `${rotation}°`,
    ];
    at("shown-as").textContent = parts.filter(Boolean).join(" · ");
  },

  last(words) {
    at("last").textContent = words;
  },
};

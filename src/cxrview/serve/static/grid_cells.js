// The thumbnails on the screen: a listbox with one cell in focus.

export class GridCells {
  #place;
  #page = null;
  #cells = [];
  #at = 0;

  // hears: clicked(showing), drawn(page) once every thumbnail is painted or known to be broken,
  // broke(showing, page).
  constructor(place, hears) {
    this.#place = place;
    this.hears = hears;
  }

  lay(page, images) {
    this.#page = page;
    this.#at = 0;
    this.#cells = (page?.showings ?? []).map((showing, i) => this.#cell(showing, i, images.get(showing)));
    this.#place.replaceChildren(...this.#cells);
    this.update();
    if (!page) return;
    const loaded = page.showings.map((showing) =>
      images.get(showing).decode().catch(() => this.#break(page, showing)));
    Promise.all(loaded).then(() => this.hears.drawn(page));
  }

  get showing() {
    return this.#page?.showings[this.#at] ?? null;
  }

  focus(index) {
    this.#at = Math.min(Math.max(0, index), this.#cells.length - 1);
    this.update();
  }

  go(act) {
    const columns = getComputedStyle(this.#place).gridTemplateColumns.split(" ").length;
    const to = this.#at + { left: -1, right: 1, up: -columns, down: columns }[act];
    if (to >= 0 && to < this.#cells.length) this.focus(to);
  }

  update() {
    this.#cells.forEach((cell, i) => {
      const showing = this.#page.showings[i];
      const verdict = this.#page.verdict(showing);
      const words = verdict ? (verdict.label ?? verdict.reason) : "";
      cell.classList.toggle("exception", this.#page.isException(showing));
      cell.classList.toggle("here", i === this.#at);
      cell.setAttribute("aria-selected", String(i === this.#at));
      cell.setAttribute("aria-label", `${i + 1}: ${words || "no label yet"}`);
      cell.querySelector(".verdict").textContent = words;
    });
    this.#place.setAttribute("aria-activedescendant", this.#cells[this.#at]?.id ?? "");
  }

  #cell(showing, i, image) {
    const cell = document.createElement("div");
    Object.assign(cell, { id: `cell-${i}`, className: "cell" });
    cell.setAttribute("role", "option");
    cell.append(image, Object.assign(document.createElement("span"), { className: "verdict" }));
    cell.addEventListener("click", () => {
      this.focus(i);
      this.hears.clicked(showing);
    });
    return cell;
  }

  #break(page, showing) {
    page.breakDown(showing);
    if (page !== this.#page) return;
    const cell = this.#cells[page.showings.indexOf(showing)];
    cell.classList.add("broken");
    cell.querySelector("img").replaceWith("can't be drawn");
    this.update();
  }
}

/* The line below the grid: what happened, what is known of the active cell, and sums of what is selected. */

class Foot {
  constructor(grid) {
    this.grid = grid;
    this.line = h("span", { role: "status", "aria-live": "polite" });
    this.sums = h("span", { class: "sums", role: "status", "aria-label": "Of the selection" });
    this.element = h("div", { class: "line" }, this.line, this.sums);
  }

  /* The line below the grid says about the active cell what its tooltip says, for those who use no mouse. */
  describe() {
    const { row, column } = this.grid.active;
    if (this.message && this.isRefusal && this.at !== `${row}, ${column}`) this.forget();
    if (this.message || !this.grid.columns.length) return;
    const mark = this.grid.windows.marks(row);
    const text = this.grid.windows.text(row, column);
    const about = this.grid.shown ? this.grid.tooltip(column, text, mark.cells?.[column]).replaceAll("\n", " · ") : "No rows to show.";
    this.line.textContent = [this.grid.columns[column].name, mark.why, about].filter(Boolean).join(" · ");
    this.element.classList.remove("alert");
  }

  /* Count and sum what is selected, once the selection and the cells rest. */
  sumSoon() {
    const areas = this.grid.areas();
    const now = this.grid.shown && (areas.length > 1 || areas[0].rows * areas[0].columns > 1) ? JSON.stringify([areas, this.grid.status.version]) : "";
    if (now === this.summed) return;
    this.summed = now;
    clearTimeout(this.sumTimer);
    if (!now) this.sums.textContent = "";
    else this.sumTimer = setTimeout(() => this.sum(areas, now), 150);
  }

  async sum(areas, asked) {
    const { cells, filled, invalid, distinct, ...numbers } = await this.grid.ask("sum", { areas });
    if (this.summed !== asked) return; // something else is selected now
    const shown = (number) => number.toLocaleString("en", { maximumFractionDigits: 6 });
    this.sums.textContent = [
      ...["sum", "average", "min", "max"].filter((name) => name in numbers).map((name) => `${name} ${shown(numbers[name])}`),
      distinct !== null && `${distinct.toLocaleString("en")} distinct`,
      `${filled.toLocaleString("en")} of ${numberOf(cells, "cell")} filled${invalid ? `, ${invalid.toLocaleString("en")} invalid` : ""}`,
    ].filter(Boolean).join(" · ");
  }

  /* Say something for a while, or one that `stays` until it is hushed. What is not `calm` is bad news: of a
   * cell, so that it goes when another one becomes active. */
  say(text, { stays = false, calm = false } = {}) {
    const { row, column } = this.grid.active;
    this.message = text;
    this.stays = stays;
    this.isRefusal = !stays && !calm;
    this.at = `${row}, ${column}`;
    this.line.textContent = text;
    this.element.classList.toggle("alert", !calm);
    clearTimeout(this.messageTimer);
    if (!stays) this.messageTimer = setTimeout(() => this.hush(), 6000);
  }

  forget() {
    clearTimeout(this.messageTimer);
    this.message = null;
    this.stays = false;
  }

  hush() {
    this.forget();
    this.grid.draw();
  }
}

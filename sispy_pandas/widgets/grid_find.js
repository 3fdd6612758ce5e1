/* The bar that finds a text or a pattern, and writes another in its place. */

class FindBar {
  constructor(grid) {
    this.grid = grid;
    this.kept = null; // what was selected when the bar was opened: {areas, column, order}
    const field = (label, onEnter) => h("input", {
      type: "search", placeholder: label, "aria-label": label, spellcheck: "false", oninput: () => this.countSoon(), onkeydown: (event) => {
        if (event.key !== "Enter" || composing(event)) return;
        event.preventDefault();
        onEnter(event);
      },
    });
    const toggle = (text, title) => {
      const one = button(text, title, () => {
        one.setAttribute("aria-pressed", String(!isOn(one)));
        this.countSoon();
      });
      one.setAttribute("aria-pressed", "false");
      one.classList.add("toggle");
      return one;
    };
    this.input = field("Find", (event) => this.find(event.shiftKey));
    this.caseToggle = toggle("Aa", "Capital letters are others than small ones");
    this.patternToggle = toggle(".*", "It is a regular expression; $1 in what replaces it is its first group");
    this.count = h("span", { class: "counts", role: "status" });
    this.opener = button("Replace…", "Replace what is found (Ctrl+H)", () => this.open({ replace: true }));
    this.by = field("Replace with", (event) => (event.ctrlKey ? this.replaceAll() : this.replaceOne()));
    this.scope = h("select", { "aria-label": "Where to replace", onchange: () => this.countSoon() },
      ...["selection", "column", "table"].map((value) => h("option", { value })));
    this.allButton = button("Replace all", "Replace all that is counted, as one step of undo (Ctrl+Enter)", () => this.replaceAll());
    this.told = h("span", { class: "counts", role: "status" });
    this.second = h("div", { class: "second" }, this.by, this.scope,
      button("Replace", "Replace in this cell and find the next (Enter)", () => this.replaceOne()), this.allButton, this.told);
    this.element = h("div", {
      class: "find", role: "search", "aria-label": "Find and replace", hidden: true,
      onkeydown: (event) => {
        if (event.key !== "Escape") return;
        this.close();
        event.preventDefault();
      },
    }, this.input, this.caseToggle, this.patternToggle, button("↑", "Previous (Shift+Enter)", () => this.find(true)),
    button("↓", "Next (Enter)", () => this.find(false)), this.count, this.opener, button("×", "Close (Escape)", () => this.close()), this.second);
  }

  /* Open the bar; it replaces in what is selected now, if that is more than a cell. */
  open({ replace = false } = {}) {
    const { grid } = this;
    const areas = grid.areas();
    const isMore = areas.length > 1 || areas[0].rows * areas[0].columns > 1;
    const isNew = this.element.hidden;
    const fromCells = grid.body.contains(document.activeElement);
    if (isNew) grid.send("seek");
    if (isNew || isMore || fromCells) this.keep();
    if (isMore) this.scope.value = "selection";
    else if (isNew || (fromCells && this.scope.value === "selection")) this.scope.value = "table";
    this.second.hidden = !replace;
    this.opener.hidden = replace;
    this.element.hidden = false;
    const first = replace && this.input.value ? this.by : this.input;
    first.focus();
    first.select();
    this.countSoon();
  }

  close() {
    this.element.hidden = true;
    this.grid.focus();
  }

  /* Keep what is selected now, and say where can be replaced. */
  keep() {
    const { grid } = this;
    const { shown, rows, order } = grid.status;
    this.kept = { areas: grid.areas(), column: grid.active.column, order };
    const [selection, column, table] = this.scope.options;
    selection.textContent = "in the selection";
    column.textContent = `in ${grid.columns[this.kept.column].name}`;
    table.textContent = shown === rows ? "in the table" : "in all rows shown";
  }

  /* Rows or columns may stand elsewhere: then what is selected now counts, and is counted again. */
  follow() {
    if (this.element.hidden || this.kept.order === this.grid.status.order) return;
    this.keep();
    this.countSoon();
  }

  /* What is looked for, as Python takes it. */
  get search() {
    return { text: this.input.value, pattern: isOn(this.patternToggle), case: isOn(this.caseToggle) };
  }

  async find(back) {
    if (!this.input.value) return;
    const { hit, error } = await this.grid.ask("find", { ...this.search, ...this.grid.active, back });
    this.count.textContent = error ?? (hit ? `${hit[2].toLocaleString("en")} of ${hit[3].toLocaleString("en")}` : "not found");
    if (hit) this.grid.go(hit[0], hit[1], { focus: false });
  }

  /* Where to replace; null: in all rows that are shown. */
  get areas() {
    const { areas, column } = this.kept;
    if (this.scope.value === "table") return null;
    return this.scope.value === "selection" ? areas : [{ top: 0, left: column, rows: this.grid.shown, columns: 1 }];
  }

  /* What was found or counted is of no account any more: count again, when the typing pauses. */
  countSoon() {
    clearTimeout(this.timer);
    this.count.textContent = this.told.textContent = "";
    this.allButton.disabled = true;
    if (!this.second.hidden) this.timer = setTimeout(() => this.countNow(), 200);
  }

  async countNow() {
    if (!this.input.value) return;
    const turn = this.turn = (this.turn ?? 0) + 1;
    const { cells, rows, locked, sample, error } = await this.replace({ areas: this.areas, do: false });
    if (turn !== this.turn) return; // overtaken
    const short = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
    this.allButton.disabled = !cells;
    rename(this.allButton, cells ? `Replace in ${numberOf(cells, "cell")}` : "Replace all");
    this.told.textContent = error ?? [
      cells ? `in ${numberOf(rows, "row")}: ${short(sample[0])} → ${short(sample[1]) || "no value"}` : "nothing to replace",
      locked && `${numberOf(locked, "cell")} cannot be edited`,
    ].filter(Boolean).join("; ");
  }

  async replaceOne() {
    if (!this.input.value) return;
    const { row, column } = this.grid.active;
    await this.replace({ areas: [{ top: row, left: column, rows: 1, columns: 1 }], do: true, order: this.grid.status.order });
    this.countSoon();
    await this.find(false);
  }

  async replaceAll() {
    if (this.allButton.disabled) return;
    this.grid.focus(); // a button that cannot be pressed hears no key, and Ctrl+Z is for the cells
    this.allButton.disabled = true;
    const { cells } = await this.replace({ areas: this.areas, do: true });
    if (cells) this.grid.foot.say(`${numberOf(cells, "cell")} changed; Ctrl+Z takes it back.`, { calm: true });
    this.countSoon();
  }

  replace(content) {
    return this.grid.ask("replace", { order: this.kept.order, ...this.search, by: this.by.value, ...content });
  }
}

/* The head of the columns: names, sorts, widths, and which stay in sight. */

class Head {
  constructor(grid) {
    this.grid = grid;
    this.element = h("div", { class: "head", role: "row", "aria-rowindex": 1 });
    this.widthsOf = new Map(); // column name -> width that the user has chosen
    this.frozenTo = null; // name of the last column that stays in sight, if the user has chosen it
  }

  draw() {
    const { sorts, filters } = this.grid.status;
    this.element.replaceChildren(h("div", { class: "gutter corner" }), ...this.grid.columns.map((column, i) => {
      const place = sorts.findIndex(([name]) => name === column.name);
      const direction = place < 0 ? "none" : sorts[place][1] ? "descending" : "ascending";
      const arrow = { none: "", ascending: "▲", descending: "▼" }[direction] + (place >= 0 && sorts.length > 1 ? place + 1 : "");
      const filtered = column.name in filters;
      const facts = [column.type, column.required && "required", column.unique && "unique", column.ref && `refers to ${column.ref}`,
        column.min !== null && `from ${column.min}`, column.max !== null && `up to ${column.max}`, column.readonly && "read-only"].filter(Boolean).join(", ");
      return h("div", {
        class: `cell ${column.kind} ${column.readonly ? "readonly" : ""} ${filtered ? "filtered" : ""}`, role: "columnheader", "aria-colindex": i + 1,
        "aria-sort": direction, "data-frozen": i < this.grid.frozen && (i === this.grid.frozen - 1 ? "last" : "yes"), "data-column": i,
        title: `${column.name}: ${facts}${column.description ? `\n${column.description}` : ""}${column.kind === "date" ? "\nTimes are UTC." : ""}`,
        style: `left:${this.grid.lefts[i]}px;width:${this.grid.widths[i]}px`,
      },
        h("span", { class: "name", title: "Sort; with Shift by this column, too", onclick: (event) => this.cycleSort(i, event.shiftKey) }, `${column.name}${column.required ? " *" : ""}`),
        h("span", { class: "arrow" }, arrow),
        h("button", { class: "menu", type: "button", tabindex: -1, title: "Column menu (Alt+Down)", "aria-label": `Column menu of ${column.name}`, onclick: () => openColumnMenu(this.grid, i) }, filtered ? "∇" : "⋮"),
        h("span", { class: "handle", title: "Width; double-click fits it to what is in sight",
          onpointerdown: (event) => this.resize(event, i), ondblclick: () => this.fit(i) }));
    }));
  }

  /* Sort by a column up, then down, then not; `add` keeps the columns that are sorted by already. */
  cycleSort(column, add) {
    const { name } = this.grid.columns[column];
    const now = this.grid.status.sorts.find(([sorted]) => sorted === name);
    this.sortBy(name, now === undefined ? false : now[1] ? null : true, add);
  }

  /* Sort by a column, down or up; null for no longer. */
  sortBy(name, descending, add) {
    const { sorts } = this.grid.status;
    const others = sorts.filter(([sorted]) => add && sorted !== name);
    const place = add ? sorts.findIndex(([sorted]) => sorted === name) : 0;
    if (descending !== null) others.splice(place < 0 ? others.length : place, 0, [name, descending]);
    this.grid.send("sort", { by: others });
    this.grid.status.sorts = others; // the next click may come before the answer
    this.draw();
  }

  /* Let the columns up to one stay in sight, null for the key alone. */
  freeze(column) {
    const width = column === null ? 0 : this.grid.lefts[column] + this.grid.widths[column];
    if (width > 0.7 * this.grid.scroller.clientWidth) {
      this.grid.foot.say("Not frozen: these columns leave too little room for the others. Make them narrower, or hide some.");
      return;
    }
    this.frozenTo = column === null ? null : this.grid.columns[column].name;
    this.grid.place();
    this.grid.paint();
  }

  resize(event, column) {
    event.preventDefault();
    event.stopPropagation();
    const from = event.clientX;
    const before = this.grid.widths[column];
    const move = (moved) => this.setWidth(column, before + moved.clientX - from);
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", () => window.removeEventListener("pointermove", move), { once: true });
  }

  /* Make a column as wide as its name and its cells in sight are. */
  fit(column) {
    const cells = [...this.grid.rowElements.values()].map((row) => row.cells.get(column)).filter(Boolean);
    const name = this.element.children[column + 1].querySelector(".name");
    for (const element of [name, ...cells]) element.style.cssText += ";flex:none;width:0";
    this.setWidth(column, Math.max(name.scrollWidth + 54, ...cells.map((cell) => cell.scrollWidth + 8)));
  }

  setWidth(column, width) {
    this.widthsOf.set(this.grid.columns[column].name, clamp(width, 40, 900));
    this.grid.place();
    this.grid.paint();
  }
}

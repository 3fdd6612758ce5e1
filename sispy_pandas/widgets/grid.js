/* The editable grid: draws the rows in sight, edits cells, and leaves every decision about values to Python.
 *
 * Traits of the model (Python writes, this file reads):
 *   columns  [{name, kind, type, readonly, required, unique, enum, min, max, ref, description, frozen, width}]
 *   status   {version, order, shown, rows, changed, invalid, new, deleted, conflicts, failed, undo, redo,
 *             sorts: [[column, descending]], filters, hidden: how many columns, show}; a new version means that cached rows are out of date,
 *            a new order that they stand elsewhere
 *   options  {height, label, rows: whether rows can be added and deleted, follow: whether to send `at`}
 *
 * Messages to Python, {type, order, ...}; what names rows by an order that is no more is refused:
 *   window {start, stop} · edit {cells: [[row, column, input]]} · paste {block, areas}
 *   at {row} · fill {source, target, count} · clear {areas} · undo · redo · add · delete {rows: [[first, last]]}
 *   sort {by: [[column, descending]]} · filter {column, text or values} · show {show} · hide {column: null for none}
 *   seek: Find was opened
 *   and, answered by a message with the same `id`: find {text, pattern, case, row, column, back},
 *   replace {text, pattern, case, by, areas: null for all, do: false to count},
 *   values {column, text}: what a filter can let through, sum {areas}, copy {rows: [[first, last]], columns, headers},
 *   complete {column, text}.
 * Messages from Python: {type: "window", version, order, start, cells, marks}, {type: "labels", labels: {id: name}},
 * {type: "cells", since, version, order, rows: [{row, cells: {column: text}, marks}]}: what was edited since a version,
 * {type: "go", row, column}, {type: "say", text} and {type: "offer", choices, chosen}: ways to read what was typed or pasted,
 * which the page answers by read {choice}.
 *
 * Rows are positions in the sorted and filtered view, columns are indexes into `columns`; an area of cells is
 * {top, left, rows, columns}.
 */


class Grid {
  constructor(model, el) {
    this.model = model;
    this.widthsOf = new Map(); // column name -> width that the user has chosen
    this.blocks = new Map(); // block number -> {version, start, cells, marks}
    this.asked = new Map(); // block number -> version that was asked for
    this.labels = {}; // id -> how people call it
    this.rowElements = new Map(); // view position -> row element
    this.active = { row: 0, column: 0 };
    this.anchor = { row: 0, column: 0 };
    this.others = []; // rectangles that are selected beside the one from anchor to active
    this.adding = false; // Shift+F8: what is selected stays
    this.preview = null; // the rectangle that a drag will fill
    this.frozenTo = null; // name of the last column that stays in sight, if the user has chosen it
    this.editing = new CellEditor(this);
    this.finding = new FindBar(this);
    this.answers = new Map(); // id of a question -> resolve
    this.questions = 0;
    this.view = Math.random().toString(36).slice(2); // the same model may be shown twice
    this.build(el);
    this.listen();
    this.place();
    this.refresh();
  }

  get columns() { return this.model.get("columns"); }
  get status() { return this.model.get("status"); }
  get shown() { return this.status.shown; }

  // ---- Talking with Python

  listen() {
    this.onMessage = (message) => {
      this.heard();
      if (message.id !== undefined && this.answers.has(message.id)) {
        this.answers.get(message.id)(message);
        this.answers.delete(message.id);
      } else if (message.type === "window") this.receive(message);
      else if (message.type === "cells") this.patch(message);
      else if (message.type === "labels") this.name(message.labels);
      else if (message.type === "go") this.go(message.row, message.column, { focus: this.body.contains(document.activeElement) });
      else if (message.type === "say") this.say(message.text);
      else if (message.type === "offer") this.offer(message);
    };
    this.onStatus = () => {
      this.heard();
      this.refresh();
    };
    this.onColumns = () => {
      this.others = [];
      this.active.column = this.anchor.column = clamp(this.active.column, 0, this.columns.length - 1);
      this.place();
    };
    this.model.on("msg:custom", this.onMessage);
    this.model.on("change:status", this.onStatus);
    this.model.on("change:columns", this.onColumns);
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.scroller);
  }

  close() {
    this.heard();
    this.model.off("msg:custom", this.onMessage);
    this.model.off("change:status", this.onStatus);
    this.model.off("change:columns", this.onColumns);
    this.sizes.disconnect();
  }

  /* Send a message. While no answer comes nothing is kept, and whoever edits should know. */
  send(type, content = {}) {
    if (EDITS.includes(type)) this.offerBar.hidden = true; // what was pasted is not the last step any more
    if (!UNANSWERED.includes(type)) this.silence ??= setTimeout(() => this.wait(), PATIENCE);
    try {
      this.model.send({ type, order: this.status.order, ...content });
    } catch (error) { // after a restart of the kernel
      this.heard();
      this.say(`Not kept: nobody listens any more (${error.message}). Run the cell again.`, { stays: true });
    }
  }

  /* Say what silence means. Where the page knows of its kernel, one that is busy is not taken for lost. */
  wait() {
    const { status, connectionStatus } = this.model.widget_manager?.kernel ?? {};
    const cut = connectionStatus !== undefined && connectionStatus !== "connected";
    const text = cut ? "The page has lost its connection to the kernel. What you edit now may be lost."
      : status === "busy" ? "The kernel is busy with something else: what you do here comes after it."
      : status === undefined ? "The kernel does not answer: it is busy, or gone. What you edit now may be lost."
      : "The kernel does not answer: it has no grid like this any more. What you edit now is lost; run the cell again.";
    this.say(text, { stays: true });
    this.silence = setTimeout(() => this.wait(), PATIENCE); // it may be otherwise by then
  }

  heard() {
    clearTimeout(this.silence);
    this.silence = null;
    if (this.stays) this.hush();
  }

  ask(type, content) {
    const id = `${this.view}-${++this.questions}`;
    this.send(type, { ...content, id });
    return new Promise((resolve) => this.answers.set(id, resolve));
  }

  receive(message) {
    if (message.version < this.status.version) return; // overtaken by an edit: asked for again already
    const number = message.start / BLOCK;
    this.blocks.delete(number); // the newest ones come last
    this.blocks.set(number, message);
    if (this.blocks.size > KEPT) this.forget(this.blocks.keys().next().value);
    this.draw();
  }

  /* Take over what was edited: windows that are here become as new as those that are asked for. */
  patch({ since, version, order, rows }) {
    for (const block of this.blocks.values()) {
      if (block.version === since && block.order === order) block.version = version;
    }
    for (const { row, cells, marks } of rows) {
      const block = this.blocks.get(Math.floor(row / BLOCK));
      if (block?.version !== version) continue;
      for (const [column, text] of Object.entries(cells)) block.cells[column][row - block.start] = text;
      block.marks[row - block.start] = marks;
    }
    this.draw();
  }

  forget(number) {
    this.blocks.delete(number);
    this.asked.delete(number);
  }

  /* Names of what references point to come when the server has told them. */
  name(labels) {
    Object.assign(this.labels, labels);
    this.draw();
  }

  /* The status changed: show its counts, and fetch again what is in sight. */
  refresh() {
    this.body.style.height = `${this.shown * ROW}px`;
    this.scroller.setAttribute("aria-rowcount", this.shown + 1);
    this.active.row = clamp(this.active.row, 0, Math.max(0, this.shown - 1));
    this.anchor.row = clamp(this.anchor.row, 0, Math.max(0, this.shown - 1));
    this.others = this.others.filter(({ bottom }) => bottom < this.shown);
    this.scroller.tabIndex = this.shown ? -1 : 0; // without cells it has the focus itself
    this.drawHead();
    this.drawToolbar();
    this.finding.follow();
    this.draw();
  }

  // ---- Structure

  build(el) {
    const { height, label, rows } = this.model.get("options");
    this.undoButton = button("↶", "Undo (Ctrl+Z)", () => this.send("undo"));
    this.redoButton = button("↷", "Redo (Ctrl+Y)", () => this.send("redo"));
    this.addButton = button("+ Row", "Add a new row (Insert)", () => this.addRow());
    this.deleteButton = button("− Row", "Mark the selected rows for deletion, or unmark them (Ctrl+Delete)", () => this.deleteRows());
    this.findButton = button("Find", "Find a text (Ctrl+F)", () => this.finding.open());
    this.showSelect = h("select", { "aria-label": "Which rows to show", onchange: (event) => this.send("show", { show: event.target.value }) },
      ...[["all", "All rows"], ["changed", "Changed rows"], ["invalid", "Invalid rows"]].map(([value, text]) => h("option", { value }, text)));
    const sendAndGo = (type, content) => { // a button that goes away leaves the focus to the cells
      this.send(type, content);
      this.focus();
    };
    this.clearButton = button("Clear filters", "Show all rows again", () => sendAndGo("filter", { column: null, text: "" }));
    this.hiddenButton = button("", "Show all columns again", () => sendAndGo("hide", { column: null }));
    this.counts = h("span", { class: "counts", role: "status" });
    this.toolbar = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Edit" },
      this.undoButton, this.redoButton, ...(rows ? [this.addButton, this.deleteButton] : []), this.findButton, this.showSelect, this.clearButton, this.hiddenButton, this.counts,
      button("?", "Keys", () => openHelp(this)));
    this.offerBar = h("div", { class: "find offer", role: "group", "aria-label": "How to read this", hidden: true });
    this.head = h("div", { class: "head", role: "row", "aria-rowindex": 1 });
    this.body = h("div", { class: "body", role: "rowgroup" });
    this.scroller = h("div", { class: "scroller", role: "grid", "aria-label": label, "aria-multiselectable": "true", style: `height:${height}px` },
      h("div", { role: "rowgroup", class: "headgroup" }, this.head), this.body);
    this.line = h("span", { role: "status", "aria-live": "polite" });
    this.sums = h("span", { class: "sums", role: "status", "aria-label": "Of the selection" });
    this.foot = h("div", { class: "line" }, this.line, this.sums);
    this.root = h("div", { class: "sispy-grid" }, this.toolbar, this.finding.element, this.offerBar, this.scroller, this.foot);
    el.append(this.root);

    this.scroller.addEventListener("scroll", () => this.draw());
    this.body.addEventListener("mousedown", (event) => this.onMouseDown(event));
    this.scroller.addEventListener("contextmenu", (event) => this.onContextMenu(event));
    this.scroller.addEventListener("keydown", (event) => this.onKey(event));
    for (const type of ["copy", "cut", "paste"]) this.scroller.addEventListener(type, (event) => this.onClipboard(event));
    // Jupyter's shortcuts act on the notebook cell (d d deletes it): no key pressed in here may reach them.
    // Notebook 7 sees keys before anybody else, but leaves them alone where what has the focus asks for it.
    this.root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
    for (const type of ["keydown", "keyup", "keypress"]) this.root.addEventListener(type, (event) => event.stopPropagation());
  }

  /* Offer other ways to read what was typed or pasted; the next edit takes the offer away. */
  offer({ choices, chosen }) {
    const close = () => { this.offerBar.hidden = true; this.focus(); };
    const choose = (choice) => { this.send("read", { choice }); this.focus(); };
    this.offerBar.replaceChildren(h("span", { role: "status" }, "This is read"),
      ...choices.map((text, choice) => h("button", { type: "button", "aria-pressed": String(choice === chosen), onclick: () => choose(choice) }, text)),
      h("button", { type: "button", title: "Close", "aria-label": "Close", onclick: close }, "×"));
    this.offerBar.hidden = false;
  }

  /* Compute where columns stand. Frozen ones come first and stay in sight. */
  place() {
    const focused = this.body.contains(document.activeElement);
    this.widths = this.columns.map(({ name, width }) => this.widthsOf.get(name) ?? width);
    this.lefts = [];
    let x = GUTTER;
    for (const width of this.widths) {
      this.lefts.push(x);
      x += width;
    }
    this.total = x;
    const chosen = this.columns.findIndex(({ name }) => name === this.frozenTo);
    this.frozen = chosen >= 0 ? chosen + 1 : this.columns.filter((column) => column.frozen).length;
    this.frozenWidth = this.frozen < this.lefts.length ? this.lefts[this.frozen] : x;
    this.body.style.width = this.head.style.width = `${x}px`;
    this.scroller.setAttribute("aria-colcount", this.columns.length);
    for (const element of this.rowElements.values()) element.remove();
    this.rowElements.clear();
    this.drawHead();
    if (focused) {
      this.paint();
      this.focus();
    } else this.draw();
  }

  // ---- Drawing

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const { scrollTop, clientHeight } = this.scroller;
    const first = clamp(Math.floor(scrollTop / ROW) - MARGIN, 0, this.shown);
    const last = clamp(Math.ceil((scrollTop + clientHeight) / ROW) + MARGIN, 0, this.shown);
    this.need(first, last);
    const focused = document.activeElement === this.scroller || this.body.contains(document.activeElement);
    const rows = new Set();
    for (let row = first; row < last; row++) rows.add(row);
    if (this.shown) rows.add(this.active.row); // out of sight it is kept, because it holds the focus
    const columns = this.visibleColumns();
    for (const [row, element] of this.rowElements) {
      if (!rows.has(row)) {
        element.remove();
        this.rowElements.delete(row);
      }
    }
    for (const row of rows) this.paintRow(row, columns);
    // What had the focus may be gone; without rows the table itself has it.
    const lost = this.shown ? !this.body.contains(document.activeElement) : document.activeElement !== this.scroller;
    if (focused && lost) this.focus();
    this.root.classList.toggle("empty", this.shown === 0);
    this.describe();
    this.sumSoon();
  }

  /* Ask for the windows that rows first to last need and that are missing or out of date. */
  need(first, last) {
    const version = this.status.version;
    for (let block = Math.floor(first / BLOCK); block * BLOCK < last; block++) {
      if (this.blocks.get(block)?.version === version || this.asked.get(block) === version) continue;
      this.asked.set(block, version);
      this.send("window", { start: block * BLOCK, stop: (block + 1) * BLOCK });
    }
  }

  visibleColumns() {
    const { scrollLeft, clientWidth } = this.scroller;
    const columns = [];
    this.lefts.forEach((left, i) => {
      const inSight = left + this.widths[i] > scrollLeft + this.frozenWidth && left < scrollLeft + clientWidth;
      if (i < this.frozen || inSight || i === this.active.column) columns.push(i);
    });
    return columns;
  }

  paintRow(row, columns) {
    let element = this.rowElements.get(row);
    if (!element) {
      element = h("div", { class: "row", role: "row", "aria-rowindex": row + 2, style: `top:${row * ROW}px;width:${this.total}px` },
        h("div", { class: "gutter", role: "rowheader", "data-row": row }));
      element.cells = new Map();
      this.rowElements.set(row, element);
      this.body.append(element);
    }
    for (const [column, cell] of element.cells) {
      if (!columns.includes(column)) {
        cell.remove();
        element.cells.delete(column);
      }
    }
    const marks = this.marks(row);
    element.className = `row ${marks.row ?? ""}`;
    element.title = marks.why ?? "";
    const glyph = { new: "+", deleted: "−", fixed: "⊘", locked: "⊖", failed: "!", done: "✓" }[marks.row] ?? "";
    element.firstChild.textContent = `${glyph} ${row + 1}`;
    for (const column of columns) this.paintCell(element, row, column, marks.cells?.[column]);
  }

  paintCell(element, row, column, mark) {
    let cell = element.cells.get(column);
    if (!cell) {
      const frozen = column < this.frozen;
      cell = h("div", {
        role: "gridcell", "aria-colindex": column + 1, "data-row": row, "data-column": column,
        style: `left:${this.lefts[column]}px;width:${this.widths[column]}px`, "data-frozen": frozen && (column === this.frozen - 1 ? "last" : "yes"),
      });
      element.cells.set(column, cell);
      if (frozen) element.insertBefore(cell, element.children[column + 1] ?? null);
      else element.append(cell);
    }
    if (this.editing.cell === cell) return;
    const definition = this.columns[column];
    const text = this.text(row, column);
    const now = this.rectangle();
    const selected = [now, ...this.others].some((one) => isIn(one, row, column));
    const corner = row === now.bottom && column === now.right && !this.others.length;
    const filling = this.preview !== null && isIn(this.preview, row, column);
    const active = row === this.active.row && column === this.active.column;
    const readonly = definition.readonly || this.marks(row).row === "fixed";
    const state = [definition.kind, mark?.is, readonly && "readonly", selected && "selected", active && "active", corner && "corner", filling && "filling", text === undefined && "waiting"].filter(Boolean).join(" ");
    const shown = this.display(column, text);
    const title = this.tooltip(column, text, mark);
    const signature = `${state}|${text}|${shown}|${title}`;
    if (cell.signature === signature) return; // nothing to do is the usual case while scrolling
    cell.signature = signature;
    cell.className = `cell ${state}`;
    cell.tabIndex = active ? 0 : -1;
    cell.setAttribute("aria-selected", selected);
    cell.setAttribute("aria-readonly", readonly);
    cell.setAttribute("aria-invalid", mark?.is === "invalid" || mark?.is === "failed");
    cell.title = title;
    if (definition.kind === "boolean" && typeof text !== "string") {
      cell.replaceChildren(h("span", { class: `box ${text === true ? "on" : text === false ? "off" : ""}` }));
      cell.setAttribute("aria-label", text === true ? "true" : text === false ? "false" : "no value");
    } else {
      cell.textContent = shown;
      cell.removeAttribute("aria-label");
    }
  }

  drawHead() {
    const { sorts, filters } = this.status;
    this.head.replaceChildren(h("div", { class: "gutter corner" }), ...this.columns.map((column, i) => {
      const place = sorts.findIndex(([name]) => name === column.name);
      const direction = place < 0 ? "none" : sorts[place][1] ? "descending" : "ascending";
      const arrow = { none: "", ascending: "▲", descending: "▼" }[direction] + (place >= 0 && sorts.length > 1 ? place + 1 : "");
      const filtered = column.name in filters;
      const facts = [column.type, column.required && "required", column.unique && "unique", column.ref && `refers to ${column.ref}`,
        column.min !== null && `from ${column.min}`, column.max !== null && `up to ${column.max}`, column.readonly && "read-only"].filter(Boolean).join(", ");
      return h("div", {
        class: `cell ${column.kind} ${column.readonly ? "readonly" : ""} ${filtered ? "filtered" : ""}`, role: "columnheader", "aria-colindex": i + 1,
        "aria-sort": direction, "data-frozen": i < this.frozen && (i === this.frozen - 1 ? "last" : "yes"), "data-column": i,
        title: `${column.name}: ${facts}${column.description ? `\n${column.description}` : ""}${column.kind === "date" ? "\nTimes are UTC." : ""}`,
        style: `left:${this.lefts[i]}px;width:${this.widths[i]}px`,
      },
        h("span", { class: "name", title: "Sort; with Shift by this column, too", onclick: (event) => this.cycleSort(i, event.shiftKey) }, `${column.name}${column.required ? " *" : ""}`),
        h("span", { class: "arrow" }, arrow),
        h("button", { class: "menu", type: "button", tabindex: -1, title: "Column menu (Alt+Down)", "aria-label": `Column menu of ${column.name}`, onclick: () => openColumnMenu(this, i) }, filtered ? "∇" : "⋮"),
        h("span", { class: "handle", title: "Width; double-click fits it to what is in sight",
          onpointerdown: (event) => this.resize(event, i), ondblclick: () => this.fit(i) }));
    }));
  }

  drawToolbar() {
    const status = this.status;
    for (const [one, can] of [[this.undoButton, status.undo], [this.redoButton, status.redo]]) {
      if (!can && one === document.activeElement) this.focus(); // a button that cannot be pressed hears no key
      one.disabled = !can;
    }
    this.showSelect.value = status.show;
    this.clearButton.hidden = !Object.keys(status.filters).length;
    this.hiddenButton.hidden = !status.hidden;
    this.hiddenButton.textContent = `${status.hidden} hidden`;
    const some = status.shown === status.rows ? `${status.rows.toLocaleString("en")} rows` : `${status.shown.toLocaleString("en")} of ${status.rows.toLocaleString("en")} rows`;
    const count = (n, word, kind) => (n ? [h("b", { class: kind }, `${n.toLocaleString("en")} ${word}`)] : []);
    this.counts.replaceChildren(some, ...count(status.changed, status.changed === 1 ? "cell changed" : "cells changed", "changed"),
      ...count(status.new, "new", "new"), ...count(status.deleted, "to delete", "deleted"), ...count(status.invalid, "invalid", "invalid"),
      ...count(status.conflicts, "in conflict", "conflict"), ...count(status.failed, "failed", "failed"));
  }

  /* The line below the grid says about the active cell what its tooltip says, for those who use no mouse. */
  describe() {
    const { row, column } = this.active;
    if (this.message || !this.columns.length) return;
    const mark = this.marks(row);
    const text = this.text(row, column);
    const about = this.shown ? this.tooltip(column, text, mark.cells?.[column]).replaceAll("\n", " · ") : "No rows to show.";
    this.line.textContent = [this.columns[column].name, mark.why, about].filter(Boolean).join(" · ");
    this.foot.classList.remove("alert");
  }

  /* Count and sum what is selected, once the selection and the cells rest. */
  sumSoon() {
    const areas = this.areas();
    const now = this.shown && (areas.length > 1 || areas[0].rows * areas[0].columns > 1) ? JSON.stringify([areas, this.status.version]) : "";
    if (now === this.summed) return;
    this.summed = now;
    clearTimeout(this.sumTimer);
    if (!now) this.sums.textContent = "";
    else this.sumTimer = setTimeout(() => this.sum(areas, now), 150);
  }

  async sum(areas, asked) {
    const { cells, filled, distinct, ...numbers } = await this.ask("sum", { areas });
    if (this.summed !== asked) return; // something else is selected now
    const shown = (number) => number.toLocaleString("en", { maximumFractionDigits: 6 });
    this.sums.textContent = [
      ...["sum", "average", "min", "max"].filter((name) => name in numbers).map((name) => `${name} ${shown(numbers[name])}`),
      distinct !== null && `${distinct.toLocaleString("en")} distinct`,
      `${filled.toLocaleString("en")} of ${numberOf(cells, "cell")} filled`,
    ].filter(Boolean).join(" · ");
  }

  say(text, { stays = false } = {}) {
    this.message = text;
    this.stays = stays;
    this.line.textContent = text;
    this.foot.classList.add("alert");
    clearTimeout(this.messageTimer);
    if (!stays) this.messageTimer = setTimeout(() => this.hush(), 6000);
  }

  hush() {
    this.message = null;
    this.stays = false;
    this.draw();
  }

  // ---- What a cell holds

  /* The cell's text (booleans are true, false or null); undefined while its window is on the way. */
  text(row, column) {
    const block = this.block(row);
    return block?.cells[column]?.[row - block.start];
  }

  marks(row) {
    const block = this.block(row);
    return block?.marks[row - block.start] ?? {};
  }

  /* The block of a row, if it is here and shows the row that stands there now. */
  block(row) {
    const block = this.blocks.get(Math.floor(row / BLOCK));
    return block?.order === this.status.order ? block : undefined;
  }

  display(column, text) {
    if (text === undefined) return "…";
    if (text === null) return "";
    const shown = this.named(column, String(text));
    return shown.length > 400 ? `${shown.slice(0, 400)}…` : shown.replaceAll("\n", " ⏎ ");
  }

  /* Put names where ids of references stand, also in the JSON of a list. */
  named(column, text) {
    const { kind, ref } = this.columns[column];
    if (!ref) return text;
    const inList = (name) => JSON.stringify(name).slice(1, -1);
    return text.replace(/\b[0-9a-f]{24}\b/g, (id) => (this.labels[id] ? (kind === "json" ? inList : String)(this.labels[id]) : id));
  }

  tooltip(column, text, mark) {
    const say = (value) => (value === null || value === undefined ? "no value" : this.display(column, String(value)));
    if (!mark) return text && text.length > 24 ? this.display(column, text) : "";
    const lines = [];
    if (mark.why) lines.push(mark.why);
    if (mark.is === "conflict") lines.push(`base: ${say(mark.was)}`, `mine: ${say(text)}`, `theirs: ${say(mark.theirs)}`);
    else if (mark.is !== "done") lines.push(`was: ${say(mark.was)}`, `now: ${say(text)}`);
    return lines.join("\n");
  }

  // ---- Selection and movement

  rectangle() {
    const { active, anchor } = this;
    return {
      top: Math.min(active.row, anchor.row), bottom: Math.max(active.row, anchor.row),
      left: Math.min(active.column, anchor.column), right: Math.max(active.column, anchor.column),
    };
  }

  /* What is selected, as Python takes it; the rectangle with the active cell comes last. */
  areas() { return [...this.others, this.rectangle()].map(areaOf); }

  area() { return areaOf(this.rectangle()); }

  go(row, column, { extend = false, add = false, focus = true } = {}) {
    if (!this.shown) return;
    if (add) this.others.push(this.rectangle());
    else if (!extend && !this.adding) this.others = [];
    this.active = { row: clamp(row, 0, this.shown - 1), column: clamp(column, 0, this.columns.length - 1) };
    if (!extend) this.anchor = { ...this.active };
    this.scrollTo(this.active.row, this.active.column);
    this.paint();
    if (focus) this.focus();
  }

  focus() {
    const cell = this.rowElements.get(this.active.row)?.cells.get(this.active.column);
    (cell ?? this.scroller).focus({ preventScroll: true });
    if (this.model.get("options").follow) this.send("at", { row: this.active.row });
  }

  scrollTo(row, column) {
    const { scroller } = this;
    const top = row * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    const bottom = top + ROW + HEAD - scroller.clientHeight;
    if (bottom > scroller.scrollTop) scroller.scrollTop = bottom;
    if (column < this.frozen) return;
    const left = this.lefts[column];
    if (left - this.frozenWidth < scroller.scrollLeft) scroller.scrollLeft = left - this.frozenWidth;
    const right = left + this.widths[column] - scroller.clientWidth;
    if (right > scroller.scrollLeft) scroller.scrollLeft = Math.min(right, left - this.frozenWidth);
  }

  onMouseDown(event) {
    if (event.button !== 0 || this.editing.cell?.contains(event.target)) return;
    const target = event.target.closest("[data-row]");
    if (!target) return;
    event.preventDefault(); // else the browser moves the focus to where nothing is
    this.editing.commit();
    const row = Number(target.dataset.row);
    const add = modifier(event) && !event.shiftKey;
    if (target.dataset.column === undefined) { // the gutter selects rows
      if (add) this.others.push(this.rectangle());
      else if (!event.shiftKey) this.others = [];
      if (!event.shiftKey) this.anchor = { row, column: this.columns.length - 1 };
      this.active = { row, column: 0 };
      this.paint();
      this.focus();
      this.drag((at) => this.go(at.row, 0, { extend: true }));
      return;
    }
    if (target.classList.contains("corner") && isAtCorner(event, target)) {
      this.dragFill();
      return;
    }
    const column = Number(target.dataset.column);
    this.go(row, column, { extend: event.shiftKey, add });
    const onBox = event.target.classList.contains("box") && !add;
    // A second mousedown, not dblclick: the first one has redrawn the cell, and dblclick needs one element.
    if (onBox ? event.detail === 1 : event.detail === 2) this.editing.open(null);
    else this.drag((at) => this.go(at.row, at.column, { extend: true }));
  }

  /* Call `reach` with every cell that the mouse comes to, for as long as its button is down, and `end` then.
   * Beyond the edge the grid scrolls. */
  drag(reach, end = () => {}) {
    let at = null;
    let last = "";
    const follow = () => {
      if (!at) return;
      const box = this.scroller.getBoundingClientRect();
      const [x, y] = [at.clientX - box.left, at.clientY - box.top];
      const row = clamp(Math.floor((y - HEAD + this.scroller.scrollTop) / ROW), 0, this.shown - 1);
      const column = Math.max(0, this.lefts.findLastIndex((left) => left <= (x < this.frozenWidth ? x : x + this.scroller.scrollLeft)));
      if (last !== `${row} ${column}`) reach({ row, column });
      last = `${row} ${column}`;
    };
    const move = (event) => { at = event; follow(); };
    const timer = setInterval(follow, 60);
    window.addEventListener("mousemove", move);
    window.addEventListener("mouseup", (event) => {
      clearInterval(timer);
      window.removeEventListener("mousemove", move);
      end(event);
    }, { once: true });
  }

  /* Fill the cells that the corner of the selection is dragged to; with Ctrl they count on. */
  dragFill() {
    const from = this.rectangle();
    this.say("Drag to repeat the selection; hold Ctrl to count on; Escape leaves everything as it was.");
    this.preview = from;
    this.drag(({ row, column }) => {
      if (this.preview === null) return; // Escape
      const [down, across] = [Math.max(row - from.bottom, from.top - row), Math.max(column - from.right, from.left - column)];
      this.preview = down >= across
        ? { ...from, top: Math.min(from.top, row), bottom: Math.max(from.bottom, row) }
        : { ...from, left: Math.min(from.left, column), right: Math.max(from.right, column) };
      this.scrollTo(row, column);
      this.paint();
    }, (event) => {
      const target = this.preview;
      this.preview = null;
      this.hush();
      if (target && (target.bottom - target.top > from.bottom - from.top || target.right - target.left > from.right - from.left)) {
        this.send("fill", { source: areaOf(from), target: areaOf(target), count: modifier(event) });
        this.select(target.top, target.left, target.bottom, target.right);
      }
    });
  }

  /* The menu of a cell, also by Shift+F10 and the menu key; with Shift the browser's own. */
  onContextMenu(event) {
    if (event.shiftKey && event.button === 2) return;
    if (this.editing.cell?.contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    const header = event.target.closest(".head [data-column]");
    if (header) {
      openColumnMenu(this, Number(header.dataset.column));
      return;
    }
    const target = event.target.closest("[data-row]");
    if (event.button === 2 && target) {
      this.editing.commit();
      const row = Number(target.dataset.row);
      const column = target.dataset.column === undefined ? null : Number(target.dataset.column);
      const inside = [this.rectangle(), ...this.others].some((one) => isIn(one, row, column ?? one.left));
      if (!inside && column === null) this.select(row, 0, row, this.columns.length - 1);
      else if (!inside) this.go(row, column);
      openCellMenu(this, { x: event.clientX, y: event.clientY });
    } else openCellMenu(this);
  }

  onKey(event) {
    if (this.editing.cell || event.target.closest(".head")) return;
    const { row, column } = this.active;
    const { key } = event;
    const extend = event.shiftKey;
    const page = Math.max(1, Math.floor((this.scroller.clientHeight - HEAD) / ROW) - 1);
    const ends = modifier(event);
    const moves = {
      ArrowUp: [ends ? 0 : row - 1, column], ArrowDown: [ends ? this.shown - 1 : row + 1, column],
      ArrowLeft: [row, ends ? 0 : column - 1], ArrowRight: [row, ends ? this.columns.length - 1 : column + 1],
      PageUp: [row - page, column], PageDown: [row + page, column],
      Home: [ends ? 0 : row, 0], End: [ends ? this.shown - 1 : row, this.columns.length - 1],
    };
    const commands = {
      z: () => this.send(extend ? "redo" : "undo"), y: () => this.send("redo"), d: () => this.fill(),
      f: () => this.finding.open(), h: () => this.finding.open({ replace: true }), a: () => this.select(0, 0, this.shown - 1, this.columns.length - 1),
      " ": () => this.select(0, column, this.shown - 1, column), delete: () => this.deleteRows(),
    };
    if (event.altKey && key === "ArrowDown") openColumnMenu(this, column);
    else if (event.altKey && extend && key === "ArrowLeft") this.setWidth(column, this.widths[column] - 20);
    else if (event.altKey && extend && key === "ArrowRight") this.setWidth(column, this.widths[column] + 20);
    else if (key in moves) {
      if (moves[key][1] <= 0 && (key === "Home" || key === "ArrowLeft")) this.scroller.scrollLeft = 0; // the frozen column is in sight anyway
      this.go(...moves[key], { extend });
    } else if (ends && commands[key.toLowerCase()]) commands[key.toLowerCase()]();
    else if (ends || (event.altKey && !typing(event))) return; // the browser's own shortcuts, copy and paste among them
    else if (key === " " && extend) this.select(row, 0, row, this.columns.length - 1);
    else if (key === "Enter" || key === "F2") this.editing.open(null);
    else if (key === " " && this.columns[column].kind === "boolean") this.editing.open(null);
    else if (key === "Delete" || key === "Backspace") this.clear();
    else if (key === "Insert") this.addRow();
    else if (key === "F1") openHelp(this);
    else if (extend && key === "F8") this.addSelection();
    else if (key === "ContextMenu" || (extend && key === "F10")) openCellMenu(this);
    else if (key === "Escape") this.escape();
    else if (key.length === 1) this.editing.open(key);
    else return;
    event.preventDefault();
  }

  select(top, left, bottom, right) {
    if (!this.adding) this.others = [];
    this.anchor = { row: bottom, column: right };
    this.active = { row: top, column: left };
    this.paint();
    this.focus();
  }

  /* Keep what is selected, and go on selecting elsewhere. */
  addSelection() {
    this.others.push(this.rectangle());
    this.adding = true;
    this.say("The selection stays: go elsewhere and select more. Escape ends this.");
  }

  /* End a drag that would fill; else select the active cell alone, and close what finds. */
  escape() {
    this.hush();
    if (this.preview === null && !this.adding) this.finding.element.hidden = true;
    this.adding = false;
    if (this.preview === null) this.go(this.active.row, this.active.column);
    this.preview = null;
  }

  clear() { this.send("clear", { areas: this.areas() }); }

  addRow() {
    if (!this.model.get("options").rows) return;
    this.send("add");
    const stop = () => this.model.off("change:status", arrive);
    const arrive = () => { stop(); this.go(this.shown - 1, 0); };
    this.model.on("change:status", arrive);
  }

  /* Fill the selection from its first row or column; one cell takes what is above it, or left of it. */
  fill({ across = false, count = false } = {}) {
    const target = this.area();
    const [at, size] = across ? ["left", "columns"] : ["top", "rows"];
    if (target[size] === 1 && target[at] > 0) {
      target[at] -= 1;
      target[size] = 2;
    }
    this.send("fill", { source: { ...target, [size]: 1 }, target, count });
  }

  deleteRows() {
    if (!this.model.get("options").rows || !this.shown) return;
    this.send("delete", { rows: this.areas().map(({ top, rows }) => [top, top + rows - 1]) });
  }

  // ---- Clipboard

  onClipboard(event) {
    event.stopPropagation();
    if (this.editing.cell) return; // the editor's own text
    event.preventDefault();
    if (event.type === "paste") {
      this.paste(event.clipboardData.getData("text/plain"));
      return;
    }
    const block = this.selectedBlock();
    if (block === null) return;
    const copied = () => { if (event.type === "cut") this.clear(); };
    const text = this.copied(block);
    if (text !== null) {
      event.clipboardData.setData("text/plain", text);
      copied();
    } else this.copyAll(block).then(copied, () => {});
  }

  paste(text) {
    if (!text) return;
    const block = parseTsv(text.replace(/(\r\n|\n|\r)$/, ""));
    const areas = this.areas();
    this.send("paste", { block, areas });
    if (areas.length > 1 && block.length === 1 && block[0].length === 1) return; // it went into all of them
    const { top, left, rows, columns } = areas.at(-1);
    this.select(top, left, clamp(top + Math.max(block.length, rows) - 1, top, this.shown - 1),
      clamp(left + Math.max(block[0].length, columns) - 1, left, this.columns.length - 1));
  }

  /* What is selected as one block, {rows: [[first, last]], columns: [index]}; null if it is none. */
  selectedBlock() {
    const areas = this.areas();
    const [first] = areas;
    const span = ({ top, rows }) => [top, top + rows - 1];
    const columns = ({ left, columns: count }) => Array.from({ length: count }, (_, i) => left + i);
    if (areas.every(({ left, columns: count }) => left === first.left && count === first.columns)) {
      return { rows: areas.map(span).sort((a, b) => a[0] - b[0]), columns: columns(first) };
    }
    if (areas.every(({ top, rows }) => top === first.top && rows === first.rows)) {
      return { rows: [span(first)], columns: areas.flatMap(columns).sort((a, b) => a - b) };
    }
    this.say("Not copied: parts of a selection are copied together if they have the same rows, or the same columns.");
    return null;
  }

  /* A block as text; null if a part of it is not here. */
  copied({ rows, columns }, headers = false) {
    const lines = headers ? [columns.map((column) => tsvCell(this.columns[column].name)).join("\t")] : [];
    for (const [first, last] of rows) {
      for (let row = first; row <= last; row++) {
        const line = columns.map((column) => this.text(row, column));
        if (line.includes(undefined)) return null;
        lines.push(line.map((text, i) => (text === null ? "" : typeof text === "boolean" ? String(text).toUpperCase() : tsvCell(this.named(columns[i], text)))).join("\t"));
      }
    }
    return lines.join("\n");
  }

  /* Copy a block of which Python has to write a part. */
  async copyAll(block, headers = false) {
    try {
      const text = this.copied(block, headers) ?? (await this.ask("copy", { ...block, headers })).text;
      await navigator.clipboard.writeText(text);
    } catch (error) {
      this.say("Not copied: this browser lets a page copy by Ctrl+C alone, and only rows that were in sight.");
      throw error;
    }
  }

  // ---- Sort and columns

  /* Sort by a column up, then down, then not; `add` keeps the columns that are sorted by already. */
  cycleSort(column, add) {
    const { name } = this.columns[column];
    const now = this.status.sorts.find(([sorted]) => sorted === name);
    this.sortBy(name, now === undefined ? false : now[1] ? null : true, add);
  }

  /* Sort by a column, down or up; null for no longer. */
  sortBy(name, descending, add) {
    const { sorts } = this.status;
    const others = sorts.filter(([sorted]) => add && sorted !== name);
    const place = add ? sorts.findIndex(([sorted]) => sorted === name) : 0;
    if (descending !== null) others.splice(place < 0 ? others.length : place, 0, [name, descending]);
    this.send("sort", { by: others });
  }

  /* Let the columns up to one stay in sight, null for the key alone. */
  freeze(column) {
    const width = column === null ? 0 : this.lefts[column] + this.widths[column];
    if (width > 0.7 * this.scroller.clientWidth) {
      this.say("Not frozen: these columns leave too little room for the others. Make them narrower, or hide some.");
      return;
    }
    this.frozenTo = column === null ? null : this.columns[column].name;
    this.place();
    this.paint();
  }

  resize(event, column) {
    event.preventDefault();
    event.stopPropagation();
    const from = event.clientX;
    const before = this.widths[column];
    const move = (moved) => this.setWidth(column, before + moved.clientX - from);
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", () => window.removeEventListener("pointermove", move), { once: true });
  }

  /* Make a column as wide as its name and its cells in sight are. */
  fit(column) {
    const cells = [...this.rowElements.values()].map((row) => row.cells.get(column)).filter(Boolean);
    const name = this.head.children[column + 1].querySelector(".name");
    for (const element of [name, ...cells]) element.style.cssText += ";flex:none;width:0";
    this.setWidth(column, Math.max(name.scrollWidth + 54, ...cells.map((cell) => cell.scrollWidth + 8)));
  }

  setWidth(column, width) {
    this.widthsOf.set(this.columns[column].name, clamp(width, 40, 900));
    this.place();
    this.paint();
  }
}

export default {
  render({ model, el }) {
    const grid = new Grid(model, el);
    return () => grid.close();
  },
};

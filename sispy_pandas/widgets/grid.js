/* The editable grid: draws the rows in sight, edits cells, and leaves every decision about values to Python.
 *
 * Traits of the model (Python writes, this file reads):
 *   columns  [{name, kind, type, readonly, required, unique, enum, min, max, ref, description, frozen, width}]
 *   status   {version, order, shown, rows, changed, invalid, new, deleted, conflicts, failed, undo, redo,
 *             sort, descending, filters, show}; a new version means that cached rows are out of date,
 *            a new order that they stand elsewhere
 *   options  {height, label, rows: whether rows can be added and deleted, follow: whether to send `at`}
 *
 * Messages to Python, {type, order, ...}; what names rows by an order that is no more is refused:
 *   window {start, stop} · edit {cells: [[row, column, input]]} · paste {block, top, left, rows, columns}
 *   at {row} · fill / clear {top, left, rows, columns} · undo · redo · add · delete {rows: [first, last]}
 *   sort {column, descending} · filter {column, text} · show {show}
 *   seek: Find was opened
 *   and, answered by a message with the same `id`: find {text, row, column, back}, copy {rectangle},
 *   complete {column, text}.
 * Messages from Python: {type: "window", version, order, start, cells, marks}, {type: "labels", labels: {id: name}},
 * {type: "cells", since, version, order, rows: [{row, cells: {column: text}, marks}]}: what was edited since a version,
 * {type: "go", row, column}, {type: "say", text} and {type: "offer", choices, chosen}: ways to read what was typed or pasted,
 * which the page answers by read {choice}.
 *
 * Rows are positions in the sorted and filtered view, columns are indexes into `columns`.
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
    this.drawHead();
    this.drawToolbar();
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
    this.clearButton = button("Clear filters", "Show all rows again", () => this.send("filter", { column: null, text: "" }));
    this.counts = h("span", { class: "counts", role: "status" });
    this.toolbar = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Edit" },
      this.undoButton, this.redoButton, ...(rows ? [this.addButton, this.deleteButton] : []), this.findButton, this.showSelect, this.clearButton, this.counts,
      button("?", "Keys", () => openHelp(this)));
    this.offerBar = h("div", { class: "find offer", role: "group", "aria-label": "How to read this", hidden: true });
    this.head = h("div", { class: "head", role: "row", "aria-rowindex": 1 });
    this.body = h("div", { class: "body", role: "rowgroup" });
    this.scroller = h("div", { class: "scroller", role: "grid", "aria-label": label, "aria-multiselectable": "true", style: `height:${height}px` },
      h("div", { role: "rowgroup", class: "headgroup" }, this.head), this.body);
    this.line = h("div", { class: "line", role: "status", "aria-live": "polite" });
    this.root = h("div", { class: "sispy-grid" }, this.toolbar, this.finding.element, this.offerBar, this.scroller, this.line);
    el.append(this.root);

    this.scroller.addEventListener("scroll", () => this.draw());
    this.body.addEventListener("mousedown", (event) => this.onMouseDown(event));
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
    this.widths = this.columns.map(({ name, width }) => this.widthsOf.get(name) ?? width);
    this.lefts = [];
    let x = GUTTER;
    for (const width of this.widths) {
      this.lefts.push(x);
      x += width;
    }
    this.total = x;
    this.frozen = this.columns.filter((column) => column.frozen).length;
    this.frozenWidth = this.frozen < this.lefts.length ? this.lefts[this.frozen] : x;
    this.body.style.width = this.head.style.width = `${x}px`;
    this.scroller.setAttribute("aria-colcount", this.columns.length);
    for (const element of this.rowElements.values()) element.remove();
    this.rowElements.clear();
    this.drawHead();
    this.draw();
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
    this.root.classList.toggle("empty", this.shown === 0);
    this.describe();
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
    const glyph = { new: "+", deleted: "−", fixed: "🔒", failed: "!", done: "✓" }[marks.row] ?? "";
    element.firstChild.textContent = `${glyph} ${row + 1}`;
    for (const column of columns) this.paintCell(element, row, column, marks.cells?.[column]);
  }

  paintCell(element, row, column, mark) {
    let cell = element.cells.get(column);
    if (!cell) {
      const frozen = column < this.frozen;
      cell = h("div", {
        role: "gridcell", "aria-colindex": column + 1, "data-row": row, "data-column": column,
        style: `left:${this.lefts[column]}px;width:${this.widths[column]}px`, "data-frozen": frozen,
      });
      element.cells.set(column, cell);
      if (frozen) element.insertBefore(cell, element.children[column + 1] ?? null);
      else element.append(cell);
    }
    if (this.editing.cell === cell) return;
    const definition = this.columns[column];
    const text = this.text(row, column);
    const { top, left, bottom, right } = this.rectangle();
    const selected = row >= top && row <= bottom && column >= left && column <= right;
    const active = row === this.active.row && column === this.active.column;
    const readonly = definition.readonly || this.marks(row).row === "fixed";
    const state = [definition.kind, mark?.is, readonly && "readonly", selected && "selected", active && "active", text === undefined && "waiting"].filter(Boolean).join(" ");
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
    const { sort, descending, filters } = this.status;
    this.head.replaceChildren(h("div", { class: "gutter corner" }), ...this.columns.map((column, i) => {
      const sorted = sort === column.name;
      const arrow = sorted ? (descending ? "▼" : "▲") : "";
      const filtered = column.name in filters;
      const facts = [column.type, column.required && "required", column.unique && "unique", column.ref && `refers to ${column.ref}`,
        column.min !== null && `from ${column.min}`, column.max !== null && `up to ${column.max}`, column.readonly && "read-only"].filter(Boolean).join(", ");
      return h("div", {
        class: `cell ${column.kind} ${column.readonly ? "readonly" : ""} ${filtered ? "filtered" : ""}`, role: "columnheader", "aria-colindex": i + 1,
        "aria-sort": sorted ? (descending ? "descending" : "ascending") : "none", "data-frozen": i < this.frozen, "data-column": i,
        title: `${column.name}: ${facts}${column.description ? `\n${column.description}` : ""}${column.kind === "date" ? "\nTimes are UTC." : ""}`,
        style: `left:${this.lefts[i]}px;width:${this.widths[i]}px`,
      },
        h("span", { class: "name", onclick: () => this.cycleSort(i) }, `${column.name}${column.required ? " *" : ""}`),
        h("span", { class: "arrow" }, arrow),
        h("button", { class: "menu", type: "button", tabindex: -1, title: "Sort and filter (Alt+Down)", "aria-label": `Sort and filter ${column.name}`, onclick: () => openColumnMenu(this, i) }, filtered ? "⧩" : "⋮"),
        h("span", { class: "handle", title: "Width; double-click fits it to what is in sight",
          onpointerdown: (event) => this.resize(event, i), ondblclick: () => this.fit(i) }));
    }));
  }

  drawToolbar() {
    const status = this.status;
    this.undoButton.disabled = !status.undo;
    this.redoButton.disabled = !status.redo;
    this.showSelect.value = status.show;
    this.clearButton.hidden = !Object.keys(status.filters).length;
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
    this.line.classList.remove("alert");
  }

  say(text, { stays = false } = {}) {
    this.message = text;
    this.stays = stays;
    this.line.textContent = text;
    this.line.classList.add("alert");
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

  /* The selection as Python takes it. */
  area() {
    const { top, left, bottom, right } = this.rectangle();
    return { top, left, rows: bottom - top + 1, columns: right - left + 1 };
  }

  go(row, column, { extend = false, focus = true } = {}) {
    if (!this.shown) return;
    this.active = { row: clamp(row, 0, this.shown - 1), column: clamp(column, 0, this.columns.length - 1) };
    if (!extend) this.anchor = { ...this.active };
    this.scrollTo(this.active.row, this.active.column);
    this.paint();
    if (focus) this.focus();
  }

  focus() {
    this.rowElements.get(this.active.row)?.cells.get(this.active.column)?.focus({ preventScroll: true });
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
    if (target.dataset.column === undefined) { // the gutter selects rows
      if (!event.shiftKey) this.anchor = { row, column: this.columns.length - 1 };
      this.active = { row, column: 0 };
      this.paint();
      this.focus();
      this.drag(true);
      return;
    }
    const column = Number(target.dataset.column);
    this.go(row, column, { extend: event.shiftKey });
    const onBox = event.target.classList.contains("box");
    // A second mousedown, not dblclick: the first one has redrawn the cell, and dblclick needs one element.
    if (onBox ? event.detail === 1 : event.detail === 2) this.editing.open(null);
    else this.drag();
  }

  /* Extend the selection to where the mouse is; beyond the edge the grid scrolls for as long as the button is down. */
  drag(rows = false) {
    let at = null;
    const follow = () => {
      if (!at) return;
      const box = this.scroller.getBoundingClientRect();
      const [x, y] = [at.clientX - box.left, at.clientY - box.top];
      const row = Math.floor((y - HEAD + this.scroller.scrollTop) / ROW);
      const column = this.lefts.findLastIndex((left) => left <= (x < this.frozenWidth ? x : x + this.scroller.scrollLeft));
      const now = { row: clamp(row, 0, this.shown - 1), column: rows ? this.active.column : Math.max(0, column) };
      if (now.row !== this.active.row || now.column !== this.active.column) this.go(now.row, now.column, { extend: true });
    };
    const move = (event) => { at = event; follow(); };
    const timer = setInterval(follow, 60);
    window.addEventListener("mousemove", move);
    window.addEventListener("mouseup", () => { clearInterval(timer); window.removeEventListener("mousemove", move); }, { once: true });
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
      f: () => this.finding.open(), a: () => this.select(0, 0, this.shown - 1, this.columns.length - 1),
      " ": () => this.select(0, column, this.shown - 1, column), Delete: () => this.deleteRows(),
    };
    if (event.altKey && key === "ArrowDown") openColumnMenu(this, column);
    else if (event.altKey && extend && key === "ArrowLeft") this.setWidth(column, this.widths[column] - 20);
    else if (event.altKey && extend && key === "ArrowRight") this.setWidth(column, this.widths[column] + 20);
    else if (key in moves) {
      if (moves[key][1] <= 0 && (key === "Home" || key === "ArrowLeft")) this.scroller.scrollLeft = 0; // the frozen column is in sight anyway
      this.go(...moves[key], { extend });
    } else if (ends && commands[key.toLowerCase()]) commands[key.toLowerCase()]();
    else if (ends && commands[key]) commands[key]();
    else if (ends || (event.altKey && !typing(event))) return; // the browser's own shortcuts, copy and paste among them
    else if (key === " " && extend) this.select(row, 0, row, this.columns.length - 1);
    else if (key === "Enter" || key === "F2") this.editing.open(null);
    else if (key === " " && this.columns[column].kind === "boolean") this.editing.open(null);
    else if (key === "Delete" || key === "Backspace") this.send("clear", this.area());
    else if (key === "Insert") this.addRow();
    else if (key === "F1") openHelp(this);
    else if (key === "Escape") this.go(row, column);
    else if (key.length === 1) this.editing.open(key);
    else return;
    event.preventDefault();
  }

  select(top, left, bottom, right) {
    this.anchor = { row: bottom, column: right };
    this.active = { row: top, column: left };
    this.paint();
    this.focus();
  }

  addRow() {
    if (!this.model.get("options").rows) return;
    this.send("add");
    const stop = () => this.model.off("change:status", arrive);
    const arrive = () => { stop(); this.go(this.shown - 1, 0); };
    this.model.on("change:status", arrive);
  }

  /* Fill the selection from its first row; one row takes what is above it. */
  fill() {
    const area = this.area();
    const above = area.rows === 1 && area.top > 0 ? 1 : 0;
    this.send("fill", { ...area, top: area.top - above, rows: area.rows + above });
  }

  deleteRows() {
    if (!this.model.get("options").rows || !this.shown) return;
    const { top, bottom } = this.rectangle();
    this.send("delete", { rows: [top, bottom] });
  }

  // ---- Clipboard

  onClipboard(event) {
    event.stopPropagation();
    if (this.editing.cell) return; // the editor's own text
    event.preventDefault();
    if (event.type === "paste") {
      const text = event.clipboardData.getData("text/plain");
      if (!text) return;
      const block = parseTsv(text.replace(/(\r\n|\n|\r)$/, ""));
      this.send("paste", { block, ...this.area() });
      const { top, left, rows, columns } = this.area();
      this.select(top, left, clamp(top + Math.max(block.length, rows) - 1, top, this.shown - 1),
        clamp(left + Math.max(block[0].length, columns) - 1, left, this.columns.length - 1));
      return;
    }
    const area = this.area();
    const copied = () => { if (event.type === "cut") this.send("clear", area); };
    const text = this.copied();
    if (text !== null) {
      event.clipboardData.setData("text/plain", text);
      copied();
    } else {
      this.ask("copy", area).then(({ text: all }) => navigator.clipboard.writeText(all)).then(copied)
        .catch(() => this.say("Not copied: this browser lets the page copy only rows that were in sight."));
    }
  }

  /* The selection as text; null if a part of it is not here. */
  copied() {
    const { top, left, bottom, right } = this.rectangle();
    const lines = [];
    for (let row = top; row <= bottom; row++) {
      const line = [];
      for (let column = left; column <= right; column++) {
        const text = this.text(row, column);
        if (text === undefined) return null;
        line.push(text === null ? "" : typeof text === "boolean" ? String(text).toUpperCase() : tsvCell(this.named(column, text)));
      }
      lines.push(line.join("\t"));
    }
    return lines.join("\n");
  }

  // ---- Sort and widths

  cycleSort(column) {
    const { sort, descending } = this.status;
    const name = this.columns[column].name;
    if (sort !== name) this.send("sort", { column: name, descending: false });
    else if (!descending) this.send("sort", { column: name, descending: true });
    else this.send("sort", { column: null, descending: false });
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
    const focused = this.body.contains(document.activeElement);
    this.place();
    this.paint();
    if (focused) this.focus();
  }
}

export default {
  render({ model, el }) {
    const grid = new Grid(model, el);
    return () => grid.close();
  },
};

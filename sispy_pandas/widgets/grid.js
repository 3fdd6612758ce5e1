/* The editable grid: draws the rows in sight, edits cells, and leaves every decision about values to Python.
 *
 * Traits of the model (Python writes, this file reads):
 *   columns  [{name, kind, type, readonly, required, unique, enum, min, max, ref, description, frozen, width}]
 *   status   {version, order, shown, rows, changed, invalid, new, deleted, conflicts, failed, undo, redo,
 *             sorts: [[column, descending]], filters, hidden: how many columns, show}; a new version means that cached rows are out of date,
 *            a new order that they stand elsewhere
 *   options  {height, label, noun: what a row is called, rows: whether rows can be added and deleted, follow: whether to send `at`}
 *
 * Messages to Python, {type, order, ...}; what names rows by an order that is no more is refused:
 *   window {start, stop} · edit {cells: [[row, column, input]]} · paste {block, areas}
 *   at {row} · fill {source, target, count} · clear {areas} · undo · redo · add {at: null for the end, count} ·
 *   delete {rows: [[first, last]]}
 *   sort {by: [[column, descending]]} · filter {column, text or values} · show {show} · hide {column: null for none}
 *   seek: Find was opened
 *   and, answered by a message with the same `id`: find {text, pattern, case, row, column, back},
 *   replace {text, pattern, case, by, areas: null for all, do: false to count},
 *   values {column, text}: what a filter can let through, sum {areas}, copy {rows: [[first, last]], columns, headers},
 *   complete {column, text}.
 * Messages from Python: {type: "window", version, order, start, cells, marks}, {type: "labels", labels: {id: name}},
 * {type: "cells", since, version, order, rows: [{row, cells: {column: text}, marks}]}: what was edited since a version,
 * {type: "go", row, column}, {type: "say", text} and {type: "offer", questions: [{text, readings: [{value, words}], chosen}]}:
 * ways to read what was typed or pasted, 0 as it stands, which the page answers by read {question, choice}.
 *
 * Rows are positions in the sorted and filtered view, columns are indexes into `columns`; an area of cells is
 * {top, left, rows, columns}.
 */

class Grid {
  constructor(model, el) {
    this.model = model;
    this.labels = {}; // id -> how people call it
    this.rowElements = new Map(); // view position -> row element
    this.active = { row: 0, column: 0 };
    this.anchor = { row: 0, column: 0 };
    this.others = []; // rectangles that are selected beside the one from anchor to active
    this.adding = false; // Shift+F8: what is selected stays
    this.preview = null; // the rectangle that a drag will fill
    this.editing = new CellEditor(this);
    this.finding = new FindBar(this);
    this.clipboard = new Clipboard(this);
    this.mouse = new Mouse(this);
    this.head = new Head(this);
    this.foot = new Foot(this);
    this.windows = new Windows(this);
    this.toolbar = new Toolbar(this);
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
      } else if (message.type === "window") this.windows.receive(message);
      else if (message.type === "cells") this.windows.patch(message);
      else if (message.type === "labels") this.name(message.labels);
      else if (message.type === "go") this.follow(message);
      else if (message.type === "say") this.foot.say(message.text);
      else if (message.type === "offer") this.toolbar.offer(message);
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
    if (STEPS.includes(type)) this.askedAt = this.active;
    if (EDITS.includes(type)) this.toolbar.offered.hidden = true; // what was pasted is not the last step any more
    if (!UNANSWERED.includes(type)) this.silence ??= setTimeout(() => this.wait(), PATIENCE);
    try {
      this.model.send({ type, order: this.status.order, ...content });
    } catch (error) { // after a restart of the kernel
      this.heard();
      this.foot.say("Not kept: the kernel was stopped or started anew. Run the cell again.", { stays: true });
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
    this.foot.say(text, { stays: true });
    this.silence = setTimeout(() => this.wait(), PATIENCE); // it may be otherwise by then
  }

  heard() {
    clearTimeout(this.silence);
    this.silence = null;
    if (this.foot.stays) this.foot.hush();
  }

  ask(type, content) {
    const id = `${this.view}-${++this.questions}`;
    this.send(type, { ...content, id });
    return new Promise((resolve) => this.answers.set(id, resolve));
  }

  /* Lead the eye to what was undone here, unless the user has gone on meanwhile. */
  follow({ row, column }) {
    if (this.askedAt !== this.active || this.editing.cell) return;
    this.go(row, column, { focus: this.body.contains(document.activeElement) });
    this.askedAt = this.active; // there may be more steps on the way
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
    this.head.draw();
    this.toolbar.draw();
    this.finding.follow();
    this.draw();
  }

  // ---- Structure

  build(el) {
    const { height, label } = this.model.get("options");
    this.body = h("div", { class: "body", role: "rowgroup" });
    this.scroller = h("div", { class: "scroller", role: "grid", "aria-label": label, "aria-multiselectable": "true", style: `height:${height}px` },
      h("div", { role: "rowgroup", class: "headgroup" }, this.head.element), this.body);
    this.root = h("div", { class: "sispy-grid" }, this.toolbar.element, this.finding.element, this.toolbar.offered, this.scroller, this.foot.element);
    el.append(this.root);

    this.scroller.addEventListener("scroll", () => this.draw());
    this.body.addEventListener("mousedown", (event) => this.mouse.press(event));
    this.scroller.addEventListener("contextmenu", (event) => this.mouse.openMenu(event));
    this.scroller.addEventListener("keydown", (event) => this.onKey(event));
    for (const type of ["copy", "cut", "paste"]) this.scroller.addEventListener(type, (event) => this.clipboard.on(event));
    // Jupyter's shortcuts act on the notebook cell (d d deletes it): no key pressed in here may reach them.
    // Notebook 7 sees keys before anybody else, but leaves them alone where what has the focus asks for it.
    this.root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
    for (const type of ["keydown", "keyup", "keypress"]) this.root.addEventListener(type, (event) => event.stopPropagation());
  }

  /* Compute where columns stand. Frozen ones come first and stay in sight. */
  place() {
    const focused = this.body.contains(document.activeElement);
    this.widths = this.columns.map(({ name, width }) => this.head.widthsOf.get(name) ?? width);
    this.lefts = [];
    let x = GUTTER;
    for (const width of this.widths) {
      this.lefts.push(x);
      x += width;
    }
    this.total = x;
    const chosen = this.columns.findIndex(({ name }) => name === this.head.frozenTo);
    this.frozen = chosen >= 0 ? chosen + 1 : this.columns.filter((column) => column.frozen).length;
    this.frozenWidth = this.frozen < this.lefts.length ? this.lefts[this.frozen] : x;
    this.body.style.width = this.head.element.style.width = `${x}px`;
    this.scroller.setAttribute("aria-colcount", this.columns.length);
    for (const element of this.rowElements.values()) element.remove();
    this.rowElements.clear();
    this.head.draw();
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
    // Taken off the page, or hidden, it has no size: what is drawn stays. Its size is told when it has one again,
    // but not if it was away for less than a frame: so it is tried once more.
    if (!clientHeight && !this.away) this.draw();
    this.away = !clientHeight;
    if (this.away) return;
    const first = clamp(Math.floor(scrollTop / ROW) - MARGIN, 0, this.shown);
    const last = clamp(Math.ceil((scrollTop + clientHeight) / ROW) + MARGIN, 0, this.shown);
    this.windows.need(first, last);
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
    this.foot.describe();
    this.foot.sumSoon();
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
    const marks = this.windows.marks(row);
    element.className = `row ${marks.row ?? ""}`;
    element.title = marks.why ?? "";
    const glyph = { new: "+", deleted: "−", fixed: "⊘", locked: "⊖", failed: "!", conflict: "−", done: "✓" }[marks.row] ?? "";
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
    const text = this.windows.text(row, column);
    const now = this.rectangle();
    const selected = [now, ...this.others].some((one) => isIn(one, row, column));
    const corner = row === now.bottom && column === now.right && !this.others.length;
    const filling = this.preview !== null && isIn(this.preview, row, column);
    const active = row === this.active.row && column === this.active.column;
    const readonly = definition.readonly || this.windows.marks(row).row === "fixed";
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

  // ---- What a cell holds

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
    if (mark.is === "conflict") lines.push(`base: ${say(mark.was)}`, `mine: ${mark.mine ?? say(text)}`, `theirs: ${say(mark.theirs)}`);
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
    else if (event.altKey && extend && key === "ArrowLeft") this.head.setWidth(column, this.widths[column] - 20);
    else if (event.altKey && extend && key === "ArrowRight") this.head.setWidth(column, this.widths[column] + 20);
    else if (key in moves) {
      if (moves[key][1] <= 0 && (key === "Home" || key === "ArrowLeft")) this.scroller.scrollLeft = 0; // the frozen column is in sight anyway
      this.go(...moves[key], { extend });
    } else if (ends && commands[key.toLowerCase()]) commands[key.toLowerCase()]();
    else if (key === "Insert" && !ends && !extend) this.addRows(event.altKey ? "below" : "above");
    else if (ends || (event.altKey && !typing(event))) return; // the browser's own shortcuts, copy and paste among them
    else if (key === " " && extend) this.select(row, 0, row, this.columns.length - 1);
    else if (key === "Enter" || key === "F2") this.editing.open(null);
    else if (key === " " && this.columns[column].kind === "boolean") this.editing.open(null);
    else if (key === "Delete" || key === "Backspace") this.clear();
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
    this.foot.say("The selection stays: go elsewhere and select more. Escape ends this.", { calm: true });
  }

  /* End a drag that would fill; else select the active cell alone, and close what finds. */
  escape() {
    this.foot.hush();
    if (this.preview === null && !this.adding) this.finding.element.hidden = true;
    this.adding = false;
    if (this.preview === null) this.go(this.active.row, this.active.column);
    this.preview = null;
  }

  clear() { this.send("clear", { areas: this.areas() }); }

  /* Add as many rows as are selected "above" or "below" them, or one at the "end", and go there. */
  addRows(where) {
    if (!this.model.get("options").rows) return;
    const { top, bottom } = this.rectangle();
    const atEnd = where === "end" || !this.shown;
    const count = atEnd ? 1 : bottom - top + 1;
    if (count > MOST_NEW) {
      this.foot.say(`Nothing was added: as many rows are added as are selected, up to ${MOST_NEW.toLocaleString("en")}.`);
      return;
    }
    this.send("add", { at: atEnd ? null : where === "above" ? top : bottom + 1, count });
    const arrive = () => {
      this.model.off("change:status", arrive);
      const first = atEnd ? this.shown - 1 : where === "above" ? top : bottom + 1;
      this.go(first + count - 1, 0);
      if (count > 1) this.select(first, 0, first + count - 1, this.columns.length - 1);
    };
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
}

export default {
  render({ model, el }) {
    const grid = new Grid(model, el);
    return () => grid.close();
  },
};

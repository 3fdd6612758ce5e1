/* The editor of a cell: what is typed, the list of an enum or of names, and when it is kept. */

class CellEditor {
  constructor(grid) {
    this.grid = grid;
    this.now = null; // what is edited: {cell, row, column, input, text, ...}
  }

  /* The cell that holds the editor, if one is open. */
  get cell() { return this.now?.cell; }

  /* Open the editor of the active cell, with `typed` instead of its text if a key opened it. */
  open(typed) {
    const { row, column } = this.grid.active;
    const definition = this.grid.columns[column];
    const text = this.grid.windows.text(row, column);
    if (text === undefined && (typed === null || definition.kind === "boolean")) return; // what is typed over it need not wait for it
    if (definition.readonly || this.grid.windows.marks(row).row === "fixed") {
      this.grid.foot.say(definition.readonly ? `${definition.name} is read-only` : this.grid.windows.marks(row).why);
      return;
    }
    if (definition.kind === "boolean" && (typed === null || typed === " ")) {
      this.grid.send("edit", { cells: [[row, column, text !== true]] });
      return;
    }
    const cell = this.grid.rowElements.get(row).cells.get(column);
    const start = typed ?? (text === null ? "" : this.grid.named(column, String(text)));
    const list = definition.kind === "choice" || definition.ref;
    const calendar = definition.kind === "date" && typed === null && /^(\d{4}-\d\d-\d\d( \d\d:\d\d.*)?)?$/.test(start);
    const multiline = definition.kind === "text" || definition.kind === "json";
    const input = h(multiline ? "textarea" : "input", {
      class: "editor", "aria-label": definition.name, spellcheck: "false", autocomplete: "off",
      ...(multiline ? { rows: 1 } : { type: calendar ? "datetime-local" : "text", step: calendar ? "any" : null }),
      ...(definition.kind === "json" && definition.ref ? { placeholder: '["name", "name"]' } : {}),
      ...(definition.kind === "number" ? { inputmode: "decimal", title: this.bounds(definition) } : {}),
      onkeydown: (event) => this.onEditorKey(event), onblur: (event) => this.commit({ stay: event.relatedTarget === null }), oninput: () => this.onInput(),
    });
    input.value = calendar ? (start.length === 10 ? `${start}T00:00` : start.replace(" ", "T")) : start;
    this.now = { cell, row, column, order: this.grid.status.order, input, text, typed, calendar, start: input.value, options: [], chosen: -1 };
    cell.classList.add("editing");
    cell.replaceChildren(input);
    cell.signature = null;
    if (list) {
      this.openList(definition);
    }
    input.focus({ preventScroll: true });
    if (typed === null) input.select?.();
    this.grow();
  }

  bounds({ min, max }) {
    if (min !== null && max !== null) return `from ${min} to ${max}`;
    return min !== null ? `${min} or more` : max !== null ? `up to ${max}` : "";
  }

  /* A text of several lines gets the room it needs. */
  grow() {
    const { input } = this.now;
    if (input.tagName !== "TEXTAREA") return;
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
  }

  onInput() {
    this.grow();
    if (this.now.list) this.complete();
  }

  onEditorKey(event) {
    event.stopPropagation();
    if (composing(event)) return;
    const { now: editor } = this;
    const { row, column } = this.grid.active;
    if ((event.key === "Enter" || event.key === "Tab") && editor.picked && editor.definition.kind === "json") {
      this.insert();
    } else if (event.key === "Enter" && event.altKey && editor.input.tagName === "TEXTAREA") {
      editor.input.setRangeText("\n", editor.input.selectionStart, editor.input.selectionEnd, "end");
      this.grow();
    } else if (event.key === "Enter") {
      this.commit();
      this.grid.go(row + (event.shiftKey ? -1 : 1), column);
    } else if (event.key === "Tab") {
      this.commit();
      this.grid.go(row, column + (event.shiftKey ? -1 : 1));
    } else if (event.key === "Escape") {
      this.cancel();
    } else if (editor.list && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      this.choose(editor.chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (editor.typed !== null && (event.key === "ArrowDown" || event.key === "ArrowUp") && !editor.input.value.includes("\n")) {
      this.commit(); // typed over a cell, and on with the next one
      this.grid.go(row + (event.key === "ArrowDown" ? 1 : -1), column);
    } else return;
    event.preventDefault();
  }

  cancel() {
    const { now: editor } = this;
    if (!editor) return;
    this.shut();
    this.grid.draw();
    this.grid.focus();
  }

  shut() {
    const { now: editor } = this;
    this.now = null; // first: taking the input away makes it blur, which would commit again
    editor.list?.remove();
    editor.cell.classList.remove("editing");
    editor.cell.replaceChildren(this.grid.display(editor.column, editor.text));
    editor.cell.signature = null;
  }

  /* Keep what was typed; the cells have the focus then, unless something else has got it. */
  commit({ stay = true } = {}) {
    const { now: editor } = this;
    if (!editor) return;
    const chosen = editor.options[editor.chosen];
    let value = chosen && editor.picked ? chosen.value : editor.input.value;
    const untouched = !editor.picked && editor.typed === null && editor.input.value === editor.start;
    const unfinished = editor.calendar && editor.input.validity.badInput; // a date of which a part is missing
    if (editor.calendar) value = value.replace("T", " ");
    this.shut();
    if (editor.asking && !editor.picked && value && !untouched) this.keepOnceKnown(editor, value);
    else if (!untouched && !unfinished) this.keep(editor, value);
    this.grid.draw();
    if (stay) this.grid.focus();
  }

  keep({ row, column, order }, value) {
    this.grid.send("edit", { cells: [[row, column, value]], order });
  }

  /* Keep part of a name as the only name that holds it, when the answer comes for which nobody waited. */
  async keepOnceKnown(editor, text) {
    this.grid.foot.say(`Looking for ${text} …`, { stays: true, calm: true });
    const { options } = await Promise.race([editor.asking, new Promise((resolve) => setTimeout(resolve, LOOKUP, {}))]);
    const exact = (options ?? []).filter(({ label }) => label.toLowerCase() === text.toLowerCase());
    const fitting = exact.length ? exact : options ?? [];
    this.keep(editor, fitting.length === 1 ? fitting[0].value : text);
  }

  // ---- The list of an enum or a reference

  openList(definition) {
    const { now: editor } = this;
    editor.definition = definition;
    editor.list = h("div", { class: "list popup", role: "listbox", id: `sispy-list-${this.grid.view}-${++this.grid.questions}` });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": editor.list.id })) {
      editor.input.setAttribute(name, value);
    }
    editor.list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // keeps the focus, which would commit what was typed
      const option = event.target.closest("[data-option]");
      if (!option) return;
      this.choose(Number(option.dataset.option));
      if (definition.kind === "json") this.insert();
      else this.commit();
    });
    this.grid.root.append(editor.list);
    this.complete();
  }

  async complete() {
    const { now: editor } = this;
    const { text } = this.typedName();
    const typed = editor.input.value === editor.start && editor.typed === null ? "" : text;
    const turn = editor.turn = (editor.turn ?? 0) + 1;
    editor.picked = false; // what is typed counts until there is an answer to it
    let options = [];
    if (editor.definition.kind === "choice") {
      options = editor.definition.enum.map((value) => ({ value, label: value }));
      const at = ({ label }) => label.toLowerCase().indexOf(typed.toLowerCase());
      options = options.filter((option) => at(option) >= 0).sort((a, b) => at(a) - at(b)); // its beginning first
    } else if (text !== null) {
      const asking = this.grid.ask("complete", { column: editor.column, text: typed });
      editor.asking = editor.definition.kind === "json" ? null : asking;
      ({ options } = await asking);
      if (editor.asking === asking) editor.asking = null; // answered
      if (this.now !== editor || editor.turn !== turn || !options) return; // closed, or typed on meanwhile
    }
    if (!typed && !editor.definition.required && editor.definition.kind !== "json") options = [{ value: null, label: "no value", none: true }, ...options];
    editor.options = options;
    editor.list.hidden = text === null;
    editor.list.replaceChildren(...options.map(({ label, none }, i) =>
      h("div", { role: "option", id: `${editor.list.id}-${i}`, "data-option": i, class: none ? "none" : "" }, label)));
    if (!options.length) editor.list.append(h("div", { class: "none" }, "nothing fits"));
    popUp(this.grid.root, editor.list, editor.cell);
    const current = options.findIndex(({ value }) => value === editor.text);
    const exact = options.findIndex(({ label }) => label.toLowerCase() === typed?.toLowerCase());
    if (typed && options.length) this.choose(Math.max(0, exact));
    else if (current >= 0) this.choose(current, { picked: false });
  }

  /* What is completed: the input, or in a list of names, which is JSON, the string in which the caret stands. */
  typedName() {
    const { input, definition } = this.now;
    if (definition.kind !== "json") return { text: input.value, from: 0 };
    const before = input.value.slice(0, input.selectionStart);
    const [, text = null] = /^(?:[^"]|"(?:[^"\\]|\\.)*")*"([^"\\]*)$/.exec(before) ?? [];
    return { text, from: before.length - (text ?? "").length };
  }

  /* Put the chosen name into a list of names, and go on with the list. */
  insert() {
    const { input, options, chosen } = this.now;
    const end = input.selectionStart;
    const name = JSON.stringify(options[chosen].label).slice(1);
    input.setRangeText(name, this.typedName().from, input.value[end] === '"' ? end + 1 : end, "end");
    this.onInput();
  }

  choose(number, { picked = true } = {}) {
    const { now: editor } = this;
    if (!editor.options.length) return;
    editor.chosen = clamp(number, 0, editor.options.length - 1);
    editor.picked = picked;
    [...editor.list.children].forEach((option, i) => {
      option.setAttribute("aria-selected", i === editor.chosen);
      if (i === editor.chosen) option.scrollIntoView({ block: "nearest" });
    });
    editor.input.setAttribute("aria-activedescendant", `${editor.list.id}-${editor.chosen}`);
  }
}

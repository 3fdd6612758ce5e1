/* What pops up: the menu of a column, and the keys. */

/* Sort and filter a column. */
function openColumnMenu(grid, column) {
  const definition = grid.columns[column];
  const { name } = definition;
  const close = () => grid.focus(); // taking the focus away removes the menu
  const item = (text, act) => h("button", { type: "button", onclick: () => { act(); close(); } }, text);
  const filter = (text) => grid.send("filter", { column: name, text });
  const known = definition.kind === "boolean" ? ["true", "false"] : definition.enum;
  const input = h("input", { type: "search", placeholder: "text, =x, !=x, >5, = for no value", "aria-label": `Filter ${name}`, value: grid.status.filters[name] ?? "" });
  const menu = h("div", {
    class: "menu popup", role: "dialog", "aria-label": `Sort and filter ${name}`, onkeydown: (event) => {
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && event.target === input) { filter(input.value); close(); } else return;
      event.preventDefault();
    },
    onfocusout: (event) => { if (!menu.contains(event.relatedTarget)) queueMicrotask(() => menu.remove()); },
  },
    item("▲ Sort up", () => grid.send("sort", { column: name, descending: false })),
    item("▼ Sort down", () => grid.send("sort", { column: name, descending: true })),
    h("label", {}, "Filter", input),
    ...known.map((value) => item(`= ${value}`, () => filter(`=${value}`))),
    item("Without a value", () => filter("=")), item("With a value", () => filter("!=")),
    ...(name in grid.status.filters ? [item("Clear this filter", () => filter(""))] : []));
  grid.root.append(menu);
  popUp(grid.root, menu, grid.head.children[column + 1]);
  input.focus();
}

function openHelp(grid) {
  const keys = [
    ["Enter, F2, or typing", "edit the cell; Alt+Enter starts a new line"], ["Enter / Tab / Escape", "keep and go down / keep and go right (with Shift up, left) / leave as it was"],
    ["Delete", "no value; \"\" typed is the empty string"], ["Space", "tick or untick"],
    ["Ctrl+C, Ctrl+X, Ctrl+V", "copy, cut, paste blocks, also from and to a spreadsheet; a new row takes a block of many, and 03.02.2026, 1.234,56 or 50% asks how it is read"], ["Ctrl+D", "fill the selection from its first row, one cell from the cell above"],
    ["Ctrl+Z, Ctrl+Y", "undo, redo"], ["Ctrl+F", "find"], ["Alt+Down", "sort and filter the column"], ["Insert / Ctrl+Delete", "new row / mark rows for deletion"],
    ["Shift+arrows, Ctrl+A", "select"], ["Shift+Space / Ctrl+Space", "select the row / the column"], ["Alt+Shift+Left, Right", "narrower, wider column"],
    ["Tab", "leave the grid"],
  ];
  const help = h("div", {
    class: "help popup", role: "dialog", "aria-label": "Keys", tabindex: -1, onblur: () => queueMicrotask(() => help.remove()), onkeydown: () => grid.focus(),
  },
    ...keys.flatMap(([key, meaning]) => [h("kbd", {}, key), h("span", {}, meaning)]));
  grid.root.append(help);
  popUp(grid.root, help, grid.head);
  help.focus();
}

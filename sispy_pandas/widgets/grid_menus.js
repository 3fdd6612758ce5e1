/* What pops up: the menus of a cell and of a column, and the keys. */

/* Show a popup that goes when the focus leaves it, or with Escape; return what closes it. */
function openPopup(grid, popup, at) {
  const close = () => {
    popup.remove();
    grid.focus();
  };
  popup.tabIndex = -1; // a click beside its buttons does not take the focus out of it
  popup.addEventListener("focusout", (event) => { if (!popup.contains(event.relatedTarget)) queueMicrotask(() => popup.remove()); });
  popup.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    event.preventDefault();
  });
  popup.addEventListener("contextmenu", (event) => event.preventDefault());
  grid.root.append(popup);
  popUp(grid.root, popup, at);
  return close;
}

/* Move the focus among the buttons of a menu by arrows, Home, End and first letters. */
function onMenuKey(event, buttons) {
  const at = buttons.indexOf(document.activeElement);
  const { key } = event;
  const after = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
  const to = {
    ArrowDown: after[0], ArrowUp: buttons[at - 1] ?? buttons.at(-1), Home: buttons[0], End: buttons.at(-1),
  }[key] ?? (key.length === 1 && key !== " " && !modifier(event) ? after.find((one) => one.textContent.toLowerCase().startsWith(key.toLowerCase())) : null);
  if (!to) return;
  to.focus();
  event.preventDefault();
}

/* What can be done with what is selected, and with the one cell that was clicked. */
function openCellMenu(grid, at, { row, column } = grid.active) {
  if (!grid.shown) return;
  const { name, kind } = grid.columns[column];
  const text = grid.windows.text(row, column);
  const copy = (headers, then = () => {}) => {
    const block = grid.clipboard.selectedBlock();
    if (block) grid.clipboard.copyAll(block, headers).then(then, () => {}); // why not is said already
  };
  const paste = () => navigator.clipboard.readText().then((all) => grid.clipboard.paste(all),
    () => grid.foot.say("Not pasted: press Ctrl+V, this browser lets no menu read the clipboard."));
  const isShort = typeof text === "boolean" || (typeof text === "string" && text.length <= 60 && kind !== "json" && text !== '""');
  const value = text === null ? "" : grid.named(column, String(text));
  const { rows } = grid.area();
  const newRows = rows === 1 ? "New row" : `${rows.toLocaleString("en")} new rows`;
  const items = [
    ["Cut", "Ctrl+X", () => copy(false, () => grid.clear())], ["Copy", "Ctrl+C", () => copy(false)], ["Copy with headers", "", () => copy(true)],
    ["Paste", "Ctrl+V", paste], null,
    ["Clear", "Delete", () => grid.clear()], ["Fill down", "Ctrl+D", () => grid.fill()], ["Fill to the right", "", () => grid.fill({ across: true })],
    ["Count on, down", "", () => grid.fill({ count: true })], null,
    ...(text === null || isShort ? [[text === null ? `Only rows without ${name}` : `Only rows with ${name} = ${value}`, "", () => grid.send("filter", { column: name, text: `=${value}` })]] : []),
    ["Find and replace", "Ctrl+H", () => grid.finding.open({ replace: true })], ["Column menu", "Alt+Down", () => openColumnMenu(grid, column)],
    ...(grid.model.get("options").rows ? [null,
      [`${newRows} above`, "Insert", () => grid.addRows("above")], [`${newRows} below`, "Alt+Insert", () => grid.addRows("below")],
      ["Delete rows, or keep them", "Ctrl+Delete", () => grid.deleteRows()]] : []),
  ];
  const buttons = [];
  const made = items.map((item) => {
    if (item === null) return h("div", { role: "separator" });
    const [words, keys, act] = item;
    const one = h("button", { type: "button", role: "menuitem", tabindex: -1, "aria-keyshortcuts": keys.replace("Ctrl", "Control") || null, onclick: () => { close(); act(); } },
      h("span", {}, words), h("kbd", { "aria-hidden": "true" }, keys));
    buttons.push(one);
    return one;
  });
  const menu = h("div", {
    class: "menu popup", role: "menu", "aria-label": "Cells", onkeydown: (event) => {
      if (event.key === "Tab") close();
      else return onMenuKey(event, buttons);
      event.preventDefault();
    },
  }, ...made);
  const { left, bottom } = grid.rowElements.get(row).cells.get(column).getBoundingClientRect();
  const close = openPopup(grid, menu, at ?? { x: left, y: bottom });
  buttons[0].tabIndex = 0;
  buttons[0].focus();
}

/* Sort, filter, hide, freeze a column. */
function openColumnMenu(grid, column) {
  const { name } = grid.columns[column];
  const { sorts, filters, hidden } = grid.status;
  const item = (text, act, pressed) => h("button", { type: "button", "aria-pressed": pressed, onclick: () => { close(); act(); } }, text);
  const now = sorts.find(([sorted]) => sorted === name);
  const also = sorts.some(([sorted]) => sorted !== name);
  const sort = (text, descending, add) => item(text, () => grid.head.sortBy(name, descending, add), now ? String(now[1] === descending) : null);
  const isText = typeof filters[name] === "string";
  const input = h("input", {
    type: "search", placeholder: "text, =x, !=x, >5", "aria-label": `Filter ${name}`, value: isText ? filters[name] : "",
    onkeydown: (event) => {
      if (event.key !== "Enter" || composing(event)) return;
      close();
      grid.send("filter", { column: name, text: input.value });
      event.preventDefault();
    },
  });
  const menu = h("div", {
    class: "menu column popup", role: "dialog", "aria-label": `Column ${name}`, onkeydown: (event) => {
      const isTyping = event.target.type === "search";
      if (!isTyping || ["ArrowUp", "ArrowDown"].includes(event.key)) onMenuKey(event, [...menu.querySelectorAll("button, [type=checkbox]")]);
    },
  },
    h("div", {},
      sort("▲ Sort up", false, false), sort("▼ Sort down", true, false),
      ...(also ? [sort("▲ Then by this, up", false, true), sort("▼ Then by this, down", true, true)] : []),
      ...(now ? [sort("Sort no longer by this", null, true)] : []),
      h("div", { role: "separator" }),
      item("Hide this column", () => grid.send("hide", { column: name })),
      ...(hidden ? [item(`Show all columns (${hidden} hidden)`, () => grid.send("hide", { column: null }))] : []),
      item("Freeze up to here", () => grid.head.freeze(column)),
      ...(grid.head.frozenTo !== null ? [item("Freeze the key alone", () => grid.head.freeze(null))] : []),
      item("Fit the width", () => grid.head.fit(column)),
      item("Select the column", () => grid.select(0, column, grid.shown - 1, column))),
    h("div", {},
      h("label", {}, "Filter", input),
      item("With a value", () => grid.send("filter", { column: name, text: "!=" })),
      ...(name in filters ? [item("Clear this filter", () => grid.send("filter", { column: name, text: "" }))] : []),
      ...valuesToTick(grid, name, isText ? [] : filters[name] ?? [])));
  const close = openPopup(grid, menu, grid.head.element.children[column + 1]);
  input.focus();
}

/* The values of a column with their counts, to tick those that are let through; without any all are. */
function valuesToTick(grid, name, filter) {
  const ticked = new Set(filter);
  const list = h("div", { class: "values", role: "group", "aria-label": `Only rows with these values of ${name}` });
  const tick = (value, on) => {
    ticked[on ? "add" : "delete"](value);
    grid.send("filter", { column: name, values: [...ticked] });
  };
  const fill = async () => {
    const text = search.value;
    const { values, more } = await grid.ask("values", { column: name, text });
    if (text !== search.value) return; // typed on meanwhile
    list.replaceChildren(...values.map(([value, count]) => h("label", { title: value ?? "" },
      h("input", { type: "checkbox", checked: ticked.has(value), onchange: (event) => tick(value, event.target.checked) }),
      h("span", { class: value === null ? "none" : "" }, value === null ? "no value" : value),
      h("span", { class: "count" }, count.toLocaleString("en")))));
    if (!values.length) list.append(h("span", { class: "none" }, "nothing fits"));
    if (more) list.append(h("span", { class: "none" }, `and ${more.toLocaleString("en")} more: search for them`));
  };
  let timer = null;
  const search = h("input", {
    type: "search", placeholder: "Search the values", "aria-label": `Search the values of ${name}`, oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(fill, 150);
    },
  });
  fill();
  return [h("label", {}, "Only these values", search), list];
}

function openHelp(grid) {
  const keys = [
    ["Enter, F2, or typing", "edit the cell; Alt+Enter starts a new line"], ["Enter / Tab / Escape", "keep and go down / keep and go right (with Shift up, left) / leave as it was"],
    ["Delete", "no value; \"\" typed is the empty string"], ["Space", "tick or untick"],
    ["Ctrl+C, Ctrl+X, Ctrl+V", "copy, cut, paste blocks, also from and to a spreadsheet; a new row takes a block of many, and 03.02.2026, 1.234,56 or 50% asks how it is read"], ["Ctrl+D", "fill the selection from its first row, one cell from the cell above"],
    ["Ctrl+Z, Ctrl+Y", "undo, redo"], ["Ctrl+F, Ctrl+H", "find, replace"], ["Alt+Down", "the column's menu: sort, filter, hide, freeze"], ["Shift+F10, right click", "the cells' menu: copy with headers, fill, count on"], ["Insert, Alt+Insert", "new row above, below; as many as are selected"], ["Ctrl+Delete", "mark rows for deletion"],
    ["Shift+arrows, Ctrl+A", "select"], ["Ctrl+click, Shift+F8", "select more elsewhere"], ["the corner of the selection", "drag it to repeat what is selected, with Ctrl to count on"], ["Shift+Space / Ctrl+Space", "select the row / the column"], ["Alt+Shift+Left, Right", "narrower, wider column"],
    ["Tab", "leave the grid"],
  ];
  const help = h("div", {
    class: "help popup", role: "dialog", "aria-label": "Keys", tabindex: -1, onkeydown: () => close(),
  },
    ...keys.flatMap(([key, meaning]) => [h("kbd", {}, key), h("span", {}, meaning)]));
  const close = openPopup(grid, help, grid.head.element);
  help.focus();
}

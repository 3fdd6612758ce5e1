/* What the parts of the grid share. grid.py joins them to one module. */

const ROW = 26; // px; the same in grid.css
const HEAD = 30;
const GUTTER = 58;
const BLOCK = 100; // rows of one window
const MARGIN = 4; // rows drawn above and below what is in sight
const KEPT = 200; // blocks that are remembered
const MOST_NEW = 1000; // rows that are added at once
const LOOKUP = 2000; // ms that a typed name waits for its look-up
const PATIENCE = 5000; // ms without an answer
const UNANSWERED = ["at", "seek"]; // messages that only tell something
const STEPS = ["undo", "redo"];
const EDITS = ["edit", "paste", "fill", "clear", "delete", "add", "replace", ...STEPS];

/* Make an element: h("div", {class: "x", onclick: f, "aria-label": "y"}, child, ...). */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/* Make a button; who speaks to it, or hears it, has the words that are seen and what it does. */
function button(text, title, act) {
  const made = h("button", { type: "button", title, onclick: act });
  rename(made, text);
  return made;
}

function rename(made, text) {
  made.textContent = text;
  made.setAttribute("aria-label", /\p{L}{3}/u.test(text) ? `${text}: ${made.title}` : made.title);
}

const isOn = (toggle) => toggle.getAttribute("aria-pressed") === "true";
const numberOf = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const composing = (event) => event.isComposing || event.keyCode === 229; // such an Enter ends a composition, as for Japanese
const typing = (event) => event.getModifierState("AltGraph"); // AltGr is Ctrl+Alt on some systems
const modifier = (event) => (event.ctrlKey || event.metaKey) && !typing(event);
const tsvCell = (text) => (/[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/* Rectangles are {top, left, bottom, right}, areas {top, left, rows, columns}. */
const isIn = ({ top, left, bottom, right }, row, column) => row >= top && row <= bottom && column >= left && column <= right;
const areaOf = ({ top, left, bottom, right }) => ({ top, left, rows: bottom - top + 1, columns: right - left + 1 });

/* Whether the mouse is on the mark in the corner of the selection. */
function isAtCorner(event, cell) {
  const { right, bottom } = cell.getBoundingClientRect();
  return right - event.clientX < 9 && bottom - event.clientY < 9;
}

/* Read what spreadsheets put on the clipboard: tabs, line ends, and quotes around cells that hold them. */
function parseTsv(text) {
  const rows = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/gy;
  while (cell.lastIndex < text.length) {
    const [, quoted, plain, end] = cell.exec(text) ?? [];
    if (end === undefined) { // a quote inside an unquoted cell: take the line as it stands
      return text.split(/\r\n|\n|\r/).map((line) => line.split("\t"));
    }
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== "\t" && cell.lastIndex < text.length) rows.push([]);
    else if (end === "\t" && cell.lastIndex === text.length) rows.at(-1).push("");
  }
  return rows;
}

/* Put a popup below an element of the grid, or above it where there is more room; or at {x, y}, as high as need be. */
function popUp(root, popup, at) {
  const outer = root.getBoundingClientRect();
  const isElement = at instanceof Element;
  const inner = isElement ? at.getBoundingClientRect() : new DOMRect(at.x, at.y, 0, 0);
  const below = outer.bottom - inner.bottom;
  const above = inner.top - outer.top;
  popup.style.left = `${clamp(inner.left - outer.left, 0, Math.max(0, outer.width - popup.offsetWidth - 4))}px`;
  popup.style.minWidth = `${clamp(inner.width, 120, 320)}px`;
  popup.style.maxHeight = `${(isElement ? Math.max(below, above) : outer.height) - 8}px`;
  const up = isElement && popup.offsetHeight > below && above > below;
  const top = isElement ? inner.bottom - outer.top : clamp(inner.top - outer.top, 4, Math.max(4, outer.height - popup.offsetHeight - 4));
  popup.style.top = up ? "" : `${top}px`;
  popup.style.bottom = up ? `${outer.bottom - inner.top}px` : "";
}

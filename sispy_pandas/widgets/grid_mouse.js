/* The mouse: it selects cells and rows, fills what the corner of the selection is dragged to, and opens menus. */

class Mouse {
  constructor(grid) {
    this.grid = grid;
  }

  press(event) {
    if (event.button !== 0 || this.grid.editing.cell?.contains(event.target)) return;
    const target = event.target.closest("[data-row]");
    if (!target) return;
    event.preventDefault(); // else the browser moves the focus to where nothing is
    this.grid.editing.commit();
    const row = Number(target.dataset.row);
    const add = modifier(event) && !event.shiftKey;
    if (target.dataset.column === undefined) { // the gutter selects rows
      if (add) this.grid.others.push(this.grid.rectangle());
      else if (!event.shiftKey) this.grid.others = [];
      if (!event.shiftKey) this.grid.anchor = { row, column: this.grid.columns.length - 1 };
      this.grid.active = { row, column: 0 };
      this.grid.paint();
      this.grid.focus();
      this.drag((at) => this.grid.go(at.row, 0, { extend: true }));
      return;
    }
    if (target.classList.contains("corner") && isAtCorner(event, target)) {
      this.dragFill();
      return;
    }
    const column = Number(target.dataset.column);
    this.grid.go(row, column, { extend: event.shiftKey, add });
    const onBox = event.target.classList.contains("box") && !add;
    // A second mousedown, not dblclick: the first one has redrawn the cell, and dblclick needs one element.
    if (onBox ? event.detail === 1 : event.detail === 2) this.grid.editing.open(null);
    else this.drag((at) => this.grid.go(at.row, at.column, { extend: true }));
  }

  /* Call `reach` with every cell that the mouse comes to, for as long as its button is down, and `end` then.
   * Beyond the edge the grid scrolls. */
  drag(reach, end = () => {}) {
    let at = null;
    let last = "";
    const follow = () => {
      if (!at) return;
      const box = this.grid.scroller.getBoundingClientRect();
      const [x, y] = [at.clientX - box.left, at.clientY - box.top];
      const row = clamp(Math.floor((y - HEAD + this.grid.scroller.scrollTop) / ROW), 0, this.grid.shown - 1);
      const column = Math.max(0, this.grid.lefts.findLastIndex((left) => left <= (x < this.grid.frozenWidth ? x : x + this.grid.scroller.scrollLeft)));
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
    const from = this.grid.rectangle();
    this.grid.foot.say("Drag to repeat the selection; hold Ctrl to count on; Escape leaves everything as it was.", { calm: true });
    this.grid.preview = from;
    this.drag(({ row, column }) => {
      if (this.grid.preview === null) return; // Escape
      const [down, across] = [Math.max(row - from.bottom, from.top - row), Math.max(column - from.right, from.left - column)];
      this.grid.preview = down >= across
        ? { ...from, top: Math.min(from.top, row), bottom: Math.max(from.bottom, row) }
        : { ...from, left: Math.min(from.left, column), right: Math.max(from.right, column) };
      this.grid.scrollTo(row, column);
      this.grid.paint();
    }, (event) => {
      const target = this.grid.preview;
      this.grid.preview = null;
      this.grid.foot.hush();
      if (target && (target.bottom - target.top > from.bottom - from.top || target.right - target.left > from.right - from.left)) {
        this.grid.send("fill", { source: areaOf(from), target: areaOf(target), count: modifier(event) });
        this.grid.select(target.top, target.left, target.bottom, target.right);
      }
    });
  }

  /* The menu of a cell, also by Shift+F10 and the menu key; with Shift the browser's own. */
  openMenu(event) {
    if (event.shiftKey && event.button === 2) return;
    if (this.grid.editing.cell?.contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    const header = event.target.closest(".head [data-column]");
    if (header) {
      openColumnMenu(this.grid, Number(header.dataset.column));
      return;
    }
    const target = event.target.closest("[data-row]");
    if (event.button === 2 && target) {
      this.grid.editing.commit();
      const row = Number(target.dataset.row);
      const column = target.dataset.column === undefined ? null : Number(target.dataset.column);
      const inside = [this.grid.rectangle(), ...this.grid.others].some((one) => isIn(one, row, column ?? one.left));
      if (!inside && column === null) this.grid.select(row, 0, row, this.grid.columns.length - 1);
      else if (!inside) this.grid.go(row, column);
      openCellMenu(this.grid, { x: event.clientX, y: event.clientY }, { row, column: column ?? this.grid.active.column });
    } else openCellMenu(this.grid);
  }
}

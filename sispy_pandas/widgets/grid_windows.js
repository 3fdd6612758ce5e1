/* The windows of rows that have come from Python. */

class Windows {
  constructor(grid) {
    this.grid = grid;
    this.blocks = new Map(); // block number -> {version, start, cells, marks}
    this.asked = new Map(); // block number -> version that was asked for
  }

  receive(message) {
    if (message.version < this.grid.status.version) return; // overtaken by an edit: asked for again already
    const number = message.start / BLOCK;
    this.blocks.delete(number); // the newest ones come last
    this.blocks.set(number, message);
    if (this.blocks.size > KEPT) this.forget(this.blocks.keys().next().value);
    this.grid.draw();
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
    this.grid.draw();
  }

  forget(number) {
    this.blocks.delete(number);
    this.asked.delete(number);
  }

  /* Ask for the windows that rows first to last need and that are missing or out of date. */
  need(first, last) {
    const version = this.grid.status.version;
    for (let block = Math.floor(first / BLOCK); block * BLOCK < last; block++) {
      if (this.blocks.get(block)?.version === version || this.asked.get(block) === version) continue;
      this.asked.set(block, version);
      this.grid.send("window", { start: block * BLOCK, stop: (block + 1) * BLOCK });
    }
  }

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
    return block?.order === this.grid.status.order ? block : undefined;
  }
}

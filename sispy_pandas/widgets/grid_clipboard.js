/* Copy, cut and paste. */

class Clipboard {
  constructor(grid) {
    this.grid = grid;
  }

  on(event) {
    event.stopPropagation();
    if (this.grid.editing.cell) return; // the editor's own text
    event.preventDefault();
    if (event.type === "paste") {
      this.paste(event.clipboardData.getData("text/plain"));
      return;
    }
    const block = this.selectedBlock();
    if (block === null) return;
    const copied = () => { if (event.type === "cut") this.grid.clear(); };
    const text = this.copied(block);
    if (text !== null) {
      event.clipboardData.setData("text/plain", text);
      copied();
    } else this.copyAll(block).then(copied, () => {});
  }

  paste(text) {
    if (!text) return;
    const block = parseTsv(text.replace(/(\r\n|\n|\r)$/, ""));
    const areas = this.grid.areas();
    this.grid.send("paste", { block, areas });
    if (areas.length > 1 && block.length === 1 && block[0].length === 1) return; // it went into all of them
    const { top, left, rows, columns } = areas.at(-1);
    this.grid.select(top, left, clamp(top + Math.max(block.length, rows) - 1, top, this.grid.shown - 1),
      clamp(left + Math.max(block[0].length, columns) - 1, left, this.grid.columns.length - 1));
  }

  /* What is selected as one block, {rows: [[first, last]], columns: [index]}; null if it is none. */
  selectedBlock() {
    const areas = this.grid.areas();
    const [first] = areas;
    const span = ({ top, rows }) => [top, top + rows - 1];
    const columns = ({ left, columns: count }) => Array.from({ length: count }, (_, i) => left + i);
    if (areas.every(({ left, columns: count }) => left === first.left && count === first.columns)) {
      return { rows: areas.map(span).sort((a, b) => a[0] - b[0]), columns: columns(first) };
    }
    if (areas.every(({ top, rows }) => top === first.top && rows === first.rows)) {
      return { rows: [span(first)], columns: areas.flatMap(columns).sort((a, b) => a - b) };
    }
    this.grid.foot.say("Not copied: parts of a selection are copied together if they have the same rows, or the same columns.");
    return null;
  }

  /* A block as text; null if a part of it is not here. */
  copied({ rows, columns }, headers = false) {
    const lines = headers ? [columns.map((column) => tsvCell(this.grid.columns[column].name)).join("\t")] : [];
    for (const [first, last] of rows) {
      for (let row = first; row <= last; row++) {
        const line = columns.map((column) => this.grid.windows.text(row, column));
        if (line.includes(undefined)) return null;
        lines.push(line.map((text, i) => (text === null ? "" : typeof text === "boolean" ? String(text).toUpperCase() : tsvCell(this.grid.named(columns[i], text)))).join("\t"));
      }
    }
    return lines.join("\n");
  }

  /* Copy a block of which Python has to write a part. */
  async copyAll(block, headers = false) {
    try {
      const text = this.copied(block, headers) ?? (await this.grid.ask("copy", { ...block, headers })).text;
      await navigator.clipboard.writeText(text);
    } catch (error) {
      this.grid.foot.say("Not copied: this browser lets a page copy by Ctrl+C alone, and only rows that were in sight.");
      throw error;
    }
  }
}

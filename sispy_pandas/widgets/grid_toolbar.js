/* The bar above the grid: what one can do, how much has changed, and other ways to read what was pasted. */

class Toolbar {
  constructor(grid) {
    this.grid = grid;
    const { rows } = grid.model.get("options");
    this.undo = button("↶", "Undo (Ctrl+Z)", () => grid.send("undo"));
    this.redo = button("↷", "Redo (Ctrl+Y)", () => grid.send("redo"));
    this.show = h("select", { "aria-label": "Which rows to show", onchange: (event) => grid.send("show", { show: event.target.value }) },
      ...[["all", "All rows"], ["changed", "Changed rows"], ["invalid", "Invalid rows"]].map(([value, text]) => h("option", { value }, text)));
    const sendAndGo = (type, content) => { // a button that goes away leaves the focus to the cells
      grid.send(type, content);
      grid.focus();
    };
    this.clear = button("Clear filters", "Show all rows again", () => sendAndGo("filter", { column: null, text: "" }));
    this.hidden = button("", "Show all columns again", () => sendAndGo("hide", { column: null }));
    this.counts = h("span", { class: "counts", role: "status" });
    this.element = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Edit" },
      this.undo, this.redo,
      ...(rows ? [
        button("+ Row", "Add a new row at the end (Insert: above the selected one)", () => grid.addRows("end")),
        button("− Row", "Mark the selected rows for deletion, or unmark them (Ctrl+Delete)", () => grid.deleteRows()),
      ] : []),
      button("Find", "Find a text (Ctrl+F)", () => grid.finding.open()), this.show, this.clear, this.hidden,
      button("?", "Keys", () => openHelp(grid)), this.counts);
    this.offered = h("div", { class: "find offer", role: "group", "aria-label": "How to read this", hidden: true });
  }

  draw() {
    const status = this.grid.status;
    for (const [one, can] of [[this.undo, status.undo], [this.redo, status.redo]]) {
      if (!can && one === document.activeElement) this.grid.focus(); // a button that cannot be pressed hears no key
      one.disabled = !can;
    }
    this.show.value = status.show;
    this.clear.hidden = !Object.keys(status.filters).length;
    this.hidden.hidden = !status.hidden;
    rename(this.hidden, `${numberOf(status.hidden, "column")} hidden`);
    const rows = numberOf(status.rows, this.grid.model.get("options").noun);
    const some = status.shown === status.rows ? rows : `${status.shown.toLocaleString("en")} of ${rows}`;
    const count = (n, word, kind) => (n ? [h("b", { class: kind }, `${n.toLocaleString("en")} ${word}`)] : []);
    this.counts.replaceChildren(some, ...count(status.changed, status.changed === 1 ? "cell changed" : "cells changed", "changed"),
      ...count(status.new, "new", "new"), ...count(status.deleted, "to delete", "deleted"), ...count(status.invalid, "invalid", "invalid"),
      ...count(status.conflicts, "in conflict", "conflict"), ...count(status.failed, "failed", "failed"));
  }

  /* Offer other ways to read what was typed or pasted; the next edit takes the offer away. */
  offer({ questions }) {
    const close = () => { this.offered.hidden = true; this.grid.focus(); };
    const way = (question, choice, text, title) => h("button", {
      type: "button", title, "aria-pressed": String(choice === questions[question].chosen),
      onclick: () => { this.grid.send("read", { question, choice }); this.grid.focus(); },
    }, text);
    this.offered.replaceChildren(
      ...questions.map(({ text, readings, chosen }, n) => h("span", { role: "group", "aria-label": `How to read ${text}` },
        h("span", { role: "status" }, chosen ? `${text} is read as` : `Read ${text} as`),
        ...readings.map(({ value, words }, i) => way(n, i + 1, value, words)),
        " or ", way(n, 0, "leave it", "Leave it as it stands"))),
      h("button", { type: "button", title: "Close", "aria-label": "Close", onclick: close }, "×"));
    this.offered.hidden = false;
  }
}

/* The bar that finds a text. */

class FindBar {
  constructor(grid) {
    this.grid = grid;
    this.input = h("input", {
      type: "search", placeholder: "Find", "aria-label": "Find", onkeydown: (event) => {
        if (event.key === "Enter") this.find(event.shiftKey);
        else if (event.key === "Escape") this.close();
        else return;
        event.preventDefault();
      },
    });
    this.count = h("span", { class: "counts", role: "status" });
    this.element = h("div", { class: "find", hidden: true }, this.input, this.count,
      button("↑", "Previous (Shift+Enter)", () => this.find(true)), button("↓", "Next (Enter)", () => this.find(false)),
      button("×", "Close (Escape)", () => this.close()));
  }

  open() {
    this.grid.send("seek");
    this.element.hidden = false;
    this.input.focus();
    this.input.select();
  }

  close() {
    this.element.hidden = true;
    this.grid.focus();
  }

  async find(back) {
    const text = this.input.value;
    if (!text) return;
    const { hit } = await this.grid.ask("find", { text, ...this.grid.active, back });
    this.count.textContent = hit ? `${hit[2].toLocaleString("en")} of ${hit[3].toLocaleString("en")}` : "not found";
    if (hit) this.grid.go(hit[0], hit[1], { focus: false });
  }
}

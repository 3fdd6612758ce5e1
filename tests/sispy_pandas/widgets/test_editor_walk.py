"""Everything that the editor and the review can, walked through with a real kernel in each front end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("anywidget")

from front_ends import LAB, NOTEBOOK, VOILA, run_all, until, violations  # skipped before it is needed
from gate import Gate
from sispy.sandbox import Sandbox

PLACE = {"name": {"type": "String", "required": True, "unique": True}}
BOX = {
    "name": {"type": "String", "required": True, "unique": True},
    "site": {"type": "ObjectId", "ref": "place"},
    "os": {"type": "String", "enum": ["Debian 13", "RHEL 9", "Windows 2025"]},
    "live": "Boolean",
    "cores": {"type": "Number", "min": 0},
    "bought": "Date",
    "tags": ["String"],
    "peers": [{"type": "ObjectId", "ref": "place"}],
    "code": {"type": "String", "match": f"/^({'|'.join(f'c{n}' for n in range(400))})$/"},
    "note": "String",
}
ROWS = 30
EDIT = """
import sispy, sispy_pandas as sp
client = sispy.Client("{url}")
client.authenticate("ann", "ann's")
sp.FrameEditor(sp.fetch(client.entities("box"), progress=False))
"""
EXCEL = (
    "<html xmlns:x='urn:schemas-microsoft-com:office:excel'><head><meta name=Generator content='Microsoft "
    "Excel 15'><style>td {{mso-number-format:General;}}</style></head><body><table><!--StartFragment-->{}"
    "<!--EndFragment--></table></body></html>"
)
CALC = (
    "<!DOCTYPE html><html><head><meta http-equiv='content-type' content='text/html; charset=utf-8'/><meta "
    "name='generator' content='LibreOffice 24.2 (Linux)'/></head><body><table cellspacing='0'>{}</table>"
    "</body></html>"
)


@pytest.fixture
def sis():
    """A server with a table of ann's: of 30 rows one is immutable, one locked, one of another group."""
    with Sandbox() as sis:
        root = sis.client()
        root.users.create(
            {"name": "ann", "email": "ann@example.com", "pw": "ann's", "roles": {"ops": "user"}}
        )
        for name, definition in (("place", PLACE), ("box", BOX)):
            root.schemas.create({"name": name, "_sis": {"owner": ["ops", "db"]}, "definition": definition})
        places = [root.entities("place").create({"name": f"P{n}"})["_id"] for n in range(4)]
        boxes = root.entities("box")
        for n in range(ROWS):
            boxes.create(
                {
                    "name": f"box{n:02}",
                    "site": places[n % 3],
                    "os": ("Debian 13", "RHEL 9")[n % 2],
                    "live": n % 2 == 0,
                    "cores": n + 1,
                    "bought": f"2025-01-{n + 1:02}T00:00:00.000Z",
                    "note": f"order {n % 5}",
                    "_sis": {"immutable": n == 1, "locked": n == 2, "owner": ["db"] if n == 3 else ["ops"]},
                }
            )
        yield sis


@pytest.mark.soak
@pytest.mark.parametrize(("application", "path"), [LAB, NOTEBOOK, VOILA])
def test_everything_that_the_editor_can(page, opened, served, sis, application, path):
    page.set_viewport_size({"width": 1900, "height": 1700})
    opened(application, path, EDIT.format(url=sis.url))
    if application != "voila":
        run_all(page)
    editor = Walker(page)
    rows_that_cannot_be_written(editor)
    blocks_of_spreadsheets(editor)
    what_people_type(editor)
    find_and_replace(editor)
    fill_and_ranges(editor)
    columns_and_filters(editor)
    rows_where_they_are_wanted(editor)
    duplicates(editor)
    drafts(editor, application, lambda: until_saved(served(application)[1], sis))
    review(editor, sis)


class Walker:
    """The editor, or the review below it, whatever else the front end has on its page."""

    def __init__(self, page, number=0):
        self.page = page
        self.all = page.locator(".sispy-grid").nth(number)
        self.press = page.keyboard.press
        self.type = page.keyboard.type

    def columns(self):
        self.all.locator(".row").first.wait_for()
        return [text.removesuffix(" *") for text in self.all.locator(".head .name").all_text_contents()]

    def cell(self, row, name):
        """A cell, scrolled into sight: columns that are out of it are not drawn."""
        column = self.columns().index(name)
        self.all.locator(".scroller").evaluate(
            """(e, column) => {
              const head = [...e.querySelectorAll(".head [data-column]")];
              const stay = head.filter((one) => one.dataset.frozen);
              const frozen = stay.reduce((sum, one) => sum + one.offsetWidth, 58);
              const { offsetLeft: left, offsetWidth: width, dataset } = head[column];
              const isIn = left >= e.scrollLeft + frozen && left + width <= e.scrollLeft + e.clientWidth;
              if (!dataset.frozen && !isIn) e.scrollLeft = left - frozen;
            }""",
            column,
        )
        return self.all.locator(f'.body [data-row="{row}"][data-column="{column}"]')

    def head(self, name):
        return self.all.locator(f".head [data-column='{self.columns().index(name)}']")

    def becomes(self, row, name, state):
        self.cell(row, name).and_(self.page.locator(f".{state}")).wait_for()

    def holds(self, row, name, text):
        """Wait until a cell shows a text, or a text that a pattern matches."""
        exact = re.compile(f"^{re.escape(text)}$") if isinstance(text, str) else text
        self.cell(row, name).and_(self.page.get_by_text(exact)).wait_for()

    def ticked(self, row, name, state):
        self.cell(row, name).locator(f".box.{state}").wait_for()

    def texts(self, name, rows):
        return [self.cell(row, name).inner_text() for row in rows]

    def says(self, text):
        self.all.locator(".line", has_text=text).wait_for()

    def counts(self, text):
        self.all.locator(".toolbar .counts").get_by_text(text, exact=False).first.wait_for()

    def button(self, name):
        return self.all.get_by_role("button", name=name)

    def go(self, row, name):
        """Click a cell, beside the box that it may have."""
        self.cell(row, name).click(position={"x": 5, "y": 5})

    def enter(self, row, name, text):
        """Type over a cell."""
        self.go(row, name)
        self.type(text)
        self.press("Enter")

    def paste(self, row, name, program, lines, *, end="\n"):
        """Paste what a spreadsheet program puts on the clipboard: a table as HTML and as text."""
        rows = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in line)}</tr>" for line in lines)
        text = "".join("\t".join(line) + end for line in lines)
        self.go(row, name)
        self.page.evaluate(
            """async ([html, text]) => {
              const blob = (type, data) => new Blob([data], { type });
              await navigator.clipboard.write([new ClipboardItem({
                "text/html": blob("text/html", html), "text/plain": blob("text/plain", text) })]);
            }""",
            [program.format(rows), text],
        )
        self.press("Control+v")

    def clipboard(self, text):
        self.page.wait_for_function(
            "text => navigator.clipboard.readText().then(now => now === text)", arg=text
        )

    def menu(self, row, name, item):
        self.cell(row, name).click(button="right")
        self.page.get_by_role("menuitem", name=item).click()

    def column_menu(self, name):
        self.head(name).get_by_role("button").click()
        return self.page.get_by_role("dialog", name=f"Column {name}")

    def back(self, steps=1):
        """Take steps back, until nothing is changed."""
        for _ in range(steps):
            self.button("Undo (Ctrl+Z)").click()
        self.all.locator(".body .changed, .body .invalid").first.wait_for(state="detached")

    def is_accessible(self):
        """Look at all of it: bars, menus, the review."""
        assert violations(self.page, ".widget-vbox") == []


def rows_that_cannot_be_written(editor):
    editor.all.locator(".row.fixed [data-row='3']").first.wait_for()
    marks = {
        row: editor.all.locator(f".row:has([data-row='{row}'])").get_attribute("title") for row in range(4)
    }
    assert marks == {
        0: "",
        1: "the row is immutable: it cannot be changed",
        2: "the row is locked: it cannot be deleted",
        3: "you have no role in db, which owns the row",
    }
    editor.cell(1, "note").click()
    editor.says("note · the row is immutable")
    editor.type("x")
    editor.says("the row is immutable: it cannot be changed")
    editor.cell(3, "note").click()
    editor.press("Delete")
    editor.says("you have no role in db, which owns the row")
    editor.cell(2, "note").click()
    editor.press("Control+Delete")
    editor.says("the row is locked: it cannot be deleted")
    editor.is_accessible()


def blocks_of_spreadsheets(editor):
    """Numbers and dates of other countries are asked about once; names, lists and booleans are not."""
    asked = editor.page.get_by_role("group", name="How to read this")
    editor.paste(5, "cores", EXCEL, [["1.234,56", "03.02.2026"], ["3,50", "04.02.2026"]], end="\r\n")
    editor.becomes(5, "cores", "invalid")
    assert asked.inner_text().split("\n")[:-1] == [
        "Read 1.234,56 as",
        "1234.56",
        "or",
        "leave it",
        "Read 03.02.2026 as",
        "2026-02-03",
        "2026-03-02",
        "or",
        "leave it",
    ]
    editor.is_accessible()
    asked.get_by_role("button", name="1234.56").click()
    editor.holds(5, "cores", "1234.56")
    asked.get_by_role("button", name="2026-02-03").click()
    editor.holds(5, "bought", "2026-02-03")
    assert [editor.texts(name, (5, 6)) for name in ("cores", "bought")] == [
        ["1234.56", "3.5"],
        ["2026-02-03", "2026-02-04"],
    ]
    editor.paste(7, "cores", CALC, [["2.000,25", "05.02.2026"]])
    editor.holds(7, "cores", "2000.25")
    editor.holds(7, "bought", "2026-02-05")
    asked.get_by_role("button", name="2026-02-05", pressed=True).wait_for()  # remembered, and shown
    asked.get_by_role("button", name="Close").click()
    editor.back(2)
    editor.paste(5, "bought", EXCEL, [["3/2/2026"], ["3 Feb 2026"]], end="\r\n")
    asked.get_by_role("button", name="2026-03-02").click()
    editor.holds(5, "bought", "2026-03-02")
    editor.holds(6, "bought", "2026-02-03")
    editor.paste(7, "cores", CALC, [["50%"]])
    asked.get_by_role("button", name="50", exact=True).click()
    editor.holds(7, "cores", "50")
    editor.paste(8, "cores", CALC, [["1,234"]])
    asked.get_by_role("button", name="1234", exact=True).click()
    editor.holds(8, "cores", "1234")
    editor.back(3)
    row = [" p3 ", "  rhel 9", "off", "7", "2026-05-01", "web, eu", "p1, P2"]
    editor.paste(4, "site", EXCEL, [row, ["P0", "DEBIAN 13", "y", "8", "2026-05-02", "db", "P3"]], end="\r\n")
    editor.becomes(5, "peers", "changed")
    assert [editor.texts(name, (4, 5)) for name in ("site", "os", "cores", "bought", "tags", "peers")] == [
        ["P3", "P0"],
        ["RHEL 9", "Debian 13"],
        ["7", "8"],
        ["2026-05-01", "2026-05-02"],
        ['["web", "eu"]', '["db"]'],
        ['["P1", "P2"]', '["P3"]'],
    ]
    editor.ticked(4, "live", "off")
    editor.ticked(5, "live", "on")
    editor.back()
    editor.paste(4, "live", CALC, [["on"], ["N"], ["no"], ["Y"]])
    for place, state in enumerate(("on", "off", "off", "on")):
        editor.ticked(4 + place, "live", state)
    editor.button("Undo (Ctrl+Z)").click()


def what_people_type(editor):
    editor.enter(4, "cores", "0x10")
    editor.becomes(4, "cores", "invalid")
    editor.says("0x10")
    editor.holds(4, "cores", "0x10")
    editor.enter(4, "site", "nowhere")
    editor.says("no place is called 'nowhere'")
    editor.becomes(4, "site", "invalid")
    editor.cell(5, "site").click()
    editor.type("p")
    editor.page.get_by_role("option", name="P2").wait_for()
    editor.type("3")
    editor.press("Enter")
    editor.holds(5, "site", "P3")
    editor.cell(6, "os").click()
    editor.type("20")
    assert editor.page.locator(".list [role=option]").all_text_contents() == ["Windows 2025"]
    editor.is_accessible()
    editor.press("Enter")
    editor.holds(6, "os", "Windows 2025")
    editor.enter(6, "bought", "3 Feb 2026")
    editor.holds(6, "bought", "2026-02-03")
    editor.enter(6, "live", "off")
    editor.ticked(6, "live", "off")
    editor.cell(7, "note").dblclick()
    editor.page.locator(".editor").fill("two")
    editor.press("Alt+Enter")
    editor.type("lines <img src=x onerror=alert(1)>")
    editor.press("Enter")
    editor.holds(7, "note", "two ⏎ lines <img src=x onerror=alert(1)>")
    editor.back(7)


def find_and_replace(editor):
    editor.cell(4, "note").click()
    editor.cell(6, "note").click(modifiers=["Shift"])
    editor.press("Control+h")
    bar = editor.page.get_by_role("search", name="Find and replace")
    find, by = (bar.get_by_role("searchbox", name=name) for name in ("Find", "Replace with"))
    find.fill(r"(ORDER) (\d)")
    bar.get_by_role("button", name="It is a regular expression").click()
    by.fill("$2. $1")
    bar.get_by_text("in 3 rows: order 4 → 4. order").wait_for()
    editor.is_accessible()
    bar.get_by_role("button", name="Replace in 3 cells").click()
    editor.says("3 cells changed; Ctrl+Z takes it back.")
    assert editor.texts("note", (4, 5, 6)) == ["4. order", "0. order", "1. order"]
    editor.press("Control+z")
    editor.holds(4, "note", "order 4")
    bar.get_by_label("Where to replace").select_option("in note")
    bar.get_by_text("in 28 rows: order 0 → 0. order; 2 cells cannot be edited").wait_for()
    bar.get_by_role("button", name="It is a regular expression").click()
    bar.get_by_label("Where to replace").select_option("in the table")
    find.fill("box0")
    by.fill("rack")
    bar.get_by_text("in 8 rows: box00 → rack0; 2 cells cannot be edited").wait_for()
    find.press("Enter")
    bar.get_by_text(re.compile(r"^\d+ of 10$")).wait_for()
    editor.press("Escape")
    bar.wait_for(state="hidden")


def fill_and_ranges(editor):
    editor.cell(4, "cores").click()
    drag_corner(editor, (4, "cores"), (6, "cores"))
    editor.holds(6, "cores", "5")
    assert editor.texts("cores", (4, 5, 6)) == ["5", "5", "5"]
    editor.cell(7, "note").click()
    drag_corner(editor, (7, "note"), (9, "note"), key="Control")
    editor.holds(9, "note", "order 4")
    assert editor.texts("note", (7, 8, 9)) == ["order 2", "order 3", "order 4"]
    editor.back()
    editor.cell(4, "cores").click()
    editor.cell(5, "cores").click(modifiers=["Shift"])
    editor.cell(8, "cores").click(modifiers=["Control"])
    sums = editor.page.get_by_role("status", name="Of the selection")
    sums.get_by_text(
        "sum 20 · average 6.666667 · min 5 · max 9 · 3 distinct · 3 of 3 cells filled"
    ).wait_for()
    editor.press("Control+c")
    editor.clipboard("5\n6\n9")
    editor.press("Delete")
    editor.counts("3 cells changed")
    assert editor.texts("cores", (4, 5, 6, 8)) == ["", "", "7", ""]
    editor.back()
    editor.cell(4, "name").click()
    editor.cell(5, "os").click(modifiers=["Shift"])
    editor.menu(5, "site", "Copy with headers")
    editor.clipboard("name\tsite\tos\nbox04\tP1\tDebian 13\nbox05\tP2\tRHEL 9")
    editor.menu(4, "os", "Only rows with os = Debian 13")
    editor.counts("15 of 30 rows")
    editor.button("Show all rows again").click()
    editor.counts("30 rows")


def drag_corner(editor, start, end, *, key=None):
    mouse, keyboard = editor.page.mouse, editor.page.keyboard
    first, last = editor.cell(*start).bounding_box(), editor.cell(*end).bounding_box()
    mouse.move(first["x"] + first["width"] - 3, first["y"] + first["height"] - 3)
    mouse.down()
    mouse.move(last["x"] + 10, last["y"] + 10, steps=4)
    if key:
        keyboard.down(key)
    mouse.up()
    if key:
        keyboard.up(key)


def columns_and_filters(editor):
    menu = editor.column_menu("live")
    menu.get_by_role("searchbox", name="Filter live").wait_for()
    editor.is_accessible()
    menu.get_by_role("button", name="Hide this column").click()
    editor.page.get_by_role("columnheader", name="live").wait_for(state="detached")
    editor.column_menu("site").get_by_role("button", name="Freeze up to here").click()
    assert editor.cell(4, "site").get_attribute("data-frozen") == "last"
    editor.column_menu("site").get_by_role("button", name="Freeze the key alone").click()
    wide = editor.cell(4, "bought").bounding_box()["width"]
    editor.column_menu("bought").get_by_role("button", name="Fit the width").click()
    assert editor.cell(4, "bought").bounding_box()["width"] != wide
    editor.button("Show all columns again").click()
    editor.page.get_by_role("columnheader", name="live").wait_for()
    menu = editor.column_menu("site")
    values = menu.get_by_role("group", name="Only rows with these values of site")
    values.get_by_text("P2").wait_for()
    assert values.locator("label").all_text_contents() == ["P010", "P110", "P210"]
    values.get_by_role("checkbox", name="P1").check()
    editor.counts("10 of 30 rows")
    values.get_by_role("checkbox", name="P2").check()
    editor.counts("20 of 30 rows")
    editor.press("Escape")
    editor.head("os").locator(".name").click()
    editor.head("cores").locator(".name").click(modifiers=["Shift"])
    editor.head("cores").locator(".name").click(modifiers=["Shift"])
    editor.head("cores").get_by_text("▼2").wait_for()
    editor.holds(0, "name", "box28")
    assert editor.texts("name", range(3)) == ["box28", "box26", "box22"]
    editor.button("Show all rows again").click()
    editor.counts("30 rows")
    for name in ("os", "cores"):
        editor.column_menu(name).get_by_role("button", name="Sort no longer by this").click()
    editor.holds(0, "name", "box00")


def rows_where_they_are_wanted(editor):
    editor.cell(5, "os").click()
    editor.press("Insert")
    editor.becomes(5, "name", "active")
    editor.type("between")
    editor.press("Enter")
    editor.holds(5, "name", "between")
    editor.holds(6, "name", "box05")
    editor.menu(6, "name", "New row below")
    editor.holds(8, "name", "box06")
    editor.back(3)


def duplicates(editor):
    editor.enter(4, "name", "box09")
    editor.becomes(4, "name", "invalid")
    editor.says("another row has this value already, and it must be unique")
    editor.enter(9, "name", "other")
    editor.becomes(4, "name", "changed")
    editor.back(2)


def until_saved(folder, sis):
    """Wait until what is edited is on disk."""
    pushes = folder / "state" / "sispy" / "pushes"

    def drafts():
        texts = map(Path.read_text, pushes.glob("*.draft"))
        return [text for text in texts if sis.url in text and "kept" in text]

    until(drafts, 20, folder / "server.log")


def drafts(editor, application, saved):
    """What was edited is offered after the cell ran again and after a restart, and put back only then."""
    editor.enter(4, "note", "kept")
    editor.becomes(4, "note", "changed")
    saved()
    again(editor, application)
    editor.page.get_by_text(re.compile("Not pushed: 1 cell, edited less than a minute ago")).wait_for()
    editor.holds(4, "note", "order 4")
    editor.is_accessible()
    editor.page.get_by_role("button", name="Put them back").click()
    editor.holds(4, "note", "kept")
    editor.becomes(4, "note", "changed")
    saved()
    if application != "voila":
        restart(editor)
        editor.page.get_by_role("button", name="Put them back").click()
        editor.holds(4, "note", "kept")
    editor.back()


def again(editor, application):
    """Run the cell again; in Voila, which has no cells, load the page again, with another kernel."""
    if application == "voila":
        editor.page.reload(wait_until="commit")
        return
    editor.all.evaluate("e => { e.dataset.old = 'yes'; }")
    editor.page.get_by_role("menuitem", name="Run", exact=True).click()
    editor.page.get_by_text("Run All Cells", exact=True).click()
    editor.page.locator(".sispy-grid[data-old]").wait_for(state="detached")


def restart(editor):
    editor.all.evaluate("e => { e.dataset.old = 'yes'; }")
    editor.page.get_by_role("menuitem", name="Kernel", exact=True).click()
    editor.page.get_by_text("Restart Kernel and Run All Cells…", exact=True).click()
    editor.page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    editor.page.locator(".sispy-grid[data-old]").wait_for(state="detached")


def review(editor, sis):
    """A push with a conflict that is cancelled, resumed, decided; and reasons that are long."""
    boxes = sis.client().entities("box")
    for row, name in ((4, "mine"), (5, "mine too"), (6, "fine")):
        editor.enter(row, "note", name)
    editor.enter(7, "code", "UPPER")
    editor.becomes(7, "code", "invalid")
    editor.enter(8, "cores", "64")
    editor.cell(9, "name").click()
    editor.press("Control+Delete")
    editor.counts("1 to delete")
    editor.page.get_by_role("button", name="Review the changes").click()
    lines = Walker(editor.page, 1)
    lines.page.get_by_text("4 of 5 cells and 1 of 1 row to delete will be sent").wait_for()
    lines.is_accessible()
    assert lines.texts("field", range(6)) == ["code", "note", "note", "note", "cores", ""]
    reason = lines.cell(0, "reason").inner_text()
    assert re.search(r"\.\.\. \(\d,\d{3} characters\)$", reason)
    assert len(reason) < 330
    lines.cell(4, "send").locator(".box").click()
    lines.page.get_by_text("3 of 5 cells and 1 of 1 row to delete will be sent").wait_for()
    lines.enter(4, "after", "65")  # a corrected value ticks its line
    lines.ticked(4, "send", "on")
    lines.page.get_by_text("4 of 5 cells and 1 of 1 row to delete will be sent").wait_for()
    for row in (4, 5):
        boxes.update(boxes.fetch_page({"q": {"name": f"box{row:02}"}})[0]["_id"], {"note": "theirs"})
    push = lines.page.locator("button:visible", has_text=re.compile(r"^\s*Push$"))
    with Gate(sis, "PUT /entities/box") as gate:
        push.click()
        gate.wait()
        lines.page.locator("button:visible", has_text=re.compile(r"^\s*Cancel$")).click()
        lines.page.get_by_text("Cancelling …").wait_for()
    lines.page.get_by_text("Cancelled. Rows not sent: 1. Resume goes on with it").wait_for()
    lines = Walker(editor.page, 1)
    told = {
        lines.cell(row, "row").inner_text() + lines.cell(row, "field").inner_text(): row for row in range(6)
    }
    outcomes = {name: lines.cell(row, "outcome").inner_text() for name, row in told.items()}
    assert outcomes == {
        "box07code": "",
        "box04note": "conflict",
        "box05note": "conflict",
        "box06note": "done",
        "box08cores": "done",
        "box09": "unsent",
    }
    lines.ticked(
        told["box09"], "send", "on"
    )  # what was not sent is ticked, a conflict has a column of its own
    assert lines.cell(told["box04note"], "send").locator(".box.on").count() == 0
    assert lines.texts("theirs", [told["box04note"], told["box05note"]]) == ["theirs", "theirs"]
    assert editor.all.locator(".counts").first.inner_text().count("failed") == 0
    lines.is_accessible()
    lines.page.get_by_role("button", name="Resume the push").click()
    lines.page.get_by_role("button", name="Resume the push").wait_for(state="hidden")
    assert len(boxes.fetch_page({"q": {"name": "box09"}})) == 0
    lines.page.get_by_role("button", name="Verify").click()  # what was written before it was cut off
    lines.page.get_by_text("Verified: no value of others was replaced").wait_for()
    lines.page.get_by_role("button", name="Verify").wait_for(state="hidden")
    for name, keep in (("box04note", "mine"), ("box05note", "theirs")):
        row = next(n for n in range(6) if f"{lines.cell(n, 'row').inner_text()}note" == name)
        lines.cell(row, "keep").dblclick()
        lines.page.get_by_role("option", name=keep, exact=True).click()
        lines.becomes(row, "keep", "changed")
    push.click()
    lines.page.get_by_text(re.compile(r"done: 4\b")).wait_for()
    held = {row["name"]: (row["note"], row["cores"]) for row in boxes.fetch_all({}) if row["name"] < "box09"}
    assert [held[f"box0{n}"] for n in (4, 5, 6, 8)] == [
        ("mine", 5),
        ("theirs", 6),
        ("fine", 7),
        ("order 3", 65),
    ]
    editor.counts("1 cell changed")
    editor.counts("1 invalid")
    undo_beneath(editor, lines, boxes)


def undo_beneath(editor, lines, boxes):
    """The plan that takes all back opens below the review, which stays as it is."""
    page = editor.page
    row = next(n for n in range(6) if lines.cell(n, "field").inner_text() == "code")
    lines.enter(row, "after", "c7")
    lines.ticked(row, "send", "on")
    undo, title = (
        page.get_by_role("button", name="Undo all 2 pushes"),
        page.get_by_text("Undo: this plan takes it back"),
    )
    undo.click()
    title.wait_for()
    back = Walker(page, 2)
    back.all.get_by_text("mine", exact=True).first.wait_for()
    editor.is_accessible()
    page.get_by_role("button", name="Back to the review above").click()
    back.all.wait_for(state="detached")
    lines.ticked(row, "send", "on")
    undo.click()
    title.wait_for()
    page.locator("button:visible", has_text=re.compile(r"^\s*Push$")).click()
    lines.page.get_by_text(re.compile(r"undone: 4\b")).wait_for()
    assert boxes.fetch_page({"q": {"name": "box08"}})[0]["cores"] == 9
    lines.holds(row, "after", "c7")
    page.get_by_role("button", name="Back to the review above").click()
    lines.ticked(row, "send", "on")

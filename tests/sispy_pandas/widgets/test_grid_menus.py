"""The grid's menus and selections in a browser, by mouse and by keys."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")

from front_ends import violations
from grid_page import Racks, becomes, cell, edits, selected


def choose(page, name):
    page.get_by_role("menuitem", name=name).click()


def clipboard(page, text):
    """Wait until the clipboard holds a text."""
    page.wait_for_function("text => navigator.clipboard.readText().then(now => now === text)", arg=text)


def test_the_menu_of_cells_does_what_keys_do(open_grid):
    grid, page = open_grid()
    cell(page, 1, "cores").click(button="right")
    menu = page.get_by_role("menu", name="Cells")
    assert menu.get_by_role("menuitem").all_text_contents() == [
        "CutCtrl+X", "CopyCtrl+C", "Copy with headers", "PasteCtrl+V", "ClearDelete", "Fill downCtrl+D",
        "Fill to the right", "Count on, down", "Only rows with cores = 2", "Find and replaceCtrl+H",
        "Column menuAlt+Down",
        "New row aboveInsert", "New row belowAlt+Insert", "Delete rows, or keep themCtrl+Delete",
    ]  # fmt: skip
    choose(page, "Copy with headers")
    clipboard(page, "cores\n2")
    menu.wait_for(state="detached")
    assert cell(page, 1, "cores").evaluate("e => e === document.activeElement")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+F10")
    page.keyboard.press("ArrowUp")  # around, to the last
    assert page.evaluate("document.activeElement.textContent").startswith("Delete rows")
    page.keyboard.press("c")
    page.keyboard.press("c")
    assert page.evaluate("document.activeElement.textContent").startswith("Copy")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")  # Cut
    becomes(cell(page, 2, "cores"), "changed")
    clipboard(page, "2\n3")
    assert edits(grid) == {(1, "cores"): None, (2, "cores"): None}
    cell(page, 5, "cores").click(button="right")
    choose(page, "Paste")
    becomes(cell(page, 6, "cores"), "changed")
    assert [grid.model.value(row, "cores") for row in (5, 6)] == [2, 3]
    page.keyboard.press("ContextMenu")
    page.keyboard.press("Escape")
    menu.wait_for(state="detached")
    cell(page, 0, "os").click()
    cell(page, 1, "os").click(modifiers=["Shift"])
    cell(page, 0, "os").click(button="right")  # within the selection, of which another cell is active
    choose(page, "Only rows with os = debian13")
    page.get_by_text("100 of 300 rows").wait_for()
    page.locator(".gutter[data-row='3']").click(button="right")
    choose(page, "Delete rows")
    page.locator(".row.deleted [data-row='3']").first.wait_for()
    assert grid.model.deleted_ids == [f"{9:024x}"]


def test_ranges_beside_each_other_are_cleared_filled_copied_and_deleted_together(open_grid):
    grid, page = open_grid()
    cell(page, 1, "cores").click()
    cell(page, 2, "cores").click(modifiers=["Shift"])
    cell(page, 5, "cores").click(modifiers=["Control"])
    assert selected(page) == [(1, "cores"), (2, "cores"), (5, "cores")]
    page.keyboard.press("Control+c")
    clipboard(page, "2\n3\n6")
    page.evaluate("navigator.clipboard.writeText('9')")
    page.keyboard.press("Control+v")
    becomes(cell(page, 5, "cores"), "changed")
    assert edits(grid) == {(row, "cores"): 9 for row in (1, 2, 5)}
    page.keyboard.press("Delete")
    page.locator(".body .cell.changed").get_by_text("9").first.wait_for(state="detached")
    assert edits(grid) == {(row, "cores"): None for row in (1, 2, 5)}
    page.keyboard.press("Control+Delete")
    page.locator(".row.deleted [data-row='5']").first.wait_for()
    assert grid.model.deleted_ids == [f"{row:024x}" for row in (1, 2, 5)]

    cell(page, 1, "name").click()  # by keys alone, and columns that are no neighbours
    page.keyboard.press("Shift+F8")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert selected(page) == [(1, "name"), (1, "cores")]
    page.keyboard.press("Escape")
    assert selected(page) == [(1, "cores")]
    cell(page, 3, "name").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    page.get_by_text("Not copied: parts of a selection").wait_for()
    cell(page, 3, "name").click()
    cell(page, 3, "cores").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    clipboard(page, "web000003\t4")
    cell(page, 3, "name").click()
    page.keyboard.press("Control+Space")
    cell(page, 1, "cores").click(modifiers=["Control"])
    page.keyboard.press("Control+Space")  # which ends the ranges beside
    page.keyboard.press("Shift+F10")
    choose(page, "Copy with headers")  # of rows that are not here
    clipboard(page, "\n".join(["cores", *(str(1 + n % 64) if n != 1 else "" for n in range(300))]))


def drag_corner(page, row, name, to, *, key=None):
    box = cell(page, row, name).bounding_box()
    end = cell(page, *to).bounding_box()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(end["x"] + 10, end["y"] + 10, steps=3)
    if key == "Escape":
        page.keyboard.press("Escape")
    elif key:
        page.keyboard.down(key)
    page.mouse.up()
    if key not in (None, "Escape"):
        page.keyboard.up(key)


def test_the_corner_of_the_selection_fills_and_with_ctrl_counts(open_grid):
    grid, page = open_grid()
    cell(page, 2, "cores").click()
    drag_corner(page, 2, "cores", (4, "cores"))
    becomes(cell(page, 4, "cores"), "changed")
    assert edits(grid) == {(3, "cores"): 3, (4, "cores"): 3}
    assert selected(page) == [(row, "cores") for row in (2, 3, 4)]
    cell(page, 2, "note").click()
    drag_corner(page, 2, "note", (4, "note"), key="Control")
    page.wait_for_function("document.querySelectorAll('.body .changed').length === 2")
    assert edits(grid) == {(3, "cores"): 3, (4, "cores"): 3}  # order 3, 4: what is there already
    drag_corner(page, 4, "note", (6, "note"), key="Escape")
    drag_corner(page, 4, "note", (0, "note"))
    becomes(cell(page, 1, "note"), "changed")
    assert [grid.model.value(row, "note") for row in range(6)] == [
        f"bought with order {n}" for n in (3, 4, 2, 3, 4, 5)
    ]
    cell(page, 7, "name").click()
    cell(page, 9, "name").click(modifiers=["Shift"])
    page.keyboard.press("Shift+F10")
    choose(page, "Count on, down")  # what is there already again
    page.keyboard.press("Control+d")
    becomes(cell(page, 9, "name"), "invalid")  # a name that others have, too
    assert grid.model.value(9, "name") == "web000007"


def test_columns_are_hidden_frozen_and_shown_again(open_grid):
    grid, page = open_grid()
    page.set_viewport_size({"width": 900, "height": 640})
    page.get_by_role("columnheader", name="live").click(button="right")
    menu = page.get_by_role("dialog", name="Column live")
    menu.get_by_role("button", name="Hide this column").click()
    page.get_by_role("columnheader", name="live").wait_for(state="detached")
    cell(page, 1, "cores").get_by_text("2", exact=True).wait_for()
    cell(page, 1, "os").click()
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("dialog", name="Column os").get_by_role("button", name="Freeze up to here").click()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.scroller').scrollLeft > 200")
    left = page.locator(".scroller").bounding_box()["x"]
    key, os = (cell(page, 1, name).bounding_box() for name in ("name", "os"))
    assert (key["x"] - left, os["x"] - key["x"]) == (
        pytest.approx(58, abs=1),
        pytest.approx(key["width"], abs=1),
    )
    head = page.locator(".head [data-column='1']").bounding_box()
    assert head["x"] == os["x"]
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("button", name="Freeze up to here").click()
    page.get_by_text("Not frozen: these columns leave too little room").wait_for()
    cell(page, 1, "os").click()
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("button", name="Freeze the key alone").click()
    page.get_by_role("button", name="Show all columns again").click()
    page.get_by_role("columnheader", name="live").wait_for()
    page.keyboard.press("Home")
    becomes(cell(page, 1, "live"), "boolean")
    assert grid.model.view.hidden == frozenset()


def test_rows_are_sorted_by_several_columns(open_grid):
    grid, page = open_grid()
    page.locator(".head .name", has_text="os").click()
    page.locator(".head .name", has_text="cores").click(modifiers=["Shift"])
    page.locator(".head .name", has_text="cores").click(modifiers=["Shift"])
    page.locator("[aria-sort=descending]", has_text="cores").get_by_text("▼2").wait_for()
    assert grid.model.view.sorts == (("os", False), ("cores", True))
    cell(page, 0, "cores").click()
    page.keyboard.press("Alt+ArrowDown")
    menu = page.get_by_role("dialog", name="Column cores")
    menu.get_by_role("button", name="Sort no longer by this").click()
    page.locator("[aria-sort=descending]").wait_for(state="detached")
    assert grid.model.view.sorts == (("os", False),)
    page.locator(".head .name", has_text="name").click()
    page.locator("[aria-sort=ascending]", has_text="name").get_by_text("▲", exact=True).wait_for()
    assert grid.model.view.sorts == (("name", False),)


def test_a_table_without_rows_keeps_its_keys(open_grid):
    grid, page = open_grid()
    cell(page, 0, "name").click()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.type("no such host")
    page.keyboard.press("Enter")
    page.get_by_text("0 of 300 rows").wait_for()
    page.wait_for_function("document.activeElement.matches('[role=grid]')")
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("button", name="Clear this filter").click()
    page.get_by_text("300 rows").wait_for()
    assert grid.model.view.filters == {}


def test_find_and_replace_counts_first_and_is_one_step(open_grid):
    grid, page = open_grid()
    cell(page, 1, "note").click()
    cell(page, 3, "note").click(modifiers=["Shift"])
    page.keyboard.press("Control+h")
    bar = page.get_by_role("search", name="Find and replace")
    bar.get_by_role("searchbox", name="Find").fill("(ORDER) (.)")
    bar.get_by_role("button", name="It is a regular expression").click()
    bar.get_by_role("searchbox", name="Replace with").fill("$2. $1")
    bar.get_by_text("in 3 rows: bought with order 1 → bought with 1. order").wait_for()
    bar.get_by_role("button", name="Capital letters").click()
    bar.get_by_text("nothing to replace").wait_for()
    bar.get_by_role("button", name="Capital letters").click()
    bar.get_by_role("button", name="Replace all that is counted").get_by_text("Replace in 3 cells").click()
    page.get_by_text("3 cells changed; Ctrl+Z takes it back.").wait_for()
    assert page.locator(".line.alert").count() == 0  # it went well
    assert edits(grid) == {(row, "note"): f"bought with {row}. ORDER".lower() for row in (1, 2, 3)}
    cell(page, 1, "note").click()
    page.keyboard.press("Control+z")
    page.wait_for_function("!document.querySelector('.body .changed')")
    bar.get_by_label("Where to replace").select_option("in note")
    bar.get_by_text("in 300 rows:").wait_for()
    bar.get_by_role("searchbox", name="Find").fill("(")
    bar.get_by_text("Regular expression is invalid").wait_for()
    bar.get_by_role("button", name="It is a regular expression").click()
    bar.get_by_role("searchbox", name="Find").fill("10.0.0.1")
    bar.get_by_label("Where to replace").select_option("in the table")
    bar.get_by_text("nothing to replace; 111 cells cannot be edited").wait_for()

    bar.get_by_role("searchbox", name="Find").fill("web00000")
    page.keyboard.press("Enter")  # finds the first below
    bar.get_by_text("3 of 10").wait_for()
    bar.get_by_role("searchbox", name="Replace with").fill("db")
    page.keyboard.press("Enter")  # replaces it, and finds the next
    becomes(cell(page, 3, "name"), "active")
    page.keyboard.press("Enter")
    becomes(cell(page, 4, "name"), "active")
    assert edits(grid) == {(2, "name"): "db2", (3, "name"): "db3"}
    bar.get_by_text("Replace in 8 cells").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_text("8 cells changed").wait_for()
    assert len(edits(grid)) == 10
    grid._on_sort(by=[["name", True]])  # which the page does not know yet
    bar.get_by_role("searchbox", name="Find").fill("web0000")
    bar.get_by_text("in 90 rows:").wait_for()
    page.keyboard.press("Escape")
    bar.wait_for(state="hidden")


def test_values_are_ticked_with_their_counts(open_grid):
    grid, page = open_grid(labels=Racks())
    cell(page, 0, "rack").click()
    page.keyboard.press("Alt+ArrowDown")
    menu = page.get_by_role("dialog", name="Column rack")
    values = menu.get_by_role("group", name="Only rows with these values of rack")
    values.get_by_text("R4").wait_for()
    assert values.locator("label").all_text_contents() == [f"R{n}60" for n in range(5)]
    menu.get_by_role("searchbox", name="Search the values of rack").fill("r1")
    values.get_by_text("R0").wait_for(state="detached")
    values.get_by_role("checkbox", name="R1").check()
    page.get_by_text("60 of 300 rows").wait_for()
    menu.get_by_role("searchbox", name="Search the values of rack").fill("")
    values.get_by_text("R0").wait_for()
    assert values.get_by_role("checkbox", name="R1").is_checked()
    values.get_by_role("checkbox", name="R1").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.get_by_text("120 of 300 rows").wait_for()
    assert grid.model.view.filters == {"rack": ("R1", "R2")}
    page.keyboard.press("Escape")
    cell(page, 0, "os").click()
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("checkbox", name="no value").check()
    page.get_by_text("40 of 300 rows").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("checkbox", name="no value").uncheck()
    page.get_by_text("120 of 300 rows").wait_for()


def test_what_is_selected_is_summed(open_grid):
    _, page = open_grid()
    cell(page, 0, "cores").click()
    cell(page, 3, "cores").click(modifiers=["Shift"])
    sums = page.get_by_role("status", name="Of the selection")
    sums.get_by_text("sum 10 · average 2.5 · min 1 · max 4 · 4 distinct · 4 of 4 cells filled").wait_for()
    page.keyboard.press("Delete")
    sums.get_by_text("0 distinct · 0 of 4 cells filled").wait_for()
    page.evaluate("navigator.clipboard.writeText('1\\n2,5')")
    page.keyboard.press("Control+v")
    sums.get_by_text("1 distinct · 4 of 4 cells filled, 2 invalid").wait_for()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+a")
    sums.get_by_text("sum 9,", exact=False).wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.sums').textContent === ''")


def test_axe_finds_nothing_in_what_opens(open_grid):
    _, page = open_grid(labels=Racks())

    cell(page, 1, "cores").click()
    cell(page, 2, "cores").click(modifiers=["Shift"])
    page.get_by_text("2 of 2 cells filled").wait_for()
    assert violations(page, ".sispy-grid") == []
    for key, opened in (
        ("Shift+F10", page.get_by_role("menu", name="Cells")),
        ("Alt+ArrowDown", page.get_by_role("checkbox").first),
        ("F1", page.get_by_role("dialog", name="Keys")),
        ("Control+h", page.get_by_role("search", name="Find and replace")),
    ):
        page.keyboard.press(key)
        opened.wait_for()
        assert (key, violations(page, ".sispy-grid")) == (key, [])
        page.keyboard.press("Escape")
        opened.wait_for(state="hidden")


def test_what_replaces_follows_the_rows_and_leaves_the_keys_to_the_cells(open_grid):
    grid, page = open_grid()
    bar = page.get_by_role("search", name="Find and replace")
    counts = page.locator(".toolbar .counts")
    cell(page, 1, "name").click()
    page.keyboard.press("Control+h")
    page.keyboard.type("web00000")
    bar.get_by_role("searchbox", name="Replace with").fill("db")
    button = bar.get_by_role("button", name="Replace all that is counted")
    button.get_by_text("Replace in 10 cells").wait_for()
    page.locator(".head .name").get_by_text("note").click()  # rows stand elsewhere by now
    cell(page, 1, "name").get_by_text("web000097", exact=True).wait_for()
    bar.get_by_text("in 10 rows:").wait_for()
    button.click()
    page.get_by_text("10 cells changed; Ctrl+Z takes it back.").wait_for()
    page.keyboard.press("Control+z")
    counts.get_by_text("300 rows", exact=True).wait_for()
    assert grid.model.edits == {}
    cell(page, 0, "note").click()
    page.keyboard.press("Control+h")
    scopes = bar.get_by_role("combobox", name="Where to replace").locator("option").all_text_contents()
    assert scopes == ["in the selection", "in note", "in the table"]
    cell(page, 0, "note").click()
    page.keyboard.press("Escape")
    bar.wait_for(state="hidden")
    page.get_by_role(
        "button", name="Redo"
    ).click()  # it can be pressed once, and then the cells have the focus
    counts.get_by_text("10 cells changed").wait_for()
    page.keyboard.press("Control+z")
    counts.get_by_text("300 rows", exact=True).wait_for()
    assert grid.model.edits == {}

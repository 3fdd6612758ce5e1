"""The grid in a browser, as a person uses it: the real JavaScript joined to the real Python object."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("anywidget")

from grid_page import Racks, becomes, cell, edits, selected
from sispy_pandas.values import records
from sispy_pandas.values.schema import Schema
from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets.grid import Grid
from sispy_pandas.widgets.grid_frame import joined
from sispy_pandas.widgets.grid_model import GridModel, Note


def test_every_type_has_its_editor_and_refused_input_stays_with_its_reason(open_grid):
    grid, page = open_grid(labels=Racks())
    cell(page, 2, "note").dblclick()
    page.locator(".editor").fill("moved")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "note"), "changed")

    cell(page, 2, "os").dblclick()
    options = ["no value", "debian13", "rhel9", "windows2025"]
    assert page.locator("[role=option]").all_text_contents() == options
    page.get_by_role("option", name="rhel9").click()
    becomes(cell(page, 2, "os"), "changed")

    cell(page, 2, "live").locator(".box").click()
    becomes(cell(page, 2, "live"), "changed")

    cell(page, 2, "cores").dblclick()
    page.locator(".editor").fill("256")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "cores"), "invalid")
    assert cell(page, 2, "cores").inner_text() == "256"
    assert cell(page, 2, "cores").get_attribute("aria-invalid") == "true"
    assert cell(page, 2, "cores").get_attribute("title").endswith("was: 3\nnow: 256")

    cell(page, 2, "bought").dblclick()
    page.locator(".editor[type=datetime-local]").fill("2026-11-23T08:30")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "bought"), "changed")
    assert cell(page, 2, "bought").inner_text() == "2026-11-23 08:30:00"

    cell(page, 2, "rack").get_by_text("R2", exact=True).wait_for()
    cell(page, 2, "rack").dblclick()
    page.locator(".editor").fill("r4")
    page.get_by_role("option", name="R4").wait_for()
    page.keyboard.press("Enter")
    cell(page, 2, "rack").get_by_text("R4", exact=True).wait_for()

    cell(page, 3, "rack").click()
    page.evaluate("navigator.clipboard.writeText('R1\\nR9')")
    page.keyboard.press("Control+v")
    cell(page, 3, "rack").get_by_text("R1", exact=True).wait_for()
    becomes(cell(page, 4, "rack"), "invalid")  # there is no such rack
    assert cell(page, 4, "rack").inner_text() == "R9"
    page.keyboard.press("Control+z")
    cell(page, 3, "rack").get_by_text("R3", exact=True).wait_for()

    cell(page, 2, "tags").dblclick()
    page.locator(".editor").fill('["db"]')
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "tags"), "changed")
    cell(page, 2, "extra").dblclick()
    page.locator(".editor").fill("{slot}")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "extra"), "invalid")

    cell(page, 2, "net.ip").dblclick()
    page.get_by_text("net.ip is read-only").wait_for()
    reason = edits(grid)[2, "cores"]
    assert "128" in reason
    assert edits(grid) == {
        (2, "note"): "moved",
        (2, "os"): "rhel9",
        (2, "live"): True,
        (2, "cores"): reason,
        (2, "bought"): "2026-11-23T08:30:00.000Z",
        (2, "rack"): f"{4:024x}",
        (2, "tags"): ["db"],
        (2, "extra"): "not JSON: Expecting property name enclosed in double quotes at character 2",
    }
    assert page.locator(".counts").first.text_content() == "300 rows8 cells changed2 invalid"


def test_what_is_typed_counts_not_an_older_suggestion(open_grid):
    grid, page = open_grid(labels=Racks())
    cell(page, 2, "rack").dblclick()
    page.locator(".editor").fill("R")
    page.get_by_role("option", name="R0").wait_for()
    slow = "send = window.__python, window.__python = (m) => m.type === 'complete' ? null : send(m)"
    page.evaluate(f"void ({slow})")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "rack"), "changed")
    assert edits(grid) == {(2, "rack"): f"{4:024x}"}


def test_enter_does_not_wait_but_what_was_typed_waits_for_its_look_up(open_grid):
    grid, page = open_grid(labels=Racks())
    slow = "(m) => setTimeout(send, m.type === 'complete' ? 600 : 0, m)"
    page.evaluate(f"void (send = window.__python, window.__python = {slow})")
    cell(page, 2, "rack").click()
    page.keyboard.type("3")  # a part of one name
    page.keyboard.press("Enter")
    page.keyboard.type("R")  # of five
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "rack"), "changed")
    page.locator(".line", has_text="no rack is called 'R'").wait_for()
    becomes(cell(page, 3, "rack"), "invalid")
    assert grid.model.value(2, "rack") == f"{3:024x}"


def test_a_name_typed_in_full_wins_over_those_that_hold_it(open_grid):
    labels: Any = Racks()
    labels.find = lambda schema, text: [(f"{4:024x}", "old R1"), (f"{1:024x}", "R1")]
    grid, page = open_grid(labels=labels)
    cell(page, 2, "rack").dblclick()
    page.locator(".editor").fill("r1")
    page.get_by_role("option", name="old R1").wait_for()
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "rack"), "changed")
    assert edits(grid) == {(2, "rack"): f"{1:024x}"}


def test_enter_says_why_what_was_typed_is_refused(open_grid):
    grid, page = open_grid(labels=Racks())
    cell(page, 2, "rack").click()
    page.keyboard.type("zz")
    page.keyboard.press("Enter")
    page.locator(".line", has_text="no rack is called 'zz'").wait_for()
    becomes(cell(page, 2, "rack"), "invalid")
    page.keyboard.type("r4")
    page.keyboard.press("Enter")
    becomes(cell(page, 3, "rack"), "changed")
    assert grid.model.value(3, "rack") == f"{4:024x}"


def test_the_list_of_an_enum_finds_text_anywhere_in_a_value(open_grid):
    grid, page = open_grid()
    cell(page, 2, "os").click()
    page.keyboard.type("n")
    assert page.locator("[role=option]").all_text_contents() == ["windows2025", "debian13"]
    page.keyboard.type("20")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type("L9")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "os"), "changed")
    assert grid.model.text(2, "os") == "rhel9"


def test_with_the_keyboard_alone(open_grid):
    grid, page = open_grid()
    press = page.keyboard.press
    cell(page, 0, "name").focus()
    for _ in range(3):
        press("ArrowRight")
    page.keyboard.type("12")  # typing opens the editor, on the column "cores"
    press("Tab")
    becomes(cell(page, 0, "cores"), "changed")
    assert cell(page, 0, "bought").evaluate("e => e === document.activeElement")
    press("ArrowLeft")
    press("Shift+ArrowDown")
    press("Shift+ArrowDown")
    press("Control+d")
    becomes(cell(page, 2, "cores"), "changed")
    assert edits(grid) == {(0, "cores"): 12, (1, "cores"): 12, (2, "cores"): 12}
    press("Control+z")
    press("Control+z")
    page.wait_for_function("!document.querySelector('.body .changed')")
    assert edits(grid) == {}
    press("Control+y")
    becomes(cell(page, 0, "cores"), "changed")

    press("Control+Home")
    press("End")
    assert page.evaluate("document.activeElement.getAttribute('aria-colindex')") == "12"
    page.set_viewport_size({"width": 700, "height": 640})
    press("End")
    page.wait_for_function("document.querySelector('.scroller').scrollLeft > 0")
    press("Home")  # the key stays in sight anyway, the other columns come back
    page.wait_for_function("document.querySelector('.scroller').scrollLeft === 0")
    page.set_viewport_size({"width": 1600, "height": 640})
    for _ in range(9):
        press("ArrowRight")
    press("F2")
    press("Control+a")
    page.keyboard.type('""')
    press("Enter")
    becomes(cell(page, 0, "note"), "changed")
    press("Delete")  # the row below
    becomes(cell(page, 1, "note"), "changed")
    assert (edits(grid)[0, "note"], edits(grid)[1, "note"]) == ("", None)
    press("Escape")
    press("F2")
    page.keyboard.type("thrown away")
    press("Escape")
    assert edits(grid)[1, "note"] is None

    press("Control+End")
    press("Alt+Insert")
    page.locator('.row.new [data-row="300"]').first.wait_for()
    page.keyboard.type("new host")
    press("Enter")
    becomes(cell(page, 300, "name"), "changed")
    press("Control+Home")
    press("ArrowDown")
    press("Control+Delete")
    page.locator('.row.deleted [data-row="1"]').first.wait_for()
    assert grid.model.deleted_ids == [f"{1:024x}"]
    frame = joined(grid.model)
    assert (len(frame), frame["name"].iloc[-1]) == (300, "new host")
    assert frame["note"].iloc[0] == ""

    press("Control+f")
    page.keyboard.type("web0002")
    press("Enter")
    page.get_by_text("1 of 100").wait_for()
    press("Enter")
    page.get_by_text("2 of 100").wait_for()
    assert cell(page, 201, "name").get_attribute("aria-selected") == "true"
    press("Escape")
    press("Alt+ArrowDown")
    page.keyboard.type("0001")
    press("Enter")
    page.get_by_text("112 of 301 rows").wait_for()
    assert (grid.model.view.filters, len(grid.model)) == ({"name": "0001"}, 112)


def test_blocks_come_from_and_go_to_spreadsheets(open_grid):
    grid, page = open_grid()
    cell(page, 3, "cores").click()
    text = '8\t2026-01-0{0}\t\t"[""a"",{1}""b""]"'
    block = "\r\n".join(text.format(n, " ") for n in (1, 2, 3)) + "\r\n"
    page.evaluate("text => navigator.clipboard.writeText(text)", block)
    page.keyboard.press("Control+v")
    becomes(cell(page, 5, "tags"), "changed")
    assert edits(grid) == {
        (row, path): value
        for row in (3, 4, 5)
        for path, value in {
            "cores": 8, "bought": f"2026-01-0{row - 2}T00:00:00.000Z", "rack": None, "tags": ["a", "b"],
        }.items()
    }  # fmt: skip
    assert page.locator(".body [aria-selected=true]").count() == 12
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(
        f'8\t2026-01-0{n}\t\t"[""a"", ""b""]"' for n in (1, 2, 3)
    )
    page.keyboard.press("Control+z")
    page.wait_for_function("!document.querySelector('.body .changed')")

    cell(page, 0, "cores").click()  # one value fills a selection
    cell(page, 9, "cores").click(modifiers=["Shift"])
    page.evaluate("navigator.clipboard.writeText('5')")
    page.keyboard.press("Control+v")
    becomes(cell(page, 9, "cores"), "changed")
    assert edits(grid) == {(row, "cores"): 5 for row in range(10) if row != 4}  # which held 5 already
    cell(page, 298, "note")
    page.keyboard.press("Control+End")
    page.evaluate("navigator.clipboard.writeText('a\\nb\\nc')")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+v")
    page.get_by_text("2 pasted rows did not fit below the last row: a new row takes them").wait_for()
    page.keyboard.press("Control+a")  # more than what is in sight: Python writes it
    page.keyboard.press("Control+c")
    page.wait_for_function("navigator.clipboard.readText().then(text => text.split('\\n').length === 300)")


def test_how_a_block_is_read_is_asked_in_a_sentence_for_each_type(open_grid):
    grid, page = open_grid()
    asked = page.get_by_role("group", name="How to read this")
    page.evaluate("navigator.clipboard.writeText('1,5\\t03.02.2026\\n50%\\t3 Feb 2026')")
    cell(page, 2, "cores").click()
    page.keyboard.press("Control+v")
    asked.wait_for()
    assert asked.inner_text().split("\n")[:-1] == [
        *("Read 50% as", "0.5", "50", "or", "leave it"),
        *("Read 03.02.2026 as", "2026-02-03", "2026-03-02", "or", "leave it"),
    ]
    asked.get_by_role("button", name="50", exact=True).click()
    becomes(cell(page, 3, "cores"), "changed")
    asked.get_by_role("button", name="2026-02-03").click()
    becomes(cell(page, 2, "bought"), "changed")
    asked.get_by_text("03.02.2026 is read as").wait_for()
    assert edits(grid) == {
        (2, "cores"): 1.5,
        (2, "bought"): "2026-02-03T00:00:00.000Z",
        (3, "cores"): 50,
        (3, "bought"): "2026-02-03T00:00:00.000Z",
    }
    pressed = asked.get_by_role("button", pressed=True)
    assert pressed.all_text_contents() == ["50", "2026-02-03"]
    page.keyboard.press("Control+z")
    asked.wait_for(state="hidden")
    assert grid.model.edits == {}


def test_what_is_typed_is_asked_about_like_a_block(open_grid):
    grid, page = open_grid()
    cell(page, 3, "cores").click()
    page.keyboard.type("50%")
    page.keyboard.press("Enter")
    page.locator(".line", has_text="'50%' may be 0.5 or 50: write it without %").wait_for()
    page.get_by_role("group", name="How to read 50%").get_by_role("button", name="50", exact=True).click()
    becomes(cell(page, 3, "cores"), "changed")
    assert edits(grid) == {(3, "cores"): 50}


def test_why_input_is_refused_names_its_cell_and_is_said_until_another_is_active(open_grid):
    _, page = open_grid()
    cell(page, 3, "cores").click()
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    refused = page.locator(".line.alert", has_text="Row 4, cores: 'many' is not a number")
    refused.wait_for()
    page.keyboard.press("ArrowRight")
    refused.wait_for(state="detached", timeout=1000)  # sooner than by itself
    page.locator(".line", has_text="bought").wait_for()


def test_a_block_pasted_into_a_new_row_brings_the_rows_that_it_needs(open_grid):
    grid, page = open_grid()
    page.get_by_role("button", name="Add a new row at the end").click()
    becomes(cell(page, 300, "name"), "active")
    page.evaluate("navigator.clipboard.writeText('a\\trhel9\\nb\\tdebian13\\nc\\trhel9')")
    page.keyboard.press("Control+v")
    cell(page, 302, "name").get_by_text("c", exact=True).wait_for()
    assert joined(grid.model)[["name", "os"]].iloc[300:].to_numpy().tolist() == [
        ["a", "rhel9"], ["b", "debian13"], ["c", "rhel9"],
    ]  # fmt: skip
    page.keyboard.press("Control+z")  # rows and cells are one step
    page.get_by_text("301 rows", exact=False).wait_for()
    assert len(grid.model) == 301
    cell(page, 300, "name").click()
    page.keyboard.press("End")
    page.keyboard.press("Control+v")
    page.get_by_text("1 pasted column did not fit").wait_for()


def test_rows_are_added_above_and_below_what_is_selected(open_grid):
    grid, page = open_grid()
    cell(page, 1, "os").click()
    page.keyboard.press("Insert")
    becomes(cell(page, 1, "name"), "active")
    assert page.evaluate("document.activeElement.getAttribute('aria-colindex')") == "1"
    page.keyboard.type("above")
    page.keyboard.press("Enter")
    becomes(cell(page, 1, "name"), "changed")
    cell(page, 2, "name").get_by_text("web000001", exact=True).wait_for()
    page.evaluate("navigator.clipboard.writeText('a\\trhel9\\nb\\tdebian13\\nc\\trhel9')")
    cell(page, 1, "name").click()
    page.keyboard.press("Control+v")  # a block brings the rows that it needs: none of the old ones is lost
    cell(page, 4, "name").get_by_text("web000001", exact=True).wait_for()
    assert joined(grid.model)["name"].iloc[300:].tolist() == ["a", "b", "c"]
    page.keyboard.press("Control+z")
    cell(page, 2, "name").get_by_text("web000001", exact=True).wait_for()
    page.locator('.gutter[data-row="3"]').click()
    page.locator('.gutter[data-row="4"]').click(modifiers=["Shift"])
    cell(page, 4, "os").click(button="right")
    page.get_by_role("menuitem", name="2 new rows below").click()
    cell(page, 7, "name").get_by_text("web000004", exact=True).wait_for()
    assert selected(page)[0] == (5, "name")
    assert {row for row, _ in selected(page)} == {5, 6}
    page.keyboard.press("Control+a")
    page.keyboard.press("Insert")
    page.wait_for_function("document.querySelector('.counts').textContent.startsWith('606 rows')")
    assert grid.model.order[:5].tolist() == [305, 306, 307, 308, 309]
    page.keyboard.press("Control+a")
    page.keyboard.press("Insert")
    page.keyboard.press("Control+a")
    page.keyboard.press("Insert")
    page.get_by_text("Nothing was added: as many rows are added as are selected, up to 1,000.").wait_for()


def test_one_row_is_not_called_rows(mount, host_schema, hosts):
    page = mount(Grid(GridModel(host_schema, hosts(1))))
    cell(page, 0, "note").click()
    page.keyboard.press("Delete")
    page.locator(".counts", has_text="1 row1 cell changed").wait_for()
    page.evaluate("navigator.clipboard.writeText('a\\nb')")
    page.keyboard.press("Control+v")
    page.get_by_text("1 pasted row did not fit below the last row").wait_for()


def test_rows_that_moved_meanwhile_are_not_edited(open_grid):
    grid, page = open_grid()
    cell(page, 2, "note").dblclick()
    page.locator(".editor").fill("mine")
    grid._on_sort(by=[["name", True]])  # which the page does not know yet
    page.keyboard.press("Enter")
    page.get_by_text("Nothing was changed: the rows or columns have moved meanwhile").wait_for()
    cell(page, 2, "name").get_by_text("web000297", exact=True).wait_for()
    assert edits(grid) == {}
    cell(page, 2, "note").dblclick()
    page.locator(".editor").fill("mine")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "note"), "changed")
    assert edits(grid) == {(297, "note"): "mine"}


def test_undo_leads_to_what_it_changed(open_grid):
    _, page = open_grid()
    cell(page, 3, "note").click()
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    becomes(cell(page, 3, "note"), "changed")
    page.keyboard.press("Control+End")
    page.get_by_text("web000299", exact=True).wait_for()
    page.keyboard.press("Control+z")
    becomes(cell(page, 3, "note"), "active")
    assert cell(page, 3, "note").evaluate("e => e === document.activeElement")
    assert cell(page, 3, "note").inner_text() == "bought with order 3"


def test_an_undo_that_comes_late_does_not_take_the_cell_away(open_grid):
    grid, page = open_grid()
    cell(page, 3, "note").click()
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    becomes(cell(page, 3, "note"), "changed")
    slow = "(m) => setTimeout(send, m.type === 'undo' ? 500 : 0, m)"
    page.evaluate(f"void (send = window.__python, window.__python = {slow})")
    page.keyboard.press("Control+z")
    cell(page, 6, "note").click()
    page.keyboard.type("begun")
    page.wait_for_function("!document.querySelector('.body .changed')")
    page.wait_for_timeout(100)
    page.keyboard.type(" and ended")
    page.keyboard.press("Enter")
    becomes(cell(page, 6, "note"), "changed")
    assert edits(grid) == {(6, "note"): "begun and ended"}


def test_the_enter_that_ends_a_composition_ends_no_edit(open_grid):
    grid, page = open_grid()
    cell(page, 3, "note").dblclick()
    page.locator(".editor").fill("\u65e5\u672c")
    composed = {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    page.locator(".editor").dispatch_event("keydown", composed)
    page.locator(".editor").fill("\u65e5\u672c\u8a9e")
    page.keyboard.press("Enter")
    becomes(cell(page, 3, "note"), "changed")
    assert edits(grid) == {(3, "note"): "\u65e5\u672c\u8a9e"}
    page.keyboard.press("Control+f")
    find = page.get_by_role("searchbox", name="Find")
    find.fill("web000005")
    find.dispatch_event("keydown", composed)
    page.wait_for_timeout(200)
    assert cell(page, 4, "note").get_attribute("class").endswith("corner")  # nothing was looked for
    find.press("Enter")
    becomes(cell(page, 5, "name"), "active")


def test_what_is_selected_looks_so_in_new_and_changed_rows_too(open_grid):
    _, page = open_grid()
    cell(page, 1, "name").click()
    page.keyboard.press("Insert")
    page.locator('.row.new [data-row="1"]').first.wait_for()
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    becomes(cell(page, 1, "name"), "changed")
    page.keyboard.press("Control+a")
    for row, name in ((1, "name"), (1, "os"), (2, "os")):
        becomes(cell(page, row, name), "selected")
        assert "gradient" in cell(page, row, name).evaluate("e => getComputedStyle(e).backgroundImage")


def test_whoever_leaves_an_edit_for_another_field_gets_there(open_grid):
    grid, page = open_grid()
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'other' }))")
    cell(page, 3, "note").dblclick()
    page.locator(".editor").fill("kept")
    page.locator("#other").click()
    page.keyboard.type("there")
    becomes(cell(page, 3, "note"), "changed")
    assert (edits(grid), page.locator("#other").input_value()) == ({(3, "note"): "kept"}, "there")


def test_typing_goes_on_up_and_down(open_grid):
    grid, page = open_grid()
    cell(page, 4, "cores").click()
    for text, key in (("11", "ArrowDown"), ("12", "Shift+Enter"), ("13", "ArrowUp")):
        page.keyboard.type(text)
        page.keyboard.press(key)
    becomes(cell(page, 3, "cores"), "active")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+d")  # one cell takes what is above it
    becomes(cell(page, 4, "bought"), "changed")
    assert edits(grid) == {
        (4, "cores"): 13, (5, "cores"): 12, (4, "bought"): "2013-03-04T00:00:00.000Z",
    }  # fmt: skip


def test_a_drag_beyond_the_edge_scrolls_and_selects_rows_in_the_gutter(open_grid):
    _, page = open_grid()
    box = page.locator(".scroller").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 45)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] + 30)
    selected = "[...document.querySelectorAll('.body .selected')].map(e => Number(e.dataset.row))"
    page.wait_for_function(f"Math.max(...{selected}) >= 60")
    page.mouse.up()
    count = "document.querySelectorAll('.body [role=rowheader]').length"
    assert page.evaluate(count) < 60  # rows out of sight are not drawn
    page.keyboard.press("Control+Home")
    page.get_by_text("web000001", exact=True).wait_for()
    handle = page.locator(".head [data-column='0'] .handle").bounding_box()
    page.mouse.dblclick(handle["x"] + 2, handle["y"] + 8)
    page.wait_for_function("document.querySelector('.body [data-column=\"0\"]').offsetWidth < 110")
    assert cell(page, 1, "name").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_kernel_that_does_not_answer_is_named(open_grid):
    _, page = open_grid()
    page.clock.install()
    cell(page, 1, "note").click()
    page.evaluate("void (window.__sent = window.__python, window.__python = () => {})")
    page.keyboard.press("Delete")
    page.clock.fast_forward(6_000)
    page.get_by_text(
        "The kernel does not answer: it is busy, or gone. What you edit now may be lost."
    ).wait_for()
    for state, told in (  # where the page knows its kernel it says which
        (
            {"status": "busy", "connectionStatus": "connected"},
            "The kernel is busy with something else: what you do",
        ),
        ({"status": "idle", "connectionStatus": "connected"}, "it has no grid like this any more"),
        (
            {"status": "unknown", "connectionStatus": "connecting"},
            "The page has lost its connection to the kernel.",
        ),
    ):
        page.evaluate("kernel => void (window.__manager.kernel = kernel)", state)
        page.clock.fast_forward(6_000)
        page.get_by_text(told).wait_for()
    page.evaluate("void (window.__python = window.__sent)")
    page.keyboard.press("Delete")
    page.get_by_text("The page has lost").wait_for(state="hidden")
    becomes(cell(page, 1, "note"), "changed")
    page.evaluate("void (window.__python = () => { throw new Error('Cannot send'); })")
    page.keyboard.press("Delete")
    page.get_by_text("Not kept: the kernel was stopped or started anew. Run the cell again.").wait_for()


def test_texts_of_all_kinds_are_texts(mount):
    """HTML is no markup, other scripts are whole; tables of one column and without rows are drawn."""
    schema = Schema(
        "s", (Field("<b>x</b>", "String", description="<img src=x onerror=alert(1)>"),), "_id", {}
    )
    texts = ["<img src=x onerror=alert(1)>", "مرحبا 12", "👩‍🚀 ünï", "a\nb", "x" * 5000]
    frame = records.frame_of(schema, {"<b>x</b>": texts}, [f"{n:024x}" for n in range(5)], [0] * 5)
    grid = Grid(GridModel(schema, frame))
    page = mount(grid)
    page.get_by_text("👩‍🚀 ünï", exact=True).wait_for()
    drawn = [page.locator(f'.body [data-row="{n}"][data-column="0"]').text_content() for n in range(5)]
    assert drawn == [*texts[:3], "a ⏎ b", "x" * 400 + "…"]
    assert page.locator(".sispy-grid :is(img, .name b)").count() == 0
    page.locator('.body [data-row="4"][data-column="0"]').dblclick()
    assert page.locator(".editor").input_value() == texts[4]
    page.keyboard.press("Escape")
    grid.show(GridModel(schema, frame.head(0)))
    page.flush()
    page.get_by_text("No rows to show.").wait_for()
    page.get_by_role("button", name="Add a new row at the end").click()
    page.locator('.row.new [data-row="0"][data-column="0"]').wait_for()
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    page.get_by_text("first", exact=True).wait_for()
    assert joined(grid.model)["<b>x</b>"].tolist() == ["first"]


def test_columns_are_sorted_filtered_and_resized(open_grid):
    grid, page = open_grid()
    page.get_by_text("cores", exact=True).click()
    page.get_by_text("cores", exact=True).click()
    cell(page, 0, "cores").get_by_text("64", exact=True).wait_for()
    assert page.locator("[aria-sort=descending]").inner_text().startswith("cores")
    page.get_by_role("button", name="Column menu of os").click()
    page.get_by_role("checkbox", name="rhel9").check()
    page.get_by_text("100 of 300 rows").wait_for()
    page.get_by_role("button", name="Column menu of cores").click()
    page.get_by_role("searchbox", name="Filter cores").fill(">many")
    page.keyboard.press("Enter")
    page.get_by_text("Left as it was").wait_for()
    page.get_by_role("button", name="Show all rows again").click()
    page.get_by_text("300 rows").wait_for()
    handle = page.locator(".head [data-column='0'] .handle").bounding_box()
    page.mouse.move(handle["x"] + 2, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(handle["x"] + 62, handle["y"] + 8)
    page.mouse.up()
    before = grid.columns[0]["width"]
    assert cell(page, 0, "name").bounding_box()["width"] == pytest.approx(before + 60, abs=2)
    page.locator(".scroller").evaluate("e => { e.scrollLeft = 400; }")
    page.wait_for_timeout(60)
    left = page.locator(".scroller").bounding_box()["x"]
    key = cell(page, 0, "name").bounding_box()
    assert key["x"] == pytest.approx(left + 58, abs=1)  # it stays in sight


def test_what_became_of_a_push_is_shown_in_the_cells(open_grid):
    grid, page = open_grid()
    grid.model.edit([(1, "note", "mine"), (2, "cores", "9")])
    grid.model.note(
        {
            1: {"note": Note("conflict", "changed by bob", "theirs", "bought with order 1")},
            2: {"cores": Note("failed", "HTTP 500")},
        }
    )
    grid.update()
    page.flush()
    becomes(cell(page, 1, "note"), "conflict")
    title = "changed by bob\nbase: bought with order 1\nmine: mine\ntheirs: theirs"
    assert cell(page, 1, "note").get_attribute("title") == title
    becomes(cell(page, 2, "cores"), "failed")
    assert cell(page, 2, "cores").get_attribute("title") == "HTTP 500\nwas: 3\nnow: 9"
    cell(page, 1, "note").click()
    page.get_by_text("note · changed by bob · base: bought with order 1").wait_for()


def test_it_is_a_grid_to_screen_readers(open_grid):
    _, page = open_grid()
    grid = page.get_by_role("grid", name="Hosts")
    assert (grid.get_attribute("aria-rowcount"), grid.get_attribute("aria-colcount")) == ("301", "12")
    assert page.locator(".row").first.get_attribute("aria-rowindex") == "2"
    assert page.locator(".body [tabindex='0']").count() == 1
    assert cell(page, 0, "net.ip").get_attribute("aria-readonly") == "true"
    assert page.locator("[role=columnheader]").count() == 12


def test_rows_that_cannot_be_written_and_duplicates_look_so(open_grid):
    grid, page = open_grid()
    grid.model.fixed, grid.model.kept = {1: "the row is immutable"}, {3: "the row is locked"}
    grid.refresh()
    page.flush()
    becomes(cell(page, 1, "note"), "readonly")
    rows = page.locator(".body .row")
    heads = [rows.nth(n).locator(".gutter").inner_text().strip() for n in range(4)]
    assert (heads, rows.nth(1).get_attribute("title")) == (["1", "⊘ 2", "3", "⊖ 4"], "the row is immutable")
    assert cell(page, 1, "note").get_attribute("aria-readonly") == "true"
    cell(page, 3, "note").click()
    page.get_by_text("note · the row is locked").wait_for()
    page.keyboard.press("Control+Delete")
    page.locator(".line.alert").get_by_text("the row is locked", exact=True).wait_for()
    page.keyboard.type("may be edited")
    page.keyboard.press("Enter")
    becomes(cell(page, 3, "note"), "changed")
    cell(page, 0, "name").click()
    page.keyboard.type("web000002")
    page.keyboard.press("Enter")
    becomes(cell(page, 0, "name"), "invalid")
    why = "another row has this value already, and it must be unique"
    page.locator(".line.alert").get_by_text(f"Row 1, name: {why}", exact=True).wait_for()
    assert (cell(page, 0, "name").get_attribute("title") or "").startswith(why)
    cell(page, 2, "name").click()
    page.keyboard.type("db2")
    page.keyboard.press("Enter")
    becomes(cell(page, 0, "name"), "changed")  # the name is free now


def test_a_page_that_takes_the_grid_away_for_a_moment_finds_it_drawn(open_grid):
    """JupyterLab does that with cells out of sight; drawn without a size the grid would stay almost empty."""
    _, page = open_grid()
    cell(page, 0, "note").wait_for()
    count = "document.querySelectorAll('.body .cell').length"
    before = page.evaluate(count)
    page.evaluate(
        """() => {
          const grid = document.querySelector(".sispy-grid"), home = grid.parentNode;
          document.querySelector(".scroller").dispatchEvent(new Event("scroll")); // draws in the next frame
          grid.remove();
          requestAnimationFrame(() => home.append(grid)); // before the page tells that its size has changed
        }"""
    )
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate(count) == before


def test_an_edit_sends_what_it_changed(open_grid):
    _, page = open_grid(labels=Racks())
    page.evaluate(
        "void (window.__kinds = [], send = window.__python, "
        "window.__python = m => { window.__kinds.push(m.type); return send(m); })"
    )
    cell(page, 2, "note").click()
    page.sent.clear()
    page.keyboard.type("moved")
    page.keyboard.press("Enter")
    becomes(cell(page, 2, "note"), "changed")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+z")
    page.get_by_text("bought with order 2", exact=True).wait_for()
    page.keyboard.press("Control+y")
    becomes(cell(page, 2, "note"), "changed")
    cell(page, 3, "rack").click()
    page.evaluate("navigator.clipboard.writeText('R0')")
    page.keyboard.press("Control+v")
    cell(page, 3, "rack").get_by_text("R0", exact=True).wait_for()
    becomes(cell(page, 3, "rack"), "changed")
    page.get_by_role("button", name="Add a new row at the end").click()
    cell(page, 300, "name").wait_for()
    page.keyboard.type("db1")
    page.keyboard.press("Enter")
    becomes(cell(page, 300, "name"), "changed")
    assert cell(page, 300, "name").inner_text() == "db1"
    kinds = page.evaluate("window.__kinds")
    assert [kind for kind in kinds if kind != "window"] == ["edit", "undo", "redo", "paste", "add", "edit"]
    assert kinds.count("window") == 2  # the rows around the new one, out of sight before
    small = sorted(page.sent)[:-2]
    assert max(small) < 600  # bytes
    assert sum(small) < 6_000


def test_a_hundred_thousand_rows(open_grid):
    _, page = open_grid(100_000)
    assert sum(page.sent) < 200_000  # bytes
    cell(page, 2, "note").click()
    for row in (30_003, 50_003, 80_003):
        before = len(page.sent)
        page.locator(".scroller").evaluate(f"e => {{ e.scrollTop = {row - 3} * 26; }}")
        page.get_by_text(f"web{row:06}", exact=True).wait_for()
        assert sum(page.sent[before:]) < 60_000  # bytes: the rows in sight and some around them
    cell(page, 80_003, "note").dblclick()
    page.locator(".editor").fill("far away")
    page.keyboard.press("Enter")
    becomes(cell(page, 80_003, "note"), "changed")

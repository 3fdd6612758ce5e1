"""The widgets with a real kernel and front end: a day's work in Voila, once JupyterLab and Notebook."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("anywidget")

from front_ends import BROWSE, LAB, NOTEBOOK, VOILA, run_all, until  # skipped before it is needed
from sispy.sandbox import Faults, Sandbox  # skipped before it is needed

EDIT = """
from functools import partial
from sispy_pandas.pushing import push
push.Limits = partial(sp.Limits, settle=0.1, settle_row=0.0)  # the server is broken on purpose, and near
editor = sp.FrameEditor(sp.fetch(client.entities("host"), progress=False))
editor
"""


@pytest.fixture
def sis():
    with Sandbox(samples=300) as sis:
        yield sis


def cell(page, row, name, grid=0):
    table = page.locator(".sispy-grid").nth(grid)
    table.locator(".row").first.wait_for()
    table.locator(".waiting").first.wait_for(state="detached")
    names = table.locator(".head .name").all_text_contents()
    column = next(i for i, text in enumerate(names) if text.removesuffix(" *") == name)
    return table.locator(f'.body [data-row="{row}"][data-column="{column}"]')


def becomes(locator, state):
    locator.and_(locator.page.locator(f".{state}")).wait_for()


def test_browse_edit_review_and_push(page, sis, opened):
    opened(*VOILA, BROWSE.format(url=sis.url, token=sis.token), EDIT)
    browse(page)
    edit(page)
    hosts = sis.client().entities("host")
    names = [cell(page, row, "name").inner_text() for row in range(4)]
    review_and_push(page, sis, hosts, names)
    by_keyboard(page, hosts, names)


def browse(page):
    search = page.get_by_placeholder("Search tables and fields")
    search.fill("memory")
    page.locator(".tables mark").get_by_text("memory").wait_for()
    search.press("Enter")
    page.get_by_role("button", name="References").click()
    page.get_by_role("button", name="rack → rack").click()
    page.get_by_role("button", name="host.rack").click()
    page.get_by_role("button", name="Rows", exact=True).click()
    page.get_by_label("Filter", exact=True).fill("status = live")
    page.get_by_label("Filter", exact=True).press("Enter")
    page.get_by_text("Conditions (1)").click()
    page.get_by_label("Value of condition 1").select_option("retired")
    page.get_by_text(re.compile(r"^\d+ rows match$")).wait_for()
    page.get_by_role("button", name="Fetch as").click()
    page.get_by_text("is a DataFrame of").wait_for()
    page.locator(".rows tbody button").first.click()
    page.locator(".drawer").get_by_role("button", name="History").click()
    page.locator(".drawer").get_by_text("created by").first.wait_for()
    page.locator(".drawer").get_by_role("button", name="Close the row").click()
    page.get_by_role("button", name="Users", exact=True).click()
    page.get_by_text("alice@example.com").wait_for()


def edit(page):
    """Edit one cell of each kind, by mouse and keyboard; paste a block and take it back."""
    cell(page, 0, "name").wait_for()
    cell(page, 0, "serial").dblclick()
    page.locator(".editor").fill("SN-TEST-1")
    page.keyboard.press("Enter")
    becomes(cell(page, 0, "serial"), "changed")
    other = "staging" if cell(page, 0, "environment").inner_text() != "staging" else "test"
    cell(page, 0, "environment").dblclick()
    page.get_by_role("option", name=other).click()
    becomes(cell(page, 0, "environment"), "changed")
    cell(page, 0, "virtual").locator(".box").click()
    becomes(cell(page, 0, "virtual"), "changed")
    cell(page, 1, "serial").click()
    page.evaluate("navigator.clipboard.writeText('a\\tb\\tc\\td\\ne\\tf\\tg\\th\\ni\\tj\\tk\\tl')")
    page.keyboard.press("Control+v")
    becomes(cell(page, 3, "hardware.model"), "changed")
    page.keyboard.press("Control+z")
    page.wait_for_function("document.querySelectorAll('.sispy-grid .body .cell.changed').length === 3")
    walk_to(page, "bought")
    page.keyboard.press("F2")
    page.locator(".editor[type=datetime-local]").fill("2026-11-23T08:30")
    page.keyboard.press("Tab")
    becomes(cell(page, 1, "bought"), "changed")
    walk_to(page, "hardware.cores")
    page.keyboard.type("77")
    page.keyboard.press("Enter")
    becomes(cell(page, 1, "hardware.cores"), "changed")


def walk_to(page, name, grid=0):
    """Go to a column, in the row where the focus is; those out of sight are not drawn."""
    names = page.locator(".sispy-grid").nth(grid).locator(".head .name").all_text_contents()
    page.keyboard.press("Home")
    for _ in range([text.removesuffix(" *") for text in names].index(name)):
        page.keyboard.press("ArrowRight")


def review_and_push(page, sis, hosts, names):
    """Reject one cell, meet a conflict and a failing server, decide, push again."""
    page.get_by_role("button", name="Review the changes").click()
    cell(page, 4, "send", grid=1).wait_for()
    virtual = cell(page, column_of(page, "field").index("virtual"), "send", grid=1)
    virtual.locator(".box").click()
    becomes(virtual, "changed")
    hosts.update(names[0], {"serial": "SN-THEIRS"})
    sis.faults = Faults(errors={"PUT *": (500, 1.0)})
    push = page.locator("button", has_text=re.compile(r"^\s*Push$"))
    push.click()
    becomes(cell(page, 1, "hardware.cores"), "failed")
    assert "injected fault" in cell(page, 1, "hardware.cores").get_attribute("title")
    sis.faults = Faults()

    outcomes = column_of(page, "outcome", rows=4)
    assert sorted(outcomes) == ["conflict", "failed", "failed", "failed"]
    cell(page, outcomes.index("conflict"), "keep", grid=1).dblclick()
    page.get_by_role("option", name="mine", exact=True).click()
    becomes(cell(page, outcomes.index("conflict"), "keep", grid=1), "changed")
    cores = cell(page, column_of(page, "field", rows=4).index("hardware.cores"), "send", grid=1)
    cores.locator(".box").click()
    becomes(cores, "changed")
    date = cell(page, column_of(page, "field", rows=4).index("bought"), "send", grid=1)
    date.locator(".box").click()
    becomes(date, "changed")
    push.click()
    page.get_by_text("done: 2").wait_for()
    stored = [hosts.get(name) for name in names[:2]]
    assert stored[0]["serial"] == "SN-TEST-1"
    assert (stored[1]["hardware"]["cores"], stored[1]["bought"]) == (77, "2026-11-23T08:30:00.000Z")


def by_keyboard(page, hosts, names):
    """Edit, take a value away, undo, reject a cell in the review and push, without a mouse."""
    press = page.keyboard.press
    before = hosts.get(names[0])["environment"]
    tab_to(page, "e.matches('.body .cell')")
    press("Control+Home")
    walk_to(page, "serial")
    page.keyboard.type("SN-KEYS")
    press("Enter")
    becomes(cell(page, 0, "serial"), "changed")
    press("Delete")
    becomes(cell(page, 1, "serial"), "changed")
    press("ArrowDown")
    press("F2")
    page.keyboard.type("a mistake")
    press("Enter")
    becomes(cell(page, 2, "serial"), "changed")
    press("Control+z")
    page.locator(".counts").first.get_by_text("4 cells changed").wait_for()
    tab_to(page, "e.textContent.trim() === 'Review the changes'")
    press("Enter")
    page.get_by_text("4 of 4 cells will be sent").wait_for()
    assert column_of(page, "field", rows=4) == ["environment", "virtual", "serial", "serial"]
    tab_to(page, "e.matches('.body .cell')")
    press("Space")
    page.get_by_text("3 of 4 cells will be sent").wait_for()
    tab_to(page, "e.textContent.trim() === 'Push'")
    press("Enter")
    page.get_by_text("done: 2").wait_for()
    stored = [hosts.get(name).to_dict() for name in names[:2]]
    assert [host.get("serial") for host in stored] == ["SN-KEYS", None]
    assert stored[0]["environment"] == before


def tab_to(page, condition):
    """Press Tab until the element with the focus, `e`, is the one."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"(e => {condition})(document.activeElement)"):
            return
    raise AssertionError(condition)


def column_of(page, name, rows=5):
    """The texts of one column of the review."""
    return [cell(page, row, name, grid=1).inner_text() for row in range(rows)]


REVIEW = """
import pandas as pd
import sispy, sispy_pandas as sp
hosts = sispy.Client("{url}", auth_token="{token}").entities("host")
live = sp.fetch(hosts, {{"limit": 2}}, progress=False)
frame = live.frame().astype(object).assign(notes="checked")
review = sp.PlanReview(live.diff(frame, delete=[live.ids[0]]))
asked = iter([False])
review._row.stop.is_set = lambda: next(asked, True)  # somebody clicks Cancel after the first chunk
review._row.push.click()
review.wait()
del review._row.stop.is_set
review
"""


def test_a_cancelled_push_is_resumed_and_undone_in_the_page(page, sis, opened):
    hosts = sis.client().entities("host")
    before = {row["name"]: row.get("notes") for row in hosts.fetch_page({"limit": 2})}
    opened(*VOILA, REVIEW.format(url=sis.url, token=sis.token))
    assert [cell(page, row, "outcome").inner_text() for row in range(2)] == ["unsent", "done"]
    becomes(cell(page, 0, "send").locator(".box"), "on")
    page.get_by_text("Cancelled. Rows not sent: 1. Resume goes on with it").wait_for()
    page.get_by_role("button", name="Resume the push").click()
    page.get_by_role("button", name="Resume the push").wait_for(state="hidden")
    assert len(hosts.fetch_page({"q": {"name": {"$in": list(before)}}})) == 1
    page.get_by_role("button", name="Undo this push").click()
    page.get_by_text("creates: 1").wait_for()
    page.locator("button:visible", has_text=re.compile(r"^\s*Push$")).click()
    page.get_by_text("undone: 2").wait_for()
    found = hosts.fetch_page({"q": {"name": {"$in": list(before)}}})
    assert {row["name"]: row.get("notes") for row in found} == before


@pytest.mark.parametrize(("application", "path"), [LAB, NOTEBOOK])
def test_the_editor_in_jupyter(page, sis, opened, application, path):
    opened(application, path, BROWSE.format(url=sis.url, token=sis.token), EDIT)
    run_all(page)
    page.get_by_placeholder("Search tables and fields").fill("rack")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="References").click()
    page.get_by_role("button", name="host.rack").click()
    page.get_by_role("heading", name="host", exact=True).wait_for()
    page.get_by_role("button", name="Rows", exact=True).click()
    page.locator(".rows tbody button").first.click()
    page.locator(".drawer").get_by_label("serial").fill("dd")
    cell(page, 0, "serial").dblclick()
    page.locator(".editor").fill("dd")  # two presses of d would delete the notebook's cell
    page.keyboard.press("Enter")
    page.keyboard.type("dd2")
    page.keyboard.press("Enter")
    becomes(cell(page, 1, "serial"), "changed")
    cell(page, 1, "serial").click(button="right")  # our menu, not the notebook's
    page.get_by_role("menuitem", name="Copy with headers").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text === 'serial\\ndd2')")
    assert page.locator(".lm-Menu").count() == 0
    assert page.locator(".jp-CodeCell").count() == 2


SLEEP = """
import time, ipywidgets
sleep = ipywidgets.Button(description="Sleep")
sleep.on_click(lambda _: time.sleep(8))
sleep
"""


def test_edits_outlive_their_kernel_and_a_busy_one_is_not_called_lost(page, sis, opened, served):
    opened(*VOILA, BROWSE.format(url=sis.url, token=sis.token), EDIT, SLEEP)
    _, folder = served("voila")
    cell(page, 0, "serial").click()
    page.get_by_role("button", name="Sleep").click()
    cell(page, 0, "serial").click()
    page.keyboard.type("S1")
    page.keyboard.press("Enter")
    page.get_by_text("The kernel is busy with something else: what you do here comes after it.").wait_for()
    becomes(cell(page, 0, "serial"), "changed")
    page.get_by_text("The kernel is busy").wait_for(state="hidden")
    pushes = folder / "state" / "sispy" / "pushes"

    def drafts():
        return [path for path in pushes.glob("*.draft") if sis.url in path.read_text()]

    until(drafts, 20, folder / "server.log")
    page.reload(wait_until="commit")  # Voila starts another kernel
    page.get_by_text(re.compile("Not pushed: 1 cell, edited less than a minute ago")).wait_for()
    cell(page, 0, "serial").and_(page.locator(":not(.changed)")).wait_for()
    page.get_by_role("button", name="Put them back").click()
    becomes(cell(page, 0, "serial"), "changed")
    assert cell(page, 0, "serial").inner_text() == "S1"
    page.get_by_role("button", name="Put them back").wait_for(state="hidden")
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    until(lambda: not drafts(), 20, folder / "server.log")

"""The browser in Chromium: its real JavaScript and style, joined to the real Python without a kernel."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("anywidget")

from browsed import hooked, many_tables  # skipped before it is needed
from front_ends import violations
from gate import Gate
from sispy.sandbox import Faults, Sandbox
from sispy_pandas.widgets.browser import SchemaBrowser
from sispy_pandas.widgets.drawn import view_class

DARK = """:root { --jp-layout-color1: #111; --jp-layout-color2: #212121; --jp-border-color2: #424242;
--jp-ui-font-color1: white; --jp-brand-color1: #64b5f6; color-scheme: dark }
body { background: #111; color: white }"""


@pytest.fixture(scope="module")
def sis():
    """Sample data, with a hook, a hiera entry, and a host that was changed."""
    with Sandbox(samples=120) as sis:
        hooked(sis.client())
        yield sis


@pytest.fixture
def browser(sis):
    browser = SchemaBrowser(sis.client())
    browser.wait()
    return browser


@pytest.fixture
def page(browser, stage):
    return stage(browser, browser.wait)


def click(page, name, within="main"):
    page.locator(within).get_by_role("button", name=name, exact=True).click()


def visit(page, browser, name, view):
    browser.visit(name, view)
    browser.wait()
    page.stage.flush()


def test_a_search_opens_a_table_and_its_text_and_focus_stay(page):
    search = page.get_by_label("Search tables and fields")
    search.press_sequentially("memory", delay=20)
    page.locator("mark", has_text="memory").first.wait_for()
    search.press_sequentially("_gb", delay=20)
    page.locator("mark", has_text="memory_gb").first.wait_for()
    assert (search.input_value(), search.evaluate("e => e === document.activeElement")) == ("memory_gb", True)
    search.press("Enter")
    page.get_by_role("heading", name="host").wait_for()
    page.locator("tr.hit", has_text="memory_gb").wait_for()


def test_the_line_and_the_conditions_find_rows_and_what_is_unfolded_stays_so(page):
    click(page, re.compile("^host"))
    click(page, "Rows")
    page.get_by_label("Filter").fill("status = live")
    page.get_by_label("Filter").press("Enter")
    page.get_by_text("Conditions (1)").click()
    page.get_by_label("Value of condition 1").select_option("retired")
    page.wait_for_function("document.querySelector('[aria-label=Filter]').value === 'status = retired'")
    click(page, "+ Add a condition")
    page.get_by_label("Field of condition 2").select_option("hardware.cores")
    page.get_by_label("Operator of condition 2").select_option("≥")
    page.get_by_label("Value of condition 2").fill("8")
    page.get_by_label("Value of condition 2").press("Enter")
    page.wait_for_function("document.querySelector('[aria-label=Filter]').value.includes('cores >= 8')")
    assert page.get_by_label("Operator of condition 2").is_visible()


def test_pages_turn_and_the_first_column_and_the_head_stay_in_sight(page, browser):
    visit(page, browser, "host", "rows")
    page.get_by_text("1 to 25").wait_for()
    click(page, "Next page")
    page.get_by_text("26 to 50").wait_for()
    table = page.get_by_role("region", name="Rows of host")
    table.evaluate("e => e.scrollTo(900, 300)")
    page.wait_for_timeout(50)
    key, first = table.get_by_role("rowheader").nth(12).bounding_box(), table.bounding_box()
    assert abs(key["x"] - first["x"]) < 3
    assert abs(table.get_by_role("columnheader").first.bounding_box()["y"] - first["y"]) < 3
    page.locator(".rows thead button", has_text="status").evaluate("e => e.click()")
    page.get_by_role("columnheader", name="status").and_(page.locator("[aria-sort=ascending]")).wait_for()
    assert table.evaluate("e => e.scrollLeft") == 900


def test_a_row_opens_is_followed_edited_and_reviewed(page, browser, sis):
    visit(page, browser, "host", "rows")
    page.locator(".rows tbody button").first.click()
    drawer = page.locator(".drawer")
    drawer.get_by_label("status", exact=True).select_option("retired")
    drawer.get_by_role("button", name="Review 1 changed field").wait_for()
    drawer.get_by_label("hardware.cores").fill("9999")
    drawer.get_by_label("hardware.cores").press("Tab")
    drawer.locator("[aria-invalid]").wait_for()
    drawer.get_by_label("hardware.cores").fill("16")
    other = {"ams1-r01": "fra1-r01"}.get(drawer.get_by_label("rack").input_value(), "ams1-r01")
    drawer.get_by_label("rack").fill(other[:4])
    page.locator("#sispy-offered option").first.wait_for(state="attached")
    drawer.get_by_label("rack").fill(other)
    drawer.get_by_label("rack").press("Tab")
    drawer.get_by_role("button", name="Review 3 changed fields").click()
    page.get_by_label("Changed cells").wait_for()
    drawer.get_by_role("button", name=re.compile("open the row|→")).first.click()
    drawer.get_by_role("heading", name=other).wait_for()
    click(page, "Back to the row before", ".drawer")
    drawer.get_by_role("heading", name=other).wait_for(state="detached")


def test_a_clone_begins_at_what_tells_it_from_the_other(page, browser, sis):
    visit(page, browser, "host", "rows")
    click(
        page, sis.client().entities("host").fetch_page({"limit": 1})[0]["name"], "[aria-label='Rows of host']"
    )
    page.get_by_label("locked").scroll_into_view_if_needed()
    click(page, "Clone as a new row")
    page.get_by_role("heading", name="New row of host").wait_for()
    name = page.locator(".drawer").get_by_label("name", exact=True)
    assert (name.evaluate("e => e === document.activeElement"), name.input_value()) == (True, "")
    place, form = name.bounding_box(), page.locator(".drawer .inner").bounding_box()
    assert form["y"] <= place["y"] <= form["y"] + form["height"] - place["height"]
    name.fill("clone")
    name.press("Tab")  # what is typed is told, and the focus goes on
    page.get_by_role("button", name="Review the new row").wait_for()
    assert not name.evaluate("e => e === document.activeElement")


def test_long_values_stay_in_their_columns(page, browser, sis):
    hosts = sis.client().entities("host")
    host = hosts.fetch_page({"limit": 1})[0]["_id"]
    for letter in "WM":
        hosts.update(host, {"notes": letter * 180})
    visit(page, browser, "host", "history")
    cells = page.get_by_role("region", name="Changes of host").locator("td", has_text="WWW")
    cells.first.wait_for()
    script = "all => all.map(e => [e.scrollWidth > e.clientWidth, getComputedStyle(e).overflowX])"
    assert cells.evaluate_all(script) == [[True, "hidden"], [True, "hidden"]]


def test_the_help_is_folded_again_for_another_table_and_leaves_the_rows_in_sight(page, browser):
    visit(page, browser, "host", "rows")
    page.get_by_text("What a filter can say").click()
    assert page.get_by_role("region", name="Examples").bounding_box()["height"] <= 182
    visit(page, browser, "rack", "rows")
    assert not page.get_by_role("region", name="Examples").is_visible()


def test_a_text_that_is_typed_is_not_overtaken_by_an_answer(page, browser, sis):
    visit(page, browser, "host", "rows")
    page.locator(".rows tbody button").first.click()
    rack = page.locator(".drawer").get_by_label("rack")
    rack.fill("")
    rack.press_sequentially("fra1-r02", delay=60)
    page.wait_for_timeout(400)
    assert rack.input_value() == "fra1-r02"


def test_what_is_ticked_and_chosen_is_not_taken_back_by_an_older_answer(stage):
    def written(text, ticked, chosen):
        options = "".join(f"<option {'selected' if one == chosen else ''}>{one}</option>" for one in "abc")
        box = f"<input type=checkbox aria-label=Tick data-act=do {'checked' if ticked else ''}>"
        return f"<p>{text}</p>{box}<select aria-label=Choose data-act=do>{options}</select>"

    view = view_class()({"do": lambda value: None})
    view.html = written("first", ticked=True, chosen="a")
    page = stage(view, lambda: None)
    tick, choice = page.get_by_label("Tick"), page.get_by_label("Choose")
    tick.uncheck()
    choice.select_option("b")
    seen = []
    for ticked, chosen in ((True, "a"), (False, "b"), (True, "c")):
        view.html = written(f"{ticked} {chosen}", ticked, chosen)
        page.stage.flush()
        page.get_by_text(f"{ticked} {chosen}").wait_for()
        seen.append((tick.is_checked(), choice.input_value()))
    assert seen == [(False, "b"), (False, "b"), (True, "c")]


def test_the_last_column_cannot_be_taken_away(page, browser):
    visit(page, browser, "rack", "rows")
    page.get_by_text("Columns", exact=True).click()
    boxes = page.locator(".columns:visible").get_by_role("checkbox")
    for box in boxes.all()[1:]:
        box.uncheck()
    assert [box.is_disabled() for box in boxes.all()] == [True, *[False] * (boxes.count() - 1)]
    boxes.nth(1).check()
    assert boxes.nth(0).is_enabled()


def test_the_picture_is_clicked_and_walked_through_by_keys(page, browser):
    click(page, "Map")
    svg = page.locator("svg")
    assert svg.get_by_role("button").count() == 4
    svg.get_by_role("button", name=re.compile("^service")).click()
    page.get_by_role("heading", name="service").wait_for()
    click(page, "References")
    page.locator("svg:visible").get_by_role("button", name=re.compile("^host")).focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="host").wait_for()


def test_the_focus_stays_with_what_was_pressed_or_goes_to_what_is_next_to_it(page, browser):
    def pressed(name, within="main"):
        button = page.locator(within).get_by_role("button", name=name, exact=True)
        button.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)  # for the answer
        return page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")

    visit(page, browser, "host", "rows")
    page.get_by_text("Conditions", exact=True).click()
    found = [pressed("+ Add a condition"), pressed("+ Add a condition"), pressed("Remove condition 2")]
    assert found == ["+ Add a condition", "+ Add a condition", "Remove condition 1"]
    assert [pressed("Next page") for _ in range(4)] == ["Next page"] * 3 + ["Previous page"]
    assert [pressed("name"), pressed("name ▲")] == ["name ▲", "name ▼"]
    row = page.locator("[aria-label='Rows of host'] tbody th button").first
    row.focus()
    page.keyboard.press("Enter")
    page.locator(".drawer .form").first.wait_for()
    count = page.get_by_role("button", name=re.compile("^Remove labels")).count()
    assert [pressed("Add to labels") for _ in range(2)] == ["Add to labels"] * 2
    assert page.get_by_role("button", name=re.compile("^Remove labels")).count() == count + 2
    row.focus()
    page.get_by_role("button", name="Close the row").focus()  # as somebody does who walks by Tab
    page.keyboard.press("Enter")
    page.locator(".drawer").wait_for(state="detached")
    assert row.evaluate("row => row === document.activeElement")


def test_foreign_text_is_no_markup(page, browser, sis):
    hosts = sis.client().entities("host")
    hostile = "<img src=x onerror=alert(1)>\"'\u202e"
    id_ = hosts.fetch_page({"limit": 1, "sort": "-name"})[0]["_id"]
    hosts.update(id_, {"notes": hostile})
    visit(page, browser, "host", "rows")
    browser._rows.ask(f"_id = {id_}")
    browser._open_row("host", id_)
    browser.wait()
    page.stage.flush()
    assert page.locator("img").count() == 0
    assert page.locator(".drawer").get_by_label("notes").input_value() == hostile
    assert "\u202e" not in page.locator(".rows").first.inner_text()


def test_a_page_drops_what_python_never_writes(page, browser):
    browser._top.view.html = "<p onclick='x()'>there<script>alert(1)</script><iframe></iframe></p>"
    page.stage.flush()
    there = page.get_by_text("there")
    assert there.evaluate("e => e.outerHTML") == "<p>there</p>"


def test_a_big_table_keeps_the_list_in_place_and_its_descriptions_readable(stage):
    with Sandbox() as sis:
        many_tables(sis.client())
        browser = SchemaBrowser(sis.client())
        browser.wait()
        page = stage(browser, browser.wait)
        page.get_by_label("Search tables and fields").wait_for()
        visit(page, browser, "t150", "fields")
        chosen = page.locator(".tables [aria-current]")
        assert chosen.inner_text().startswith("t150")
        box, around = chosen.bounding_box(), page.locator(".tables").bounding_box()
        assert around["y"] <= box["y"] <= around["y"] + around["height"] - box["height"] + 1
        assert page.get_by_text("and 492 more").first.is_visible()
        told = page.get_by_text("A long description").first.bounding_box()
        assert told["width"] > 250
        page.get_by_role("region", name="Fields of t150").evaluate("e => e.scrollTo(0, 9999)")
        assert page.get_by_label("Search tables and fields").is_visible()
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= 900
        click(page, "Map")
        assert page.locator("svg:visible").get_by_role("button").count() == 200


def test_a_slow_server_shows_that_it_works_and_one_that_goes_away_is_said(sis, browser, page):
    with Gate(sis, "GET /users") as gate:
        browser._open_tab("users")
        gate.wait()
        page.stage.flush()
        page.get_by_role("status").get_by_text("Loading").wait_for()
    browser.wait()
    page.stage.flush()
    page.get_by_text("alice@example.com").wait_for()
    sis.faults = Faults(errors={"GET *": (400, 1.0)})
    page.get_by_role("button", name="Reload").click()
    page.get_by_role("alert").get_by_text("injected fault").wait_for()
    sis.faults = Faults()
    assert page.get_by_text("alice@example.com").is_visible()  # what was read stays


@pytest.mark.parametrize("style", ["", DARK], ids=["light", "dark"])
def test_a_screen_reader_finds_its_way(browser, stage, sis, style, need):
    own = {"name": "common", "_sis": {"owner": ["web"]}}
    sis.client().hiera.update("common", {**own, "hieradata": {"ntp": [style]}})
    page = stage(browser, browser.wait, style=style)
    found = {}

    def look(where):
        found.update({f"{where}: {rule}": elements for rule, elements in violations(page)})

    look("start")
    for view in ("fields", "references", "history", "rows"):
        visit(page, browser, "host", view)
        look(view)
    browser._rows.ask("status = live and cores = x")
    page.stage.flush()
    look("refused")
    browser._rows.ask("status = live or name ~ ^web")
    browser.wait()
    page.stage.flush()
    for folded in page.locator("details:visible").all():
        folded.evaluate("e => { e.open = true; }")
    page.locator(".rows tbody button").first.click()
    page.locator(".drawer .form").first.wait_for()
    look("form")
    for name in ("JSON", "History"):
        click(page, name, ".drawer")
        look(name)
    for name in ("Map", "Hooks", "Users", "Hiera"):
        click(page, name)
        look(name)
    click(page, "History", ".sispy-view:has(table):visible")
    look("history of an entry")
    page.locator(".drawer:visible").get_by_role("button", name="Put this back").first.click()
    page.get_by_role("region", name="Effects").wait_for()
    look("plan of an entry")
    visit(page, browser, "host", "history")
    page.get_by_label("Field", exact=True).select_option("notes")
    page.get_by_role("button", name=re.compile("^Put (this cell|these [0-9,]+ cells) back$")).click()
    page.get_by_text("The plan is below").wait_for()
    look("plan of changes")
    assert found == {}


@pytest.mark.parametrize("width", [700, 1600])
def test_nothing_stands_out_of_the_page(browser, stage, width):
    page = stage(browser, browser.wait, width=width)
    for view in ("fields", "references", "history", "rows"):
        visit(page, browser, "host", view)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".rows tbody button").first.click()
    page.locator(".drawer .form").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    top = page.get_by_role("button", name="Close the row").bounding_box()["y"]
    assert 0 < top < 900  # in sight, beside the rows or below them
    listed = page.locator(".tables").bounding_box()
    shown = page.get_by_role("heading", name="host").bounding_box()
    assert (listed["x"] + listed["width"] < shown["x"]) == (width == 1600)


def test_rows_are_of_whole_pixels_so_that_no_line_between_them_is_lost(page, browser):
    visit(page, browser, "host", "rows")
    rows = page.locator("[aria-label='Rows of host'] tbody tr")
    heights = rows.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height % 1)")
    assert set(heights) == {0}


def test_in_voila_the_ground_is_that_of_the_page(browser, stage):
    page = stage(browser, browser.wait, style=":root { --jp-layout-color0: #111; --jp-layout-color1: #222 }")
    ground = "e => getComputedStyle(e).backgroundColor"
    view = page.locator(".sispy-view").first
    found = [view.evaluate(ground)]
    page.evaluate("document.body.dataset.voila = 'voila'")
    found.append(view.evaluate(ground))
    assert found == ["rgb(17, 17, 17)", "rgb(34, 34, 34)"]

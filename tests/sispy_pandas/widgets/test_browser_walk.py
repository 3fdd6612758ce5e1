"""Everything that the browser can, walked through with a real kernel in each front end."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytest.importorskip("anywidget")

from browsed import hooked, many_tables  # skipped before it is needed
from front_ends import BROWSE, LAB, NOTEBOOK, VOILA, run_all, violations
from gate import Gate
from sispy.sandbox import Faults, Sandbox


@pytest.fixture
def sandbox():
    """A server of 200 tables beside the samples, with a hook, an entry, and a past of a host."""
    with Sandbox(samples=120) as sis:
        client = sis.client()
        many_tables(client)
        name = hooked(client)
        yield sis, name


@pytest.mark.soak
@pytest.mark.parametrize(("application", "path"), [LAB, NOTEBOOK, VOILA])
def test_everything_that_the_browser_can(page, opened, sandbox, application, path):
    sis, host = sandbox
    page.set_viewport_size({"width": 1600, "height": 1200})
    with Gate(sis, "GET /schemas") as gate:
        opened(application, path, BROWSE.format(url=sis.url, token=sis.token))
        if application != "voila":
            run_all(page)
        gate.wait()
        browser = Walker(page)
        click_while_the_tables_load(browser)
    tables_and_their_fields(browser)
    filter_and_code(browser)
    rows_and_their_summaries(browser)
    row_as_a_form(browser, host)
    references_in_a_row(browser)
    history_of_a_row(browser, sis, host)
    changes_and_the_history_of_a_schema(browser, sis, host)
    pictures(browser)
    hiera_hooks_and_users(browser, sis)
    slow_and_gone(browser, sis)


class Walker:
    """Finds the parts of the browser, whatever else the front end has on its page."""

    def __init__(self, page):
        self.page = page
        self.all = page.locator(".widget-vbox").first
        self.drawer = self.all.locator(".drawer:visible")
        self.top = self.all.get_by_role("navigation", name="Parts of the server")
        self.views = self.all.get_by_role("navigation", name="Views of the table")
        self.filter = self.all.get_by_label("Filter", exact=True)

    def is_accessible(self):
        assert violations(self.page, ".widget-vbox") == []

    def tab(self, name):
        self.top.get_by_role("button", name=name, exact=True).click()

    def view(self, name):
        self.views.get_by_role("button", name=name, exact=True).click()

    def click(self, name):
        self.all.get_by_role("button", name=name, exact=True).click()

    def says(self, text):
        self.all.get_by_text(text).first.wait_for()

    def open_table(self, name):
        self.all.get_by_role("list", name="Tables").get_by_role("button", name=re.compile(f"^{name}")).click()
        self.all.get_by_role("heading", name=name, exact=True).wait_for()

    def ask(self, text):
        self.filter.fill(text)
        self.filter.press("Enter")

    def unfold(self, text):
        self.all.locator("summary:visible", has_text=text).click()

    def table(self, label):
        return self.all.get_by_role("region", name=label)

    def open_row(self, name):
        """Show a row of hosts."""
        self.ask(f"name = {name}")
        self.says("1 row matches")
        self.all.get_by_role("rowheader").get_by_role("button", name=name, exact=True).click()
        self.drawer.get_by_role("heading", name=name, exact=True).wait_for()

    def row_tab(self, name):
        views = self.drawer.get_by_role("navigation", name="Views of the row")
        views.get_by_role("button", name=name, exact=True).click()

    def fill(self, label, text):
        field = self.drawer.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Tab")

    def press(self, name):
        self.drawer.get_by_role("button", name=name, exact=True).click()


def click_while_the_tables_load(browser):
    browser.says("Loading the tables …")
    browser.tab("Users")
    browser.says("alice@example.com")
    browser.tab("Tables")
    browser.says("Loading the tables …")


def tables_and_their_fields(browser):
    listed = browser.all.get_by_role("list", name="Tables")
    listed.get_by_role("button", name=re.compile("^t199")).wait_for(state="attached")
    assert listed.get_by_role("button").count() == 204
    search = browser.all.get_by_label("Search tables and fields")
    search.press_sequentially("wide7", delay=30)
    browser.says("1 of 204 tables")
    search.press("Enter")
    browser.all.get_by_role("heading", name="t150", exact=True).wait_for()
    browser.all.locator("tr.hit", has_text="wide79").locator("mark", has_text="wide7").wait_for()
    browser.table("Fields of t150").get_by_text("and 492 more").first.wait_for()
    browser.table("Fields of t150").evaluate("e => e.scrollTo(0, 9999)")
    assert search.is_visible()
    browser.is_accessible()
    search.fill("")
    browser.open_table("host")
    browser.all.get_by_role("button", name="web", exact=True).first.click()
    browser.says("Users of the group web")
    browser.says("bob@example.com")
    browser.is_accessible()
    browser.click("Show all")
    browser.tab("Tables")


def filter_and_code(browser):
    browser.view("Rows")
    browser.ask("cores = x")
    browser.all.get_by_role("alert").first.wait_for()
    browser.is_accessible()
    browser.ask("(status = live or environment nin (production, test)) and name ~ ^[a-z]")
    browser.says(re.compile(r"^\d+ rows match$"))
    browser.unfold("Columns")
    for path in ("notes", "facts", "interfaces"):
        browser.all.get_by_role("checkbox", name=path, exact=True).uncheck()
    head = browser.all.get_by_role("columnheader")
    head.get_by_text("facts", exact=True).wait_for(state="detached")
    for arrow in ("▲", "▼"):
        head.get_by_role("button", name=re.compile("^hardware.cores")).click()
        head.get_by_role("button", name=f"hardware.cores {arrow}", exact=True).wait_for()
    browser.says(re.compile(r"^\d+ rows match$"))
    told = browser.all.get_by_text(re.compile(r"^\d+ rows match$")).inner_text()
    browser.unfold("The same as code")
    code = browser.all.locator("pre", has_text="import sispy").inner_text()
    code += "\nprint(len(frame), 'facts' in frame, frame['hardware.cores'].tolist())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    number, there, values = ran.split(maxsplit=2)
    cores = [int(one) for one in re.findall(r"\d+", values.replace(".0", ""))]
    assert (f"{number} rows match", there, cores) == (told, "False", sorted(cores, reverse=True))
    browser.is_accessible()
    browser.unfold("The same as code")
    browser.click("All columns")
    browser.unfold("Columns")
    browser.ask("status = live")
    browser.unfold("Conditions (1)")
    browser.all.get_by_label("Value of condition 1").select_option("retired")
    browser.page.wait_for_function(
        "[...document.querySelectorAll('[aria-label=Filter]')].some(e => e.value === 'status = retired')"
    )
    browser.click("Remove condition 1")
    browser.unfold("Conditions")


def rows_and_their_summaries(browser):
    browser.says("1 to 25")
    browser.click("Next page")
    browser.says("26 to 50")
    browser.unfold("Summary of these 25 rows")
    summary = browser.all.get_by_role("region", name="Summary of these 25 rows")
    for title in ("Missing", "Distinct", "Most frequent", "Range"):
        summary.get_by_role("columnheader", name=title, exact=True).wait_for()
    browser.is_accessible()
    browser.unfold("Summary of these 25 rows")


def row_as_a_form(browser, host):
    browser.open_row(host)
    drawer = browser.drawer
    drawer.get_by_label("interfaces 1 name", exact=True).wait_for()
    count = drawer.get_by_role("button", name=re.compile("^Remove interfaces")).count()
    browser.press("Add to interfaces")
    browser.fill(f"interfaces {count + 1} name", "eth7")
    browser.press("Remove interfaces 1")
    browser.press("Add to labels")
    browser.press("Add to tags")
    browser.fill("tags 1", "seen")
    browser.fill("hardware.cores", "9999")
    drawer.locator("[aria-invalid=true]").wait_for()
    browser.fill("hardware.cores", "16")
    drawer.locator("[aria-invalid=true]").wait_for(state="detached")
    drawer.get_by_label("locked", exact=True).select_option("true")
    browser.press("Review 4 changed fields")
    browser.says("4 of 4 cells will be sent")
    browser.is_accessible()
    browser.row_tab("JSON")
    drawer.get_by_role("region", name="JSON").get_by_text('"hardware": {').wait_for()
    browser.is_accessible()
    browser.row_tab("Form")
    browser.press("Discard")
    browser.press("Clone as a new row")
    drawer.get_by_role("heading", name="New row of host").wait_for()
    browser.fill("name", "walked-1")
    browser.press("Review the new row")
    browser.says("creates: 1")
    browser.press("Close the row")


def references_in_a_row(browser):
    browser.ask("virtual = false")
    browser.says(re.compile(r"^\d+ rows match$"))
    browser.all.get_by_role("rowheader").get_by_role("button").first.click()
    drawer = browser.drawer
    rack = drawer.get_by_label("rack", exact=True)
    rack.wait_for()
    other = next(name for name in ("ams1-r01", "fra1-r01") if name != rack.input_value())
    rack.fill("")
    rack.press_sequentially(other[:4], delay=30)
    drawer.locator(f"datalist option[value='{other}']").wait_for(state="attached")
    rack.fill(other)
    rack.press("Tab")
    drawer.get_by_role("button", name="Review 1 changed field", exact=True).wait_for()
    drawer.get_by_text("→", exact=True).first.click()
    drawer.get_by_role("heading", name=other, exact=True).wait_for()
    browser.press("Back to the row before")
    drawer.get_by_role("button", name="Review 1 changed field", exact=True).wait_for()
    browser.press("Discard")
    drawer.get_by_title(re.compile("^Users of ")).first.click()
    browser.says("Users of the group")
    browser.click("Show all")
    browser.tab("Tables")
    browser.press("Close the row")


def history_of_a_row(browser, sis, host):
    hosts = sis.client().entities("host")
    browser.open_row(host)
    browser.row_tab("History")
    versions = browser.drawer.get_by_role("region", name="Versions")
    versions.locator("ins", has_text="moved").first.wait_for()  # cut, and whole
    browser.is_accessible()
    versions.get_by_role("button", name="Take this change back").first.click()
    browser.says("2 of 2 cells will be sent")
    browser.all.locator("button:visible", has_text=re.compile(r"^\s*Push$")).click()
    browser.says("done: 1")
    assert hosts.get(host).to_dict().get("notes") != "moved"
    versions.locator("del", has_text="moved").wait_for()
    browser.press("Close the row")
    hosts.update(host, {"notes": "moved", "price": 1})


def changes_and_the_history_of_a_schema(browser, sis, host):
    schema = sis.client().schemas.get("t001").to_dict()
    changed = {**schema, "definition": {**schema["definition"], "more": "String"}}
    sis.client().schemas.update("t001", {name: changed[name] for name in ("name", "definition", "_sis")})
    browser.view("History")
    browser.all.get_by_label("Since").fill("2026-01-01")
    browser.all.get_by_label("Since").press("Enter")
    changes = browser.table("Changes of host")
    changes.get_by_role("button", name=host, exact=True).first.wait_for()
    browser.is_accessible()
    browser.all.get_by_label("Field", exact=True).select_option("notes")
    browser.all.get_by_role("button", name=re.compile(r"^Put these \d+ cells back$")).click()
    browser.says(re.compile(r"\d+ of \d+ cells? will be sent"))
    browser.says(re.compile(r"^left as it is: \d+ new or deleted rows, of which only some fields are meant$"))
    browser.open_table("t001")
    definition = browser.all.get_by_role("region", name="Versions")
    definition.get_by_text("definition.more").wait_for()
    definition.get_by_role("button", name="Put this back").first.click()
    browser.says("What the definition before this commit would do to today's rows")
    browser.is_accessible()
    browser.click("Change the definition")
    browser.says("The definition of t001 is changed.")
    assert "more" not in sis.client().schemas.get("t001")["definition"]


def pictures(browser):
    browser.tab("Map")
    drawn = browser.all.locator("svg:visible")
    drawn.get_by_role("button", name=re.compile("^t199")).wait_for()
    assert drawn.get_by_role("button").count() == 204
    browser.is_accessible()
    drawn.get_by_role("button", name=re.compile("^service")).click()
    browser.all.get_by_role("heading", name="service", exact=True).wait_for()
    browser.view("References")
    browser.is_accessible()
    drawn.get_by_role("button", name=re.compile("^host")).focus()
    browser.page.keyboard.press("Enter")
    browser.all.get_by_role("heading", name="host", exact=True).wait_for()


def hiera_hooks_and_users(browser, sis):
    client, own = sis.client(), {"_sis": {"owner": ["web"]}}
    client.hiera.update("common", {"name": "common", "hieradata": {"ntp": ["c"], "more": 1}, **own})
    hook = {"name": "tell", "entity_type": "host", "events": ["insert"], **own}
    client.hooks.update("tell", {**hook, "target": {"url": "http://i.example/", "action": "PUT"}})
    browser.tab("Hooks")
    browser.says("http://i.example/")
    put_back_what_was(browser, "tell", "target.action")
    browser.says("http://h.example/")
    browser.tab("Hiera")
    browser.says(re.compile("^2 keys$"))
    browser.is_accessible()
    put_back_what_was(browser, "common", "hieradata.more")
    browser.says(re.compile("^1 key$"))
    assert client.hiera.get("common").to_dict() == {"common": {"ntp": ["a", "b"]}}


def put_back_what_was(browser, name, path):
    browser.all.locator("button:visible", has_text=re.compile("^History$")).click()
    browser.all.get_by_role("heading", name=f"History of {name}").wait_for()
    versions = browser.all.locator("[aria-label=Versions]:visible")
    versions.get_by_role("rowheader", name=path, exact=True).wait_for()
    versions.get_by_role("button", name="Put this back").first.click()
    effects = browser.all.locator("[aria-label=Effects]:visible")
    effects.get_by_text(path, exact=True).wait_for()
    browser.is_accessible()
    browser.click("Put it back")
    browser.says(f"{name} is put back.")
    browser.click("Close the history")


def slow_and_gone(browser, sis):
    with Gate(sis, "GET /users") as gate:
        browser.tab("Users")
        browser.click("↻ Reload")
        gate.wait()
        browser.all.get_by_role("status").get_by_text("Loading").wait_for()
        browser.tab("Hooks")
        browser.says("http://h.example/")
    browser.tab("Users")
    browser.says("alice@example.com")
    sis.faults = Faults(drop_before={"*": 1.0})
    browser.click("↻ Reload")
    browser.all.get_by_role("alert").first.wait_for()
    browser.is_accessible()
    assert browser.all.get_by_text("alice@example.com").is_visible()  # what was read stays
    sis.faults = Faults()
    browser.click("↻ Reload")
    browser.all.locator("[role=alert]:visible").first.wait_for(state="detached")
    browser.tab("Tables")
    browser.view("Rows")
    browser.says(re.compile(r"^\d+ rows match$"))

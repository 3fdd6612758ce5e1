"""The schema browser without a page: what its widgets hold after what a user does."""

from __future__ import annotations

import threading
import time
from html import unescape

import pytest

import sispy
import sispy_pandas as sp
from gate import Gate
from sispy.sandbox import Sandbox
from sispy_pandas.widgets.background import Background
from sispy_pandas.widgets.browser import SchemaBrowser

RACK = {"name": {"type": "String", "required": True, "unique": True}}
HOST = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "spare"]},
    "cores": {"type": "Number", "min": 1, "max": 64},
    "rack": {"type": "ObjectId", "ref": "rack"},
    "os": {"name": "String", "version": "String"},
}


@pytest.fixture(scope="module")
def client():
    """A server with hosts in racks."""
    with Sandbox() as sis:
        client = sis.client()
        for name, definition in (("rack", RACK), ("host", HOST)):
            content = {"name": name, "_sis": {"owner": ["ops"]}, "definition": definition, "id_field": "name"}
            client.schemas.create({**content, "locked_fields": ["name"]})
        rack = client.entities("rack").create({"name": "R1"})
        hosts = [
            {"name": f"<web{n}>", "status": ("live", "spare")[n % 2], "cores": n + 1, "rack": rack["_id"]}
            for n in range(6)
        ]
        client.entities("host").create(hosts)
        yield client


@pytest.fixture
def browser(client):
    browser = SchemaBrowser(client)
    browser.wait()
    return browser


def test_schemas_are_listed_with_counts_and_owners_and_searched_by_field(browser):
    assert browser._list.options == (("host (6) · ops", "host"), ("rack (1) · ops", "rack"))
    browser._search.value = "CORES"
    assert browser._list.options == (("host (6) · ops", "host"),)


def test_enter_opens_the_first_hit_and_names_come_before_fields(browser):
    browser._search.value = " RACK"
    assert [name for _, name in browser._list.options] == ["rack", "host"]  # which has a field of this name
    browser._search._handle_custom_msg({"event": "submit"}, [])
    assert browser.schema.name == "rack"
    browser._search.value = "nothing"
    browser._search._handle_custom_msg({"event": "submit"}, [])
    assert browser.schema.name == "rack"


def test_a_definition_is_a_tree_with_its_rules(browser):
    browser._list.value = "host"
    html = browser._pane._definition.value
    for shown in ("locked", "one of live, spare", "1 to 64", "ObjectId → <b>rack</b>", ">nested<", "version"):
        assert shown in html
    assert browser.schema.name == "host"


def test_references_lead_to_the_other_schema_and_back(browser):
    browser.visit("host")
    (link,) = browser._pane._links.children
    assert link.description == "rack → rack"
    link.click()
    assert browser.schema.name == "rack"
    (link,) = browser._pane._links.children
    assert link.description == "host.rack → here"
    browser._pane._back.click()
    assert (browser.schema.name, browser._pane._back.disabled) == ("host", True)


def test_a_filter_is_counted_and_fetched_into_a_variable(browser, monkeypatch):
    namespace = {}
    monkeypatch.setattr("sispy_pandas.widgets.schema_pane._user_namespace", lambda: namespace)
    browser.visit("host")
    builder = browser._pane.builder
    builder.add("status", "is", "live")
    builder.add("cores", "≥", "3")
    browser.wait()
    assert browser.query == {"q": {"status": "live", "cores": {"$gte": 3}}}
    assert browser._pane._count.value == "<b>2</b> rows match"
    assert "sispy export host 'status = live and cores >= 3' -o host.csv" in browser._pane._code.value
    browser._pane._actions.variable.value = "live"
    browser._pane._actions.fetch.click()
    browser.wait()
    assert namespace["live"]["name"].tolist() == ["<web2>", "<web4>"]
    assert len(browser.snapshot) == 2
    assert "2 rows" in browser._pane._actions._message.value


@pytest.mark.parametrize("name", ["hosts.csv", "hosts.xlsx"])
def test_matches_are_exported(browser, tmp_path, name):
    browser.visit("host")
    browser._pane._actions.path.value = str(tmp_path / name)
    browser._pane._actions.export.click()
    browser.wait()
    read = sp.read_csv if name.endswith("csv") else sp.read_excel
    assert read(tmp_path / name, browser.schema)["name"].tolist() == [f"<web{n}>" for n in range(6)]


def test_a_value_of_another_type_is_said_and_the_query_stays(browser):
    browser.visit("host")
    browser._pane.builder.add("cores", "is", "many")
    browser.wait()
    assert (browser.query, "many" in browser._pane._count.value) == ({}, True)


def test_a_value_that_no_row_has_is_said_when_it_is_counted(browser):
    browser.visit("host")
    browser._pane.builder.add("status", "is one of", "live,spar")
    browser.wait()
    said = "'status': no row has 'spar', and the definition does not list it; did you mean 'spare'?"
    assert (browser._pane._count.value, said in unescape(browser._pane._error.value)) == ("", True)
    browser._pane._actions.fetch.click()
    browser.wait()
    assert browser.snapshot is None


def test_rows_users_and_the_static_view_are_escaped(browser):
    browser.visit("host")
    browser.wait()
    assert "&lt;web0&gt;" in browser._pane._rows.value
    browser._tabs.selected_index = 3
    browser.wait()
    assert "<b>root</b>" in browser._others["users"].value
    bundle = browser._repr_mimebundle_()
    assert "<b>host</b>" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_server_that_is_not_there_is_said_in_words():
    browser = SchemaBrowser(sispy.Client("http://127.0.0.1:9", retries=0))
    browser.wait()
    assert "127.0.0.1:9" in browser._message.value
    assert browser._reload.description == "Reload"


def test_a_slow_server_does_not_hold_up_the_page_and_can_be_cancelled(client):
    with Sandbox() as slow:
        with Gate(slow, "*") as gate:
            browser = SchemaBrowser(sispy.Client(slow.url))
            gate.wait()
            assert browser._reload.description == "Loading … click to cancel"
            browser._reload.click()
            assert (browser._reload.description, browser._list.options) == ("Reload", ())
        browser.wait()
        assert browser._list.options == ()


def test_only_the_last_job_counts_and_a_cancelled_one_says_nothing():
    said, busy, results = [], [], []
    work = Background(busy=busy.append, say=said.append)
    gate = threading.Event()
    work.start(lambda _: gate.wait(5), results.append)
    first = work._thread
    work.start(lambda _: 2, results.append)
    work.wait()
    gate.set()
    first.join()
    assert (results, said, busy) == ([2], ["", ""], [True, False, True, False])
    work.start(lambda job: [job.check() or time.sleep(0.01) for _ in range(500)], results.append)
    work.cancel()
    work.wait()
    assert (results, said[-1], busy[-1]) == ([2], "", False)

"""The browser without a page: what its panels show after what a user does."""

from __future__ import annotations

import re
import sys
import threading
import time
from html import unescape

import pytest

pytest.importorskip("anywidget")

import sispy  # skipped before it is needed
import sispy_pandas as sp
from gate import Gate
from sispy.sandbox import Faults, Sandbox
from sispy_pandas.widgets.background import Background
from sispy_pandas.widgets.browser import SchemaBrowser

RACK = {"name": {"type": "String", "required": True, "unique": True}}
HOST = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "spare"]},
    "cores": {"type": "Number", "min": 1, "max": 64, "description": "of all <sockets>"},
    "rack": {"type": "ObjectId", "ref": "rack"},
    "os": {"name": "String", "version": "String"},
    "tags": ["String"],
    "disks": [{"dev": "String", "gb": "Number", "twin": {"type": "ObjectId", "ref": "rack"}}],
}


@pytest.fixture
def sis(tmp_path, monkeypatch):
    """A server with 60 hosts in racks."""
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    with Sandbox() as sis:
        client = sis.client()
        for name, definition in (("rack", RACK), ("host", HOST)):
            content = {"name": name, "_sis": {"owner": ["ops"]}, "definition": definition, "id_field": "name"}
            client.schemas.create({**content, "locked_fields": ["name"]})
        racks = [client.entities("rack").create({"name": f"R{n}"}) for n in range(2)]
        hosts = [
            {
                "name": f"<web{n:02}>",
                "status": ("live", "spare")[n % 2],
                "cores": n + 1,
                "rack": racks[n % 2]["_id"],
            }
            for n in range(60)
        ]
        client.entities("host").create(hosts)
        yield sis


@pytest.fixture
def browser(sis):
    browser = SchemaBrowser(sis.client())
    browser.wait()
    return browser


def act(panel, name, /, **said):
    """Do what the page does when somebody clicks or types."""
    panel.view._receive(panel.view, {"act": name, **said}, [])


def text(panel):
    """What a panel shows, without markup."""
    return unescape(re.sub(r"<[^>]+>", " ", panel.view.html))


def keys(browser):
    """The names of the rows that are shown."""
    cells = re.findall(r'<th scope="row">(.*?)</th>', browser._rows.view.html)
    return [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in cells]


# The list


def test_tables_are_listed_with_counts_and_owners_and_found_by_field_with_marks(browser):
    assert [hit.name for hit in browser._list.hits()] == ["host", "rack"]
    assert "60 rows · ops" in text(browser._list)
    act(browser._list, "search", value="CORES")
    assert [(hit.name, hit.fields) for hit in browser._list.hits()] == [("host", ("cores",))]
    assert "<mark>cores</mark>" in browser._list.view.html
    act(browser._list, "visit", name="host")
    assert '<tr class="hit">' in browser._table.view.html


def test_enter_opens_the_first_hit_and_names_come_before_fields(browser):
    act(browser._list, "first", value=" RACK")
    assert [hit.name for hit in browser._list.hits()] == ["rack", "host"]  # which has a field of this name
    assert browser.schema.name == "rack"
    act(browser._list, "first", value="nothing")
    assert browser.schema.name == "rack"
    act(browser._list, "search", value="nothing")
    assert "Nothing is called so." in text(browser._list)


def test_a_table_that_is_not_there_is_refused_by_name(browser):
    with pytest.raises(ValueError, match="no schema 'hots' was loaded; there are host, rack"):
        browser.visit("hots")
    with pytest.raises(ValueError, match="views fields, rows, references, history, got 'form'"):
        browser.visit("host", "form")


def test_a_table_can_be_shown_first(sis):
    browser = SchemaBrowser(sis.client(), table="host", view="rows")
    browser.wait()
    browser.wait()  # for the rows, which are read once the tables are
    assert (browser.schema.name, len(keys(browser))) == ("host", 25)
    browser = SchemaBrowser(sis.client(), table="hots")
    browser.wait()
    assert (browser.schema, "The server has no table 'hots'." in text(browser._list)) == (None, True)


# Faults: each part has work and errors of its own


def test_a_tab_that_is_clicked_while_tables_load_does_not_stop_them(sis):
    with Gate(sis, "GET /schemas") as gate:
        browser = SchemaBrowser(sis.client())
        gate.wait()
        for tab in ("users", "hooks", "hiera", "users"):
            act(browser._top, "tab", name=tab)
        assert "Loading the tables" in text(browser._list)
    browser.wait()
    assert [hit.name for hit in browser._list.hits()] == ["host", "rack"]
    assert [
        "root" in text(browser._objects["users"]),
        "There are none." in text(browser._objects["hooks"]),
    ] == [
        True,
        True,
    ]


def test_an_error_of_a_tab_is_said_in_it_and_reload_reads_the_tab_in_sight(sis, browser):
    sis.faults = Faults(errors={"GET /users": (400, 1.0)})
    act(browser._top, "tab", name="users")
    browser.wait()
    users = browser._objects["users"]
    assert ("injected fault" in text(users), "Loading" in text(users)) == (True, False)
    sis.faults = Faults()
    seen = len(sis.requests)
    act(browser._top, "reload")
    browser.wait()
    assert ("root" in text(users), "injected" in text(users)) == (True, False)
    assert {one.path for one in sis.requests[seen:]} == {"/users"}


def test_what_nobody_expected_is_said_too(browser, monkeypatch):
    def broken(_):
        raise KeyError("x")

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(browser._objects["hooks"], "_take", broken)
    act(browser._top, "tab", name="hooks")
    browser.wait()
    assert "KeyError: 'x'" in text(browser._objects["hooks"])


def test_documents_of_another_form_are_said_and_nothing_hangs(browser):
    users = browser._objects["users"]
    act(browser._top, "tab", name="users")
    browser.wait()
    users._take(([{"name": "odd", "roles": ["web"]}], 1))
    assert (
        text(users).strip() == "What the server gave cannot be shown: 'list' object has no attribute 'items'"
    )


def test_a_filter_of_a_field_that_is_gone_is_refused_when_the_table_is_read_again(sis, browser):
    browser.visit("host", "rows")
    act(browser._rows, "line", value="cores > 50")
    browser.wait()
    schema = sis.client().schemas.get("host").to_dict()
    del schema["definition"]["cores"]
    sis.client().schemas.update("host", schema)
    act(browser._top, "reload")
    browser.wait()
    act(browser._top, "reload")
    browser.wait()
    assert "schema 'host' has no field 'cores'" in text(browser._rows)


def test_a_server_that_is_not_there_is_said_in_words():
    browser = SchemaBrowser(sispy.Client("http://127.0.0.1:9", retries=0))
    browser.wait()
    assert "127.0.0.1:9" in text(browser._list).replace("\u200b", "")
    assert "Loading" not in text(browser._list)
    assert repr(browser) == "<SchemaBrowser of http://127.0.0.1:9: 0 schemas>"


def test_a_server_that_goes_away_leaves_what_was_read(sis, browser):
    browser.visit("host", "rows")
    browser.wait()
    sis.faults = Faults(errors={"GET *": (400, 1.0)})
    act(browser._top, "reload")
    act(browser._rows, "row", table="host", row="0" * 24)
    browser.wait()
    assert ("injected" in text(browser._list), len(browser._list.hits())) == (True, 2)
    assert ("injected" in text(browser._rows), len(keys(browser))) == (True, 25)
    assert "injected" in text(browser._drawer)


def test_a_slow_server_is_waited_for_beside_the_page_and_what_nobody_wants_is_dropped(sis, browser):
    browser.visit("host", "rows")
    browser.wait()
    with Gate(sis, "GET /entities/host") as gate:
        act(browser._rows, "line", value="cores > 50")
        gate.wait()
        assert "Loading" in text(browser._rows)
        act(browser._list, "visit", name="rack")
    browser.wait()
    assert (browser.schema.name, browser._rows.asked.text) == ("rack", "")
    assert re.findall(r"R\d", text(browser._rows))[:1] == ["R0"]


def test_without_anywidget_it_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r'anywidget is missing: pip install "\.\[grid\]"'):
        SchemaBrowser(sispy.Client("http://127.0.0.1:9"))


# A table


def test_a_definition_is_a_tree_with_its_rules(browser):
    act(browser._list, "visit", name="host")
    shown = text(browser._table)
    for piece in (
        "key",
        "locked",
        "one of live, spare",
        "1..64",
        "nested",
        "version",
        "of all <sockets>",
        "gb",
    ):
        assert piece in shown
    assert browser.schema.name == "host"


def test_references_lead_to_the_other_table_and_back(browser):
    browser.visit("host", "references")
    assert ("rack → rack" in text(browser._table), "disks.twin → rack" in text(browser._table)) == (
        True,
        True,
    )
    act(browser._table, "visit", name="rack")
    assert (browser.schema.name, "host.disks.twin" in text(browser._table)) == ("rack", True)
    act(browser._table, "back")
    assert (browser.schema.name, browser._table.before) == ("host", None)


def test_a_table_that_was_deleted_is_said_and_no_longer_shown(sis, browser):
    browser.visit("rack", "rows")
    browser.visit("host")
    browser.visit("rack")
    browser.visit("host")
    browser.wait()
    sis.client().schemas.delete("host")
    act(browser._top, "reload")
    browser.wait()
    assert "The server has no table 'host' any more." in text(browser._list)
    assert (browser.schema, "Choose a table" in text(browser._table)) == (None, True)
    assert browser._rows.view.layout.display == "none"
    browser.visit("rack")
    assert (browser._table.before, "1 field " in text(browser._table)) == (None, True)
    act(browser._table, "back")
    assert browser.schema.name == "rack"


def test_an_owner_shows_its_users(sis, browser):
    for name, roles in (("ann", {"ops": "admin"}), ("ben", {"web": "user"})):
        sis.client().users.create({"name": name, "email": f"{name}@example.com", "roles": roles})
    browser.visit("host")
    act(browser._table, "owner", name="ops")
    browser.wait()
    users = browser._objects["users"]
    assert browser._top.tab == "users"
    assert [one["name"] for one in users.found] == ["ann"]
    act(users, "everybody")
    browser.wait()
    assert {"ann", "ben", "root"} <= {one["name"] for one in users.found}


def test_hiera_is_searched_by_name_and_comes_in_pages(sis, browser):
    entries = [
        {"name": f"web{n:02}.example", "_sis": {"owner": ["ops"]}, "hieradata": {"n": n}} for n in range(60)
    ]
    sis.client().hiera.create(entries)
    act(browser._top, "tab", name="hiera")
    browser.wait()
    hiera = browser._objects["hiera"]
    assert ([one["name"] for one in hiera.found][::49], "1 to 50 of 60" in text(hiera)) == (
        ["web00.example", "web49.example"],
        True,
    )
    act(hiera, "turn", to=1)
    browser.wait()
    assert "51 to 60 of 60" in text(hiera)
    act(hiera, "search", value="b07.EX")
    browser.wait()
    assert [one["name"] for one in hiera.found] == ["web07.example"]
    assert '"n": 7' in text(hiera)


# Rows


def test_rows_come_in_pages_with_the_key_first(browser):
    browser.visit("host", "rows")
    browser.wait()
    assert (keys(browser)[0], len(keys(browser))) == ("<web00>", 25)
    head = re.findall(r'title="Sort by this column">([^<]+)<', browser._rows.view.html)
    assert head == ["name", "_id", "status", "cores", "rack", "os.name", "os.version", "tags", "disks"]
    assert ("60 rows match" in text(browser._rows), "1 to 25" in text(browser._rows)) == (True, True)
    act(browser._rows, "turn", to=2)
    browser.wait()
    assert (keys(browser)[0], len(keys(browser)), "51 to 60" in text(browser._rows)) == ("<web50>", 10, True)
    act(browser._rows, "size", value="100")
    browser.wait()
    assert len(keys(browser)) == 60


def test_references_are_shown_by_name(browser):
    browser.visit("host", "rows")
    browser.wait()
    assert text(browser._rows).count(" R1 ") == 12


def test_names_of_references_are_read_again_with_the_rows(sis, browser):
    browser.visit("host", "rows")
    browser.wait()
    racks = sis.client().entities("rack")
    racks.update(racks.get("R1")["_id"], {"name": "R9"})
    act(browser._top, "reload")
    browser.wait()
    assert text(browser._rows).count(" R9 ") == 12


def test_a_filter_is_a_line_or_conditions_and_each_follows_the_other(browser):
    browser.visit("host", "rows")
    rows = browser._rows
    act(rows, "line", value="status = live and cores>=50")
    browser.wait()
    assert [(part.field.path, part.operator, part.text) for part in rows.builder.parts] == [
        ("status", "is", "live"),
        ("cores", "≥", "50"),
    ]
    assert browser.query == {"q": {"status": "live", "cores": {"$gte": 50}}}
    assert keys(browser) == ["<web50>", "<web52>", "<web54>", "<web56>", "<web58>"]
    act(rows, "operator", at=1, value="is one of")
    act(rows, "value", at=1, value="1, 2, 3")
    act(rows, "add")
    act(rows, "field", at=2, value="name")
    act(rows, "join", value="or")
    browser.wait()
    assert rows.asked.text == "status = live or cores in 1, 2, 3"
    assert (rows.builder.parts[2].operator, "31 rows match" in text(rows)) == ("contains", True)
    act(rows, "operator", at=2, value="matches")
    act(rows, "value", at=2, value="59")
    browser.wait()
    assert (rows.asked.text, "32 rows match" in text(rows)) == (
        "status = live or cores in 1, 2, 3 or name ~ 59",
        True,
    )
    act(rows, "remove", at=0)
    assert rows.asked.text == "cores in 1, 2, 3 or name ~ 59"


def test_a_filter_leads_through_references_and_what_has_no_words_stays_as_typed(browser):
    browser.visit("host", "rows")
    act(browser._rows, "line", value="rack.name = R1 and (cores = 2 or cores = 4)")
    browser.wait()
    assert keys(browser) == ["<web01>", "<web03>"]
    assert "cores = 2 or cores = 4" in text(browser._rows)


def test_a_filter_that_is_none_is_said_and_the_query_stays(browser):
    browser.visit("host", "rows")
    act(browser._rows, "line", value="cores = many")
    browser.wait()
    assert (browser.query, "'cores': 'many'" in text(browser._rows)) == ({}, True)
    act(browser._rows, "line", value="staus = live")
    assert "did you mean 'status' or 'tags'?" in text(browser._rows)
    act(browser._rows, "line", value="status in live,spar")
    browser.wait()
    assert "no row has 'spar', and the definition does not list it; did you mean 'spare'?" in text(
        browser._rows
    )


@pytest.mark.parametrize("typed", ["staus = spare", "status in", "status in spare, spar"])
def test_rows_of_the_filter_before_do_not_pass_for_the_answer_of_one_that_is_refused(browser, typed):
    browser.visit("host", "rows")
    rows = browser._rows
    act(rows, "line", value="status = live")
    browser.wait()
    assert "30 rows match" in text(rows)
    act(rows, "line", value=typed)
    browser.wait()
    told = " ".join(text(rows).split())
    assert ("match" in told, len(keys(browser))) == (False, 25)
    assert "Below are still the rows of the filter status = live" in told
    act(rows, "line", value="")
    browser.wait()
    assert ("60 rows match" in text(rows), "Below are still" in text(rows)) == (True, False)
    act(rows, "line", value=typed)
    browser.wait()
    assert "Below are still the rows of the table without a filter" in " ".join(text(rows).split())


def test_a_value_that_nobody_has_finds_no_rows_and_says_which_was_perhaps_meant(browser):
    browser.visit("host", "rows")
    rows = browser._rows
    act(rows, "line", value="status = alive")
    browser.wait()
    assert ("0 rows match" in text(rows), keys(browser)) == (True, [])
    assert "no row has 'alive', and the definition does not list it; did you mean 'live'?" in text(rows)
    act(rows, "line", value="status = live")
    browser.wait()
    assert ("30 rows match" in text(rows), "alive" in text(rows)) == (True, False)


def test_columns_sort_and_are_chosen(browser):
    browser.visit("host", "rows")
    act(browser._rows, "sort", path="cores")
    act(browser._rows, "sort", path="cores")
    for path in ("rack", "os.name", "os.version", "tags", "disks"):
        act(browser._rows, "column", path=path, value=False)
    browser.wait()
    assert browser.query == {"sort": "-cores", "fields": ["name", "status", "cores"]}
    assert (keys(browser)[0], "cores ▼" in text(browser._rows)) == ("<web59>", True)
    act(browser._rows, "all_columns")
    act(browser._rows, "sort", path="cores")
    browser.wait()
    assert (browser.query, keys(browser)[0]) == ({}, "<web00>")


def test_the_code_runs_as_it_stands(browser):
    browser.visit("host", "rows")
    act(browser._rows, "line", value="status = live")
    act(browser._rows, "sort", path="cores")
    names = {}
    code = re.findall(r"<pre>(.*?)</pre>", browser._rows.view.html, re.DOTALL)
    exec(unescape(code[0]), names)  # noqa: S102  # what the page shows
    assert names["frame"]["cores"].tolist() == list(range(1, 61, 2))
    assert unescape(code[1]) == "sispy export host 'status = live' --sort=cores -o host.csv"


def test_columns_are_summed_up(browser):
    browser.visit("host", "rows")
    browser.wait()
    lines = {
        cells[0]: cells[1:]
        for row in re.findall(
            r"<tr>(.*?)</tr>", browser._rows.view.html.split("Summary of these 25 rows", 1)[1]
        )
        if (cells := [unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r"<td.*?</td>", row)])
    }
    assert lines["status"] == ["0", "2", "live (13 of 25)", ""]
    assert lines["cores"] == ["0", "25", "1 (1 of 25)", "1 to 25"]
    assert lines["os.name"] == ["25", "0", "", ""]
    assert lines["rack"] == ["0", "2", "R0 (13 of 25)", ""]


def test_matches_are_fetched_into_a_variable(browser, tmp_path, monkeypatch):
    namespace = {}
    monkeypatch.setattr("sispy_pandas.widgets.browse.rows_panel.variables", lambda: namespace)
    browser.visit("host", "rows")
    act(browser._rows, "line", value="cores < 4")
    act(browser._rows, "name_variable", value="few")
    act(browser._rows, "fetch")
    browser.wait()
    assert namespace["few"]["name"].tolist() == ["<web00>", "<web01>", "<web02>"]
    assert (len(browser.snapshot), "few is a DataFrame of 3 rows" in text(browser._rows)) == (3, True)
    act(browser._rows, "line", value="cores = 1")
    act(browser._rows, "fetch")
    browser.wait()
    assert "few is a DataFrame of 1 row; browser" in text(browser._rows)
    act(browser._rows, "name_file", value=str(tmp_path / "one.csv"))
    act(browser._rows, "export")
    browser.wait()
    assert f"1 row is in {tmp_path}" in text(browser._rows)
    act(browser._rows, "name_variable", value="a b")
    act(browser._rows, "fetch")
    assert "'a b' is not a name for a variable" in text(browser._rows)


@pytest.mark.parametrize("name", ["hosts.csv", "hosts.xlsx"])
def test_matches_are_exported(browser, tmp_path, name):
    browser.visit("host", "rows")
    act(browser._rows, "name_file", value=str(tmp_path / name))
    act(browser._rows, "export")
    browser.wait()
    read = sp.read_csv if name.endswith("csv") else sp.read_excel
    assert read(tmp_path / name, browser.schema)["name"].tolist() == [f"<web{n:02}>" for n in range(60)]
    act(browser._rows, "name_file", value="hosts.doc")
    act(browser._rows, "export")
    assert "the name must end in one of" in text(browser._rows)


def test_matches_are_opened_in_the_editor(browser):
    browser.visit("host", "rows")
    act(browser._rows, "line", value="cores < 4")
    act(browser._rows, "edit")
    browser.wait()
    (editor,) = browser._below.children
    assert len(editor.frame()) == 3


# Where no widget is drawn


def test_the_static_view_is_escaped_and_says_what_it_is(browser):
    bundle = browser._repr_mimebundle_()
    assert "<b>host</b>" in bundle["text/html"]
    assert "<style" not in bundle["text/html"]
    assert "Jupyter, VS Code and Voila show it live" in bundle["text/html"]
    assert '<td align="right" style="padding: 4px 12px 4px 8px">60</td>' in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


# Work beside the page


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

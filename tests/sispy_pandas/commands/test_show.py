import json
from pathlib import Path

import pytest

import sispy_pandas as sp


def test_csv_is_the_file_that_an_export_writes(sispy):
    filters = ("status=live", "os.name=rhel", "--fields", "name,rack,bought,services,labels")
    sispy("export", "host", "-o", "hosts.csv", *filters)

    shown = sispy("show", "host", *filters, "--output", "csv").stdout

    assert shown.replace("\r\n", "\n") == Path("hosts.csv").read_text()


def test_json_has_the_records_of_the_server(sispy, sis):
    document = json.loads(sispy("show", "host", "status = planned", "--output", "json").stdout)
    live = sp.fetch(sis.client().entities("host"), "status = planned", progress=False)

    assert document["total"] == len(document["rows"]) == len(live)
    assert document["rows"] == live.records()


def test_people_see_names_and_programs_ids_unless_they_ask_for_others(sispy):
    one = ("show", "host", "name=web-fra1-001", "--fields", "rack")

    shown = {form: sispy(*one, "--output", form).stdout for form in ("text", "csv")}
    asked = [sispy(*one, "--refs", refs).stdout for refs in ("id", "label")]

    assert shown["text"].split() == ["rack", "fra1-r01"]
    assert "fra1-r01" not in shown["csv"]
    assert [text.split()[-1] == "fra1-r01" for text in asked] == [False, True]


def test_the_fields_that_were_asked_for_come_in_that_order(sispy):
    shown = sispy("show", "host", "--fields", "price,os,name", "--limit", "1").stdout

    assert shown.split("\n")[0].split() == ["price", "os.name", "os.version", "name"]


def test_what_is_not_shown_is_counted(sispy, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")

    shown = sispy("show", "host", "--limit", "2").stdout.splitlines()

    assert max(map(len, shown)) <= 60
    assert shown[-2:] == ["58 more rows: --limit N shows more", "16 more fields: --fields A,B chooses them"]


def test_a_table_without_a_key_is_known_by_ids(sispy, sis):
    note = {"name": "note", "definition": {"text": "String"}, "_sis": {"owner": ["ops"]}}
    sis.client().schemas.create(note)
    id_ = sis.client().entities("note").create({"text": "read me"})["_id"]

    assert sispy("show", "note").stdout.split() == ["_id", "text", id_, "read", "me"]
    assert sispy("show", "note", id_).stdout.splitlines()[0] == f"note {id_}"


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (
            ["web-xxx"],
            64,
            "sispy: host has no row 'web-xxx'; filter 'web-xxx': after 'web-xxx' an operator",
        ),
        (["name == web"], 64, "sispy: filter 'name == web': there is no operator '==': it is '=' here"),
        (
            ["name = web*"],
            0,
            "host: no row matches; 'web*' is taken as it is; a part of a text is found by 'name ~ ^web'",
        ),
        (["name like %fra1%"], 0, "a part of a text is found by 'name ~ fra1'"),
        (["name=web-xxx"], 0, "host: no row matches"),
        (["status=lvie"], 64, "did you mean 'live'?"),
        (["--fields", "nme"], 64, "did you mean 'name'"),
        (
            ["--fields", "name,rack.site.name"],
            64,
            "'rack.site.name' is in another table: `sispy export ... --expand rack.site.name` adds it\n",
        ),
        (
            ["ip = 10.99.0.0/24"],
            0,
            "taken as it is; the addresses of a network are found by 'ip ~ ^10\\.99\\.0\\.'",
        ),
        (
            ["web-fra1-001", "--limit", "3"],
            64,
            "a row is shown whole: leave --fields, --limit and --sort out",
        ),
    ],
)
def test_what_cannot_be_shown(sispy, args, status, said):
    result = sispy("show", "host", *args)

    assert (result.exit_code, result.stdout) == (status, "")
    assert said in result.stderr


def test_a_row_is_found_by_its_key_as_the_server_would_store_it(sispy):
    told = [sispy(*args, " WEB-fra1-001").stdout for args in (["show", "host"], ["history", "host"])]

    assert told == [sispy(*args, "web-fra1-001").stdout for args in (["show", "host"], ["history", "host"])]
    assert told[0].startswith("host web-fra1-001 ")


def test_no_rows_are_an_answer_for_programs(sispy):
    result = sispy("show", "host", "name=nobody", "--output", "json")

    assert (result.exit_code, json.loads(result.stdout)["rows"]) == (0, [])


def test_a_row_is_shown_with_the_last_edit_of_each_field(sispy, sis):
    sis.client("bob").entities("host").update("web-fra1-001", {"os": {"version": "99"}})

    lines = sispy("show", "host", "web-fra1-001").stdout.splitlines()
    versions = [line.split() for line in lines if " version " in line]

    assert [(line[0], line[-1]) for line in versions] == [("bob", "99")]


def test_a_row_without_history_is_shown_all_the_same(sispy, sis):
    note = {"name": "note", "definition": {"text": {"type": "String", "unique": True}}}
    sis.client().schemas.create({**note, "track_history": False, "_sis": {"owner": ["ops"]}})
    sis.client().entities("note").create({"text": "a", "_sis": {"owner": ["ops"], "tags": ["odd"]}})

    lines = sispy("show", "note", "a").stdout.splitlines()

    assert lines[2:] == [
        "tags: odd",
        "schema 'note' does not keep history (track_history is off)",
        "",
        "by  at  field  value",
        "        text   a",
    ]


def test_long_answers_are_paged_in_a_terminal(terminal, screen, monkeypatch):
    monkeypatch.setenv("PAGER", "head -3")

    status, lines = screen(terminal("show", "host", "--fields", "name"))
    short = screen(terminal("show", "host", "--fields", "name", "--limit", "5"))[1]

    assert (status, len(lines), lines[0]) == (0, 3, "name")
    assert len(short) == 8

"""`sispy history`, `changes` and `revert` as one types them."""

import csv
import io

import openpyxl
import pytest


@pytest.fixture
def edited(sis):
    """A host that alice changed, and carol once more."""
    root = sis.client()
    hosts = root.entities("host")
    name = hosts.fetch_page(
        {"limit": 1, "sort": "name", "q": {"os.name": {"$exists": True}}, "fields": "name"}
    )[0]["name"]
    before = hosts.get(name, {"populate": False}).to_dict()
    sis.client("alice").entities("host").update(name, {"os": {"name": "beos"}, "labels": []})
    sis.client("alice").entities("host").update(name, {"notes": "first"})
    root.entities("host").update(name, {"notes": "second"})
    return before


def test_history_shows_the_newest_change_first(sispy, edited):
    result = sispy("history", "host", edited["name"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["at", "by", "action", "field", "before", "after"]
    assert lines[1].split()[2:] == ["root", "update", "notes", "first", "second"]
    assert lines[2].split()[2:5] == ["alice", "update", "notes"]


def test_blame_shows_every_field(sispy, edited):
    lines = sispy("history", "host", edited["name"], "--blame").stdout.splitlines()
    assert lines[0].split() == ["field", "value", "by", "at", "action"]
    told = {line.split()[0]: line.split() for line in lines[1:]}
    assert told["os.name"][1:3] == ["beos", "alice"]
    assert told["notes"][1:3] == ["second", "root"]


def test_an_unknown_row_is_named(sispy, edited):
    result = sispy("history", "host", "nowhere")
    assert (result.exit_code, result.stdout) == (64, "")
    assert "host has no row 'nowhere'" in result.stderr


def test_changes_are_summed_up_and_listed(sispy, edited):
    result = sispy("changes", "host", "--since", "1h", "--by", "alice", "--fields", "os.name,labels,notes")
    assert result.exit_code == 0
    head, _, titles, *lines = result.stdout.splitlines()
    assert head == f"host: {len(lines)} cells of 1 row changed by alice ({len(lines)})"
    assert titles.split() == ["by", "minute", "(UTC)", "field", "action", "cells", "rows"]
    assert ["os.name", "update", "1", "1"] in [line.split()[3:] for line in lines]
    assert {line.split()[0] for line in lines} == {"alice"}
    cells = sispy(
        "changes", "host", "--since", "1h", "--by", "alice", "--fields", "os.name", "--cells"
    ).stdout
    assert cells.splitlines()[-1].split()[0] == edited["name"]
    rows = list(
        csv.DictReader(
            io.StringIO(sispy("changes", "host", "--since", "1h", "--by", "alice", "--output", "csv").stdout)
        )
    )
    assert {row["field"] for row in rows} >= {"os.name", "notes"}
    assert {row["by"] for row in rows} == {"alice"}


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("2026-11-20 14:05", "has no time zone"),
        ("yesterday", "2h, 3d and 1w say how long ago"),
        ("soon", "is not a time"),
        ("2026-11-20 14:05 Nowhere/City", "is not a time"),
    ],
)
def test_a_time_that_means_nothing_is_misuse(sispy, sis, since, words):
    result = sispy("changes", "host", "--since", since)
    assert result.exit_code == 64
    assert words in result.stderr


def test_revert_shows_asks_and_puts_back(sispy, sis, edited):
    asked = sispy("revert", "host", "--since", "1h", "--by", "alice")
    assert asked.exit_code == 64
    assert "--yes" in asked.stderr
    result = sispy("revert", "host", "--since", "1h", "--by", "alice", "--yes")
    assert result.exit_code == 4  # the notes were changed again
    after = sis.client().entities("host").get(edited["name"], {"populate": False}).to_dict()
    expected = {key: value for key, value in {**edited, "notes": "second"}.items() if not key.startswith("_")}
    assert {key: value for key, value in after.items() if not key.startswith("_")} == expected


def test_nothing_to_revert(sispy, sis):
    result = sispy("revert", "host", "--since", "1h", "--by", "nobody", "--yes")
    assert result.exit_code == 0
    assert "nothing to push" in result.stderr


def test_changes_as_a_workbook(sispy, edited):
    result = sispy("changes", "host", "--since", "1h", "--output", "xlsx", "-o", "report.xlsx")

    assert (result.exit_code, result.stdout) == (0, "")
    told = result.stderr.splitlines()
    assert told[-1].startswith("report.xlsx is written: ")
    cells = openpyxl.load_workbook("report.xlsx")["Cells"]
    assert [cell.value for cell in cells[2]][1:] == [
        edited["name"], "notes", "first", "second", "root", "update",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "report.xlsx"], "-o report.xlsx is for --output xlsx: give both, or neither."),
        (["--output", "xlsx", "-o", "report.csv"], "-o report.csv: the name must end in .xlsx."),
    ],
)
def test_a_workbook_wants_its_name(sispy, edited, arguments, message):
    result = sispy("changes", "host", "--since", "1h", *arguments)

    assert (result.exit_code, result.stdout, result.stderr) == (64, "", f"sispy: {message}\n")

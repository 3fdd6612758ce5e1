"""Files of all formats on the command line: from standard input, to standard output, and side by side."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

SUFFIXES = (".csv", ".xlsx", ".parquet", ".ndjson", ".json", ".csv.gz")


@pytest.mark.parametrize("form", ["csv", "tsv", "xlsx", "parquet", "ndjson", "json"])
def test_what_goes_to_standard_output_comes_back_by_standard_input(sispy, form):
    told = sispy("export", "host", "-o", "-", "--format", form, "-q")

    planned = sispy("plan", "host", "-", "--format", form, typed=told.stdout_bytes)

    assert (told.exit_code, told.stderr) == (0, "")
    assert planned.exit_code == 0, planned.stderr
    assert "0 updates, 0 creates, 0 deletes" in planned.stdout
    assert list(Path.cwd().glob("*.*")) == []


def test_a_table_becomes_another_one_in_a_pipe(sispy, sis):
    told = sispy("export", "rack", "-o", "-", "--format", "ndjson", "--fields", "name,units", "-q")

    made = sispy("import", "-", "--format", "ndjson", "--schema", "shelf", "--yes", typed=told.stdout)

    assert made.exit_code == 0, made.stderr
    racks, shelves = (sis.client().entities(name).fetch_all() for name in ("rack", "shelf"))
    assert [row["name"] for row in shelves] == [row["name"] for row in racks]


def test_standard_input_has_no_name_that_tells_what_it_is(sispy):
    result = sispy("push", "host", "-", "--yes", typed="")

    said = "sispy: - has no name that tells what it is: give --format"
    assert (result.exit_code, said in result.stderr) == (64, True)


def test_a_text_is_unpacked_whatever_it_is_called(sispy):
    sispy("export", "host", "-o", "hosts.csv", "-q")
    Path("other.csv").write_bytes(gzip.compress(Path("hosts.csv").read_bytes()))

    result = sispy("diff", "hosts.csv", "other.csv")

    assert (result.exit_code, result.stderr) == (0, "no difference\n")


@pytest.mark.parametrize("more", [[], ["--tz", "Europe/Berlin"], ["--refs", "label"], ["--meta"]])
def test_unedited_exports_differ_in_nothing_whatever_their_formats(sispy, more):
    names = [f"hosts{suffix}" for suffix in SUFFIXES]
    for name in names:
        assert sispy("export", "host", "-o", name, *more, "-q").exit_code == 0

    for old, new in [*pairwise(names), (names[-1], names[0])]:
        result = sispy("diff", old, new)
        assert (result.exit_code, result.stdout) == (0, ""), (old, new, result.stderr)
    for name in names:
        result = sispy("diff", "host", name)
        assert (result.exit_code, result.stdout) == (0, ""), (name, result.stderr)


def test_files_with_names_of_references_are_planned_with_names(sispy, sis):
    names = [f"hosts{suffix}" for suffix in SUFFIXES]
    racks = [row["name"] for row in sis.client().entities("rack").fetch_all()]
    for name in names:
        assert sispy("export", "host", "-o", name, "--refs", "label", "-q").exit_code == 0
        for options in ([], ["--key", "name"]):
            result = sispy("plan", "host", name, *options)
            assert result.exit_code == 0, (name, result.stdout, result.stderr)
            assert "0 updates" in result.stdout
    text = Path("hosts.ndjson").read_text(encoding="utf-8")
    old = next(rack for rack in racks if f'"rack":"{rack}"' in text)
    Path("hosts.ndjson").write_text(text.replace(f'"rack":"{old}"', '"rack":"nowhere"', 1), encoding="utf-8")

    result = sispy("plan", "host", "hosts.ndjson")

    assert (result.exit_code, "no row of rack has name 'nowhere'" in result.stdout) == (3, True)


def test_a_marked_copy_of_a_workbook_from_standard_input(sispy):
    told = sispy("export", "host", "-o", "-", "--format", "xlsx", "-q").stdout_bytes

    result = sispy("plan", "host", "-", "--format", "xlsx", "--mark", "marked.xlsx", typed=told)

    assert (result.exit_code, Path("marked.xlsx").is_file()) == (0, True), result.stderr


def test_what_a_file_does_not_tell_is_told_by_the_same_options_everywhere(sispy, sis):
    definition = {"name": {"type": "String", "required": True, "unique": True}, "price": "Number"}
    table = {"name": "part", "definition": definition, "id_field": "name", "_sis": {"owner": ["ops"]}}
    sis.client().schemas.create(table)
    Path("a.csv").write_text("Teil;price\nw1;1.001,5\nw2;n/a\n")
    Path("b.ndjson").write_text('{"name": "w1", "price": 1001.5}\n{"name": "w2"}\n')
    told = ("--decimal", ",", "--thousands", ".", "--na", "n/a", "--rename", "Teil=name")

    made = sispy("import", "a.csv", "--schema", "part", "--yes", *told)
    planned = sispy("plan", "part", "a.csv", "--key", "name", *told)
    pushed = sispy("push", "part", "a.csv", "--key", "name", "--yes", *told)
    compared = sispy("diff", "part", "a.csv", "--key", "name", *told)

    assert [result.exit_code for result in (made, planned, pushed, compared)] == [0] * 4, compared.stdout
    assert [row.get("price") for row in sis.client().entities("part").fetch_all()] == [1001.5, None]
    assert "0 updates" in planned.stdout


def test_a_title_above_the_names_is_refused_with_the_option_that_helps(sispy, sis):
    Path("a.csv").write_text("Servers, all sites\n\nname,ip\nw1,10.0.0.1\n")
    Path("b.csv").write_text("\n,,\nname,ip\nw1,10.0.0.1\n")

    assert sispy("import", "a.csv", "--schema", "t", "--yes", "--header-row", "3").exit_code == 0
    assert sispy("import", "b.csv", "--schema", "u", "--yes").exit_code == 0


def test_problems_of_one_kind_name_the_option_that_solves_them(sispy):
    Path("a.csv").write_text(
        'name,price\nweb-fra1-001,n/a\nweb-ams1-001,n/a\nweb-ams1-002,"1,5"\nweb-ams1-003,"2,5"\n'
    )

    result = sispy("plan", "host", "a.csv", "--key", "name")

    assert result.exit_code == 3
    assert "(row 2, row 3): --na n/a says that it means no value" in result.stdout
    assert "(row 4, row 5): --decimal , reads decimal commas" in result.stdout
    assert sispy("plan", "host", "a.csv", "--key", "name", "--na", "n/a", "--decimal", ",").exit_code == 0

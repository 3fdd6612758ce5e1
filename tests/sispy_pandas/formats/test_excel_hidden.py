"""Hidden rows and columns of a workbook are read, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

import sispy_pandas as sp
from sispy_pandas.formats.excel_hidden import Hidden
from sispy_pandas.values.source import source_of

ROWS = [["name", "cpus", "notes"], *([f"w{n}", n, "x"] for n in range(1, 10))]


def workbook(path: Path, *rows: int, columns: str = "", formula: bool = False) -> Path:
    """Write a workbook whose rows and columns are hidden; with a formula openpyxl has to read it."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in ROWS:
        sheet.append(row)
    if formula:
        sheet["C2"] = "=1+1"
    for number in rows:
        sheet.row_dimensions[number].hidden = True
    for column in columns:
        sheet.column_dimensions[column].hidden = True
    book.save(path)
    return path


def notes(path: Path, schema: Any) -> list[str]:
    source = source_of(sp.read_excel(path, schema))
    assert source is not None
    return [note for note in source.notes if "hidden" in note]


@pytest.mark.parametrize("formula", [False, True])
def test_hidden_rows_and_columns_are_read_and_named(host_schema, tmp_path, formula):
    one = workbook(tmp_path / "one.xlsx", 3, columns="C", formula=formula)
    many = workbook(tmp_path / "many.xlsx", *range(2, 9), columns="BC", formula=formula)

    assert sp.read_excel(one, host_schema)["name"].tolist() == [f"w{n}" for n in range(1, 10)]
    assert notes(one, host_schema) == [
        "1 hidden row is read, too: 3",
        "1 hidden column is read, too: notes",
    ]
    assert notes(many, host_schema) == [
        "7 hidden rows are read, too: 2, 3, 4, 5, 6 and 2 more",
        "2 hidden columns are read, too: cpus, notes",
    ]
    assert notes(workbook(tmp_path / "none.xlsx", formula=formula), host_schema) == []


def test_what_an_export_hides_is_not_named(server, tmp_path):
    live = server.fetch()
    sp.to_excel(live, tmp_path / "hosts.xlsx")

    assert notes(tmp_path / "hosts.xlsx", live.schema) == []


@pytest.mark.parametrize(
    ("part", "rows", "columns"),
    [
        (b'<row r="2" hidden="1"><c r="A2"/></row><row r="3" hidden="0"/>', {2}, set()),
        (b"<x:row hidden='true' r='12'/><x:row hidden='false' r='13'/>", {12}, set()),
        (b'<col min="2" max="4" width="9" hidden="1"/><t>hidden="1"</t>', set(), {range(2, 5)}),
        (b'<row hidden="1"/><sheet r="1" hidden="1"/> hidden="1"', set(), set()),
    ],
)
def test_what_is_hidden_is_told_by_the_bytes_of_a_sheet(part, rows, columns):
    hidden = Hidden()
    hidden.add(part)

    assert (hidden.rows, hidden.columns) == (rows, columns)

"""Names and values that a program would calculate: harmless in a file, exact when it is read."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy.remedies import Argument, Message
from sispy_pandas.formats.headings import Names, is_beside, mended
from sispy_pandas.formats.table import Table
from sispy_pandas.values.infer import is_name
from sispy_pandas.values.types.base import Field
from sispy_pandas.values.types.cell_text import escape, read_cell, read_heading, unescape, write_heading

if TYPE_CHECKING:
    from pathlib import Path

SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\u207a"]
BEFORE = ["", " ", "\t", "\0", "\ufeff", "\u00a0", "\u200b", "\u2060\u202e", "\u3000", "\x1b", " \u00ad "]
FIELDS = ["=cmd|'/C calc'!A0", "+1", "-x", "@SUM(A1)", "\uff1d1+1", "'quoted", " =blank", "\u200b=unseen"]


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
@pytest.mark.parametrize("before", BEFORE, ids=ascii)
def test_what_a_program_would_calculate_is_made_harmless(before, sign):
    text = f"{before}{sign}1+1"

    assert (escape(text), unescape(escape(text))) == (f"'{text}", text)


@pytest.mark.parametrize(
    "text", ["web-1", " web", "1-2", "a=b", "é=1", "\u200bx", "   ", "“=1", "(=1)", "日本"]
)
def test_other_text_stays_as_it_is(text):
    assert escape(text) == text


@pytest.mark.parametrize("text", ["'s-Hertogenbosch", "'x'", "'99", "'{x", "' a", "'\u200bx", "'" + "a" * 24])
def test_an_apostrophe_that_no_export_writes_is_the_texts_own(text):
    assert (unescape(text), read_cell(Field("f", "String"), text)) == (text, text)
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("name", ["'s-Hertogenbosch", "'x'", "'99"])
def test_an_apostrophe_that_no_export_writes_is_the_headings_own(name):
    assert read_heading(name) == name
    assert read_heading(f" {name} ") == name


@given(st.text(st.sampled_from("=+-@' \t\n\r\0\ufeffa\uff1d\u200b"), max_size=5))
def test_cells_and_headings_come_back(text):
    assert unescape(escape(text)) == text
    assert read_heading(write_heading(text)) == text


@pytest.fixture
def evil(sis_client):
    """Return the endpoint of a table all of whose names and values would be calculated."""
    values = dict.fromkeys(FIELDS, "String")
    kind = {"type": "String", "enum": ["=1", "-", "plain"], "description": "=1+1 \x1b[2J"}
    definition = {
        **values,
        "=kind": kind,
        "=when": "Date",
        "=key": {"type": "String", "unique": True, "required": True},
    }
    document = {"name": "evil", "definition": definition, "id_field": "=key", "_sis": {"owner": ["ops"]}}
    sis_client.schemas.create(document)
    endpoint = sis_client.entities("evil")
    rows = [
        {**dict.fromkeys(FIELDS, f"={n}"), "=kind": "=1", "=when": "2020-01-02T03:04:05Z", "=key": f"={n}"}
        for n in range(2)
    ]
    endpoint.create(rows)
    return endpoint


def dangerous(texts):
    return [
        text for text in texts if isinstance(text, str) and escape(text) != text and text[:1] not in ("", "'")
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_no_cell_of_a_csv_file_is_calculated(evil, tmp_path, streamed):
    live = sp.fetch(evil, progress=False)
    sp.to_csv(evil if streamed else live, tmp_path / "evil.csv", progress=False)

    with (tmp_path / "evil.csv").open(encoding="utf-8", newline="") as file:
        assert dangerous(cell for row in csv.reader(file) for cell in row) == []
    edited = sp.read_csv(tmp_path / "evil.csv", live.schema)
    assert edited.columns.tolist() == live.frame().columns.tolist()
    assert live.diff(edited).empty


def test_no_cell_of_a_workbook_is_calculated(evil, tmp_path):
    live = sp.fetch(evil, progress=False)
    sp.to_excel(live, tmp_path / "evil.xlsx", tz="Europe/Berlin")

    edited = sp.read_excel(tmp_path / "evil.xlsx", live.schema)
    assert set(live.frame().columns) <= set(edited.columns)
    assert live.diff(edited).empty
    book = openpyxl.load_workbook(tmp_path / "evil.xlsx")
    cells = [c for sheet in book if not sheet.title.startswith("_base") for row in sheet for c in row]
    assert dangerous(cell.value for cell in cells) == []
    assert [cell for cell in cells if cell.data_type == "f"] == []
    assert "'=1" in [cell.value for row in book["_lists"] for cell in row]
    comments = "".join(cell.comment.text for cell in cells if cell.comment)
    assert "\x1b" not in comments
    assert r"=1+1 \x1b[2J" in comments


def test_conflicts_of_such_names_are_decided_in_the_workbook(evil, tmp_path):
    live = sp.fetch(evil, progress=False)
    sp.to_excel(live, tmp_path / "evil.xlsx")
    book = openpyxl.load_workbook(tmp_path / "evil.xlsx")
    at = next(cell.column for cell in book["evil"][1] if cell.value == "'\uff1d1+1")
    book["evil"].cell(2, at).value = "'=mine"
    book.save(tmp_path / "evil.xlsx")
    evil.update("=0", {"\uff1d1+1": "=theirs"})
    edited = sp.read_excel(tmp_path / "evil.xlsx", live.schema)
    report = sp.snapshot_of(evil, edited).diff(edited).push(progress=False)

    sp.mark_problems(tmp_path / "evil.xlsx", report, tmp_path / "marked.xlsx", write_back=True)

    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    sheet = book["Conflicts to decide"]
    assert dangerous(cell.value for row in sheet for cell in row) == []
    assert [cell.value for cell in sheet[2]][1:6] == ["'=0", "'\uff1d1+1", "'=0", "'=mine", "'=theirs"]
    sheet["G2"] = "mine"
    book.save(tmp_path / "decided.xlsx")
    edited = sp.read_excel(tmp_path / "decided.xlsx", live.schema)
    plan = sp.snapshot_of(evil, edited).diff(edited)
    assert plan.frame()[["key", "field", "before", "after"]].values.tolist() == [
        ["=0", "\uff1d1+1", "=theirs", "=mine"]
    ]


def test_retry_files_are_harmless_too(evil, tmp_path):
    live = sp.fetch(evil, progress=False)
    evil.update("=0", {"\uff1d1+1": "=theirs"})
    report = live.diff(live.frame().assign(**{"\uff1d1+1": "=mine"})).push(progress=False)

    path = report.to_csv(tmp_path / "left.csv")

    with path.open(encoding="utf-8", newline="") as file:
        assert dangerous(cell for row in csv.reader(file) for cell in row) == []
    assert sp.read_csv(path, live.schema)["\uff1d1+1"].tolist() == ["=mine"]


@pytest.mark.parametrize("name", ["a\x1bb", "'a", "a'", "a\u202eb", "", "a/b", "About this workbook"])
def test_names_that_no_sheet_can_have_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match="cannot be the name of a sheet"):
        sp.to_excel({name: pd.DataFrame({"a": [1]})}, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_text_against_its_type_is_no_edit(sis_client, tmp_path: Path):
    definition = {"name": {"type": "String", "unique": True, "required": True}, "n": "String"}
    sis_client.schemas.create(
        {"name": "odd", "definition": definition, "id_field": "name", "_sis": {"owner": ["ops"]}}
    )
    odd = sis_client.entities("odd")
    odd.create({"name": "a", "n": "=1"})
    sis_client.schemas.update(
        "odd", sis_client.schemas.get("odd").to_dict() | {"definition": definition | {"n": "Number"}}
    )
    live = sp.fetch(odd, progress=False)

    sp.to_csv(live, tmp_path / "odd.csv")

    assert live.diff(sp.read_csv(tmp_path / "odd.csv", live.schema)).empty


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        (
            ["Serial No.", "Exp. date", "Inv.No.", "Score 1.5", "10.0.0.1"],
            ["Serial No", "Exp date", "Inv_No", "Score 1_5", "10_0_0_1"],
        ),
        (
            ["os.version", "custom fields.asset tag", "a.b.c"],
            ["os.version", "custom fields.asset tag", "a.b.c"],
        ),
        (["os", "os.version"], ["os", "os_version"]),
        (
            ["two\r\nlines", "tab\there", "nul\0", "  wide   blanks "],
            ["two lines", "tab here", "nul", "wide blanks"],
        ),
        (['Depth 30"', "in\\out", "it's", "%", "Größe"], ['Depth 30"', "in\\out", "it's", "%", "Größe"]),
        (["$cost", "$ net", "_rack", "os._x", "$"], ["cost", "net", "rack", "os__x", ""]),
        (["get", "on", "a.errors"], ["get_", "on_", "a.errors_"]),
        (["Name", "Name", "Name 2", "Name"], ["Name", "Name 3", "Name 2", "Name 4"]),
        (["_x", "x", "$x"], ["x 2", "x", "x 3"]),
        (["_id", "_updated_at", "_sis.owner", "_sis"], ["_id", "_updated_at", "_sis.owner", "_sis"]),
        (["", "a", ""], ["", "a", ""]),
        (["...", " ", "."], ["", "", ""]),
    ],
)
def test_headings_that_no_field_can_have_are_mended(headings, names):
    assert mended(headings) == names
    fields = [name for name in names if name and not name.startswith("_")]
    assert mended(fields) == fields


def test_a_table_that_was_made_of_such_a_file_takes_its_headings(tmp_path):
    schema = sp.parse_schema(
        {"name": "t", "definition": {"Serial No": "String", "cost": "Number", "c 2": "String"}}
    )
    (tmp_path / "t.csv").write_text("Serial No.,$cost,c,c,$mine\nA1,5,x,y,z\n")

    frame = sp.read_csv(tmp_path / "t.csv", schema)
    told = sp.read_csv(tmp_path / "t.csv", schema, rename={"Serial No.": "_no"})

    assert frame.iloc[0].to_dict() == {"Serial No": "A1", "cost": 5, "c": "x", "c 2": "y", "$mine": "z"}
    assert told.columns.tolist() == ["cost", "c 2", "_no", "c", "$mine"]


@given(
    st.lists(st.text(st.sampled_from("ab._$ \n1é\0") | st.characters(codec="utf-8"), max_size=6), max_size=6)
)
def test_what_is_mended_is_a_name_of_its_own(headings):
    names = mended(headings)

    assert len(names) == len(headings)
    named = [name for name in names if name]
    assert len(set(named)) == len(named)
    assert all(is_name(part) for name in named for part in name.split(".") if not is_beside(name))
    assert not any(other.startswith(f"{name}.") for name in named for other in named)


@pytest.mark.parametrize("heading", ["a\tb", "a\x01b", "_" + "x" * 300, " a  b\n"])
def test_the_name_that_is_proposed_for_a_rename_is_one_of_the_file(heading):
    table = Table((heading, "c"), (("1",), ("2",)), (2,))
    (note,) = Names(table, {}).notes()
    assert isinstance(note, Message)
    (remedy,) = note.remedies
    assert isinstance(remedy, Argument)
    (proposed,) = remedy.value

    assert proposed.isprintable()
    renamed = Names(table, {proposed: "d"})
    assert (renamed.names, renamed.notes()) == (["d", "c"], ())


@pytest.mark.parametrize("told", [" b ", "b", "b\t", "\u00a0b"])
@pytest.mark.parametrize("heading", [" b ", "b", "b\n"])
def test_blanks_around_a_name_make_no_difference_to_a_rename(told, heading):
    assert Names(Table(("a", heading), (("1",), ("2",)), (2,)), {told: "B"}).names == ["a", "B"]

"""The short cut for CSV files: a column is what it is the long way, cell by cell."""

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.formats.assemble import typed
from sispy_pandas.formats.csv_arrow import arrow_series
from sispy_pandas.values.source import source_of
from sispy_pandas.values.types.base import PLAIN, Field, Style
from sispy_pandas.values.types.cell_text import read_column

pa = pytest.importorskip("pyarrow")

STATE = Field("state", "String", enum=("live", "spare"))
ID_TEXT = "0123456789abcdef01234567"
YES = Style(true=frozenset({"ja"}), false=frozenset({"nein"}))


def chunked(cells):
    """The cells as a reader of Arrow has them: in chunks, of which one is empty."""
    return pa.chunked_array([cells[:1], [], cells[1:]], type=pa.large_string())


@pytest.mark.parametrize(
    ("field", "cells", "style"),
    [
        (STATE, [], PLAIN),
        (STATE, ["", ""], PLAIN),
        (STATE, ["live", "", "spare", "live"], PLAIN),
        (STATE, ["live", "gone", " ", "'live", "lost", "gone"], PLAIN),
        (Field("up", "Boolean"), ["true", "", "false", "true"], PLAIN),
        (Field("up", "Boolean"), ["yes", " ", "0", "TRUE"], PLAIN),
        (Field("up", "Boolean"), ["ja", "", "nein", "true"], YES),
        (Field("up", "Boolean"), ['{"a": 1}', "", "true", '{"a": 1}'], PLAIN),
        (Field("owner", "ObjectId"), [ID_TEXT, "", f"'{ID_TEXT}"], PLAIN),
        (Field("owner", "ObjectId"), [ID_TEXT.upper(), "", f"' {ID_TEXT}"], PLAIN),
    ],
)
def test_a_column_is_what_its_cells_are_one_by_one(field, cells, style):
    short = arrow_series(field, chunked(cells), style)
    short = read_column(field, short, style) if isinstance(short, list) else short

    pd.testing.assert_series_equal(typed(field, short), typed(field, read_column(field, cells, style)))
    if len(cells) > 2:  # and where some rows are left out
        some = typed(field, read_column(field, cells, style), [0, 2])
        pd.testing.assert_series_equal(typed(field, short, [0, 2]), some)


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        (STATE, ["live", "gone", ""]),
        (Field("up", "Boolean"), ["true", "maybe", ""]),
        (Field("up", "Boolean"), ["true", '{"a": 1}', ""]),
        (Field("owner", "ObjectId"), [f"''{ID_TEXT}", ""]),
    ],
)
def test_a_column_with_a_cell_that_is_no_value_of_it_goes_the_long_way(field, cells):
    assert arrow_series(field, chunked(cells), PLAIN) == cells


@pytest.mark.parametrize(("head", "row"), [("_id,name,", "{},a,"), (",_id,name", ",{},a")])
def test_a_column_without_a_name_and_without_a_cell_is_left_out(tmp_path, head, row):
    schema = sp.parse_schema({"name": "t", "definition": {"name": "String"}})
    (tmp_path / "t.csv").write_text(f"{head}\n{row.format(ID_TEXT)}\n")

    frame = sp.read_csv(tmp_path / "t.csv", schema)

    assert (frame.columns.tolist(), frame.index.tolist()) == (["name"], [ID_TEXT])


def test_blank_cells_and_another_case_in_a_column_of_few_values(tmp_path):
    definition = {"state": {"type": "String", "enum": ["live", "spare"]}, "up": "Boolean"}
    schema = sp.parse_schema({"name": "t", "definition": definition})
    path = tmp_path / "t.csv"
    path.write_text(f"_id,state,up\n{ID_TEXT},LIVE,\n{ID_TEXT[::-1]},,true\n", encoding="utf-8")

    frame = sp.read_csv(path, schema, ignore_case=True)

    expected = pd.DataFrame(
        {
            "state": pd.Categorical(["live", None], categories=["live", "spare"]),
            "up": pd.array([None, True], dtype="boolean"),
        },
        index=pd.Index([ID_TEXT, ID_TEXT[::-1]], name="_id", dtype="str"),
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_a_row_that_is_a_problem_has_the_values_of_such_columns_as_json(tmp_path):
    definition = {"state": {"type": "String", "enum": ["live", "spare"]}, "up": "Boolean"}
    schema = sp.parse_schema({"name": "t", "definition": definition})
    path = tmp_path / "t.csv"
    path.write_text(f"_id,state,up\n{ID_TEXT},live,\n{ID_TEXT},,true\n", encoding="utf-8")

    found = source_of(sp.read_csv(path, schema))

    row = {"_id": ID_TEXT, "_updated_at": None}
    assert [problem.rows for problem in found.problems] == [
        (row | {"state": "live", "up": None},),
        (row | {"state": None, "up": True},),
    ]


@pytest.mark.parametrize("size", [1_000, 5_000_000])
def test_lines_within_cells_and_cells_longer_than_what_is_read_at_once(tmp_path, size):
    schema = sp.parse_schema({"name": "t", "definition": {"notes": "String"}})
    notes = [f"{n}\r\n" * (size // 5) + ',"é"' for n in range(10_000_000 // size)]
    ids = [f"a{n:023}" for n in range(len(notes))]
    path = tmp_path / "t.csv"
    sp.to_csv(pd.DataFrame({"notes": notes}, index=pd.Index(ids, name="_id")), path, schema=schema)

    frame = sp.read_csv(path, schema)

    assert (frame.index.tolist(), frame["notes"].tolist()) == (ids, notes)

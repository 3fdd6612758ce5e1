"""Whole columns as texts: the same as cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import Schema
from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets.cells import show
from sispy_pandas.widgets.grid_blocks import tsv
from sispy_pandas.widgets.grid_model import GridModel
from sispy_pandas.widgets.grid_search import Finder, Search
from sispy_pandas.widgets.grid_texts import may_hold, texts_of

VALUES: list[tuple[Field, list[Any]]] = [
    (Field("s", "String"), ["a", "", None, "ÄÖ", 'say "x"\tor\nnot', "a"]),
    (Field("e", "String", enum=("a", "b")), ["a", None, "b", "b", "a", "a"]),
    (Field("n", "Number"), [1, 2.5, None, -0.0, 1e300, 9007199254740993]),
    (Field("w", "Number"), [1, 2, None, 0, -5, 1]),
    (Field("b", "Boolean"), [True, False, None, True, True, None]),
    (Field("d", "Date"), ["2026-01-02T00:00:00.000Z", "2026-01-02T03:04:05.678Z", None, None, None, None]),
    (Field("t", "Array", item=Field("", "String")), [["x", "y"], [], [""], ["x", "y"], ['"'], []]),
    (Field("m", "Array", item=Field("", "Number")), [[1], [], [1.5, 2], [0], [], [1]]),
    (Field("x", "Mixed"), [{"a": [1, None]}, None, "text", 0, False, [True, "é"]]),
]


@pytest.fixture
def model():
    schema = Schema("s", tuple(field for field, _ in VALUES), "s", {})
    columns = {field.path: values for field, values in VALUES}
    return GridModel(schema, frame_of(schema, columns, [f"{n:024x}" for n in range(6)], [0] * 6))


@pytest.mark.parametrize("path", [field.path for field, _ in VALUES])
def test_a_column_is_written_as_its_cells_are_shown(model, path):
    field = model.column(path).field
    cells = [show(field, model.before(row, path)) for row in range(6)]
    texts = model.texts(path)
    assert [None if pd.isna(text) else text for text in texts] == [
        str(cell).lower() if isinstance(cell, bool) else cell for cell in cells
    ]
    assert all(may_hold(field, sign) for text in texts.dropna() for sign in text)


@given(
    st.lists(
        st.none()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.floats(0.001, 1e15)
        | st.sampled_from([0.001, 0.0009999, 1e15, 1e16, 1e21, -0.0, 2.0**63])
    )
)
def test_numbers_are_written_as_they_are_shown(numbers):
    field = Field("n", "Number")
    cells = pd.Series(numbers, dtype="Float64")
    texts = [None if pd.isna(text) else text for text in texts_of(field, cells)]
    assert texts == [None if number is None else show(field, float(number)) for number in numbers]


def test_what_is_copied_is_what_is_shown(model):
    model.edit([(0, "s", "new\tone"), (1, "w", "many"), (6, "t", "p, q"), (6, "b", "on")], new=1)
    columns = len(VALUES)
    copied = tsv(model, np.arange(7), range(columns))
    assert copied.splitlines()[0].startswith('"new\tone"\ta\t1\t1\tTRUE\t2026-01-02\t"[""x"", ""y""]"\t[1]\t')
    assert copied.splitlines()[1] == '""""""\t\t2.5\tmany\tFALSE\t2026-01-02 03:04:05.678\t\t\t'
    assert copied.splitlines()[-1] == '\t\t\t\tTRUE\t\t"[""p"", ""q""]"\t\t'
    cells = [tsv(model, np.array([6]), [n]) for n in range(columns)]
    assert cells == copied.splitlines()[-1].split("\t")


def test_find_remembers_the_frame_and_sees_edits_and_sorts(model, monkeypatch):
    finder = Finder(model, Search("A"))
    assert (finder.next(9, 0), len(finder)) == ((0, 0, 1, 9), 9)  # s 3, e 3, b 1, x 2
    monkeypatch.setattr(model, "texts", None)  # the frame is not looked through again
    model.edit([(0, "s", "b"), (1, "e", "a"), (2, "w", "a lot")])
    finder.forget()
    assert (finder.next(9, 0), len(finder)) == ((0, 1, 1, 10), 10)

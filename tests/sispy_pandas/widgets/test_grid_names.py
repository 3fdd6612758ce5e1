"""Columns of references: sorted, filtered, found and edited by the names that the grid shows."""

from __future__ import annotations

import time

import pandas as pd
import pytest

pytest.importorskip("anywidget")

from sispy_pandas.widgets.cells import Edit
from sispy_pandas.widgets.grid_model import GridModel
from sispy_pandas.widgets.grid_names import named
from sispy_pandas.widgets.grid_order import Finder, View

NAMES = {f"{n:024x}": name for n, name in enumerate(["east", "Delta", "charlie", "bravo"])}


class Labels:
    """Names of four racks; a fifth has none."""

    def of(self, schema, ids):
        assert schema == "rack"
        return {id_: NAMES[id_] for id_ in ids if id_ in NAMES}

    def ids(self, schema, names):
        assert schema == "rack"
        return {name: id_ for id_, name in NAMES.items() if name in names}

    def find(self, schema, text):
        return [(id_, name) for id_, name in NAMES.items() if text in name]


@pytest.fixture
def model(host_schema, hosts):
    model = GridModel(host_schema, hosts(10))  # host n stands in rack n % 5
    model.labels = Labels()
    return model


def order(model, **view):
    model.look(View(**view))
    return model.order.tolist()


def test_rows_are_sorted_by_name_and_those_without_one_by_id(model):
    assert order(model, sort="rack") == [4, 9, 3, 8, 2, 7, 1, 6, 0, 5]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("ar", [2, 7]),
        ("=delta", [1, 6]),
        ("!=delta", [0, 2, 3, 4, 5, 7, 8, 9]),
        (f"={1:024x}", [1, 6]),
        (f"={4:024x}", [4, 9]),
    ],
)
def test_rows_are_filtered_by_name_or_whole_id(model, text, rows):
    assert order(model, filters={"rack": text}) == rows


def test_a_name_is_found_also_in_an_edited_cell(model):
    model.edit([(0, "rack", "bravo")])
    finder = Finder(model, "BRAVO")
    column = [one.field.path for one in model.columns].index("rack")
    hits = [finder.next(position, 0) for position in (0, 1, 4)]
    assert hits == [(0, column, 1, 3), (3, column, 2, 3), (8, column, 3, 3)]
    assert len(Finder(model, "000000000003")) == 1  # the id of a host; those of racks are out of sight


def test_a_name_is_taken_for_its_id_and_one_that_nothing_has_is_refused(model):
    model.edit([(0, "rack", " bravo "), (1, "rack", "nowhere"), (2, "rack", f"{4:024x}"), (3, "rack", "")])
    edits = {row: by_path["rack"] for row, by_path in model.edits.items()}
    assert (edits[0], edits[2], edits[3]) == (Edit(f"{3:024x}"), Edit(f"{4:024x}"), Edit(None))
    assert edits[1].value == "nowhere"
    assert edits[1].reason is not None


def test_without_names_ids_are_all_there_is(host_schema, hosts):
    model = GridModel(host_schema, hosts(10))
    model.edit([(0, "rack", "bravo")])
    assert model.edits[0]["rack"].reason is not None
    assert order(model, filters={"rack": "0001"}) == [1, 6]


def test_thousands_of_names_for_a_hundred_thousand_rows_take_a_moment(model):
    ids = [f"{n:024x}" for n in range(3_000)]
    model.labels.of = lambda _, wanted: {id_: f"rack {int(id_, 16)}" for id_ in wanted}
    cells = pd.Series([ids[n % 3_000] if n % 7 else None for n in range(100_000)], dtype="str")
    started = time.process_time()
    shown = named(model, "rack", cells)
    assert time.process_time() - started < 1  # s; replace() took eleven
    assert (shown[1], shown.isna().sum()) == ("rack 1", 14_286)

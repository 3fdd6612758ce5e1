"""Columns of references: sorted, filtered, found and edited by the names that the grid shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("anywidget")

from sispy_pandas.values import records
from sispy_pandas.values.schema import Schema
from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets.cells import Edit
from sispy_pandas.widgets.grid import Grid
from sispy_pandas.widgets.grid_blocks import tsv
from sispy_pandas.widgets.grid_frame import joined
from sispy_pandas.widgets.grid_model import GridModel, View
from sispy_pandas.widgets.grid_names import named_column
from sispy_pandas.widgets.grid_order import look
from sispy_pandas.widgets.grid_search import Finder, Search

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
    look(model, View(**view))
    return model.order.tolist()


def test_rows_are_sorted_by_name_and_those_without_one_by_id(model):
    assert order(model, sorts=(("rack", False),)) == [4, 9, 3, 8, 2, 7, 1, 6, 0, 5]


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
    finder = Finder(model, Search("BRAVO"))
    column = [one.field.path for one in model.columns].index("rack")
    hits = [finder.next(position, 0) for position in (0, 1, 4)]
    assert hits == [(0, column, 1, 3), (3, column, 2, 3), (8, column, 3, 3)]
    assert len(Finder(model, Search("000000000003"))) == 1  # of a host; those of racks are out of sight


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


SPARES = Field("spares", "Array", item=Field("", "ObjectId", ref="rack"))
RACK = Field("rack", "ObjectId", ref="rack")
SCHEMA = Schema("shelf", (Field("name", "String", unique=True), SPARES, RACK), "name", {})
IDS = [f"{n:024x}" for n in range(5)]


@pytest.fixture
def shelves():
    values: dict[str, list[Any]] = {
        "name": ["a", "b", "c"],
        "spares": [[IDS[0], IDS[1]], [], [IDS[4], IDS[2]]],
        "rack": [IDS[3], IDS[2], None],
    }
    model = GridModel(
        SCHEMA, records.frame_of(SCHEMA, values, [f"{n:024x}" for n in range(9, 12)], [0, 0, 0])
    )
    model.labels = Labels()
    return model


def test_lists_of_references_are_filtered_sorted_found_and_copied_by_name(shelves):
    assert order(shelves, filters={"spares": "delta"}) == [0]
    assert order(shelves, filters={"spares": "="}) == [1]
    assert order(shelves, filters={"spares": IDS[1]}) == [0]
    assert order(shelves, sorts=(("spares", False),)) == [2, 0, 1]  # an id comes before a name
    look(shelves, View())
    column = [one.field.path for one in shelves.columns].index("spares")
    shelves.edit([(2, "spares", '["bravo"]')])
    find = Finder(shelves, Search("BRAVO")).next
    assert [(find(0, at) or ())[:2] for at in (0, 2)] == [(0, column + 1), (2, column)]
    assert tsv(shelves, np.arange(3), [1, 2]) == (
        '"[""east"", ""Delta""]"\tbravo\n\tcharlie\n"[""bravo""]"\t'
    )


def test_names_in_a_list_are_taken_for_their_ids_and_one_that_nothing_has_is_refused(shelves):
    shelves.edit([(0, "spares", f'["bravo", " Delta ", "{IDS[4]}"]'), (1, "spares", ["east"])])
    shelves.edit([(2, "spares", '["bravo", "nowhere"]')])
    edits = {row: by_path["spares"] for row, by_path in shelves.edits.items()}
    assert (edits[0], edits[1]) == (Edit([IDS[3], IDS[1], IDS[4]]), Edit([IDS[0]]))
    assert edits[2].value == f'["{IDS[3]}", "nowhere"]'  # shown with the name of the first
    assert "nowhere" in edits[2].reason
    assert joined(shelves)["spares"].iloc[0] == (IDS[3], IDS[1], IDS[4])
    shelves.edit([(0, "spares", "[bravo"), (1, "spares", '"bravo"')])
    assert shelves.edits[0]["spares"].value == "[bravo"
    assert shelves.edits[1]["spares"] == Edit([IDS[3]])


def test_names_are_shown_and_edited_in_lists_and_in_all_columns_of_one_schema(shelves, mount):
    page = mount(Grid(shelves, labels=Labels()))
    spares, rack = (page.locator(f'.body [data-row="0"][data-column="{n}"]') for n in (1, 2))
    spares.get_by_text('["east", "Delta"]', exact=True).wait_for()
    rack.get_by_text("bravo", exact=True).wait_for()
    spares.dblclick()
    assert page.locator(".editor").input_value() == '["east", "Delta"]'
    page.keyboard.press("Enter")  # untouched
    assert shelves.edits == {}
    spares.dblclick()
    page.locator(".editor").fill("")
    page.keyboard.type('["br')
    page.get_by_role("option", name="bravo").wait_for()
    page.keyboard.press("Enter")  # takes the name into the list
    page.keyboard.type(', "Delta"]')
    page.locator(".list").wait_for(state="hidden")
    page.keyboard.press("Enter")
    spares.get_by_text('["bravo", "Delta"]', exact=True).wait_for()
    assert shelves.edits == {0: {"spares": Edit([IDS[3], IDS[1]])}}
    assert spares.get_attribute("title") == 'was: ["east", "Delta"]\nnow: ["bravo", "Delta"]'
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == '"[""bravo"", ""Delta""]"'


def test_thousands_of_names_for_a_hundred_thousand_rows_take_a_moment(model):
    ids = [f"{n:024x}" for n in range(3_000)]
    asked = []

    def of(_, wanted):
        asked.append(len(wanted))
        return {id_: f"rack {int(id_, 16)}" for id_ in wanted}

    model.labels.of = of
    cells = pd.Series([ids[n % 3_000] if n % 7 else None for n in range(100_000)], dtype="str")
    shown = named_column(model.labels, model.column("rack").field, cells)
    assert asked == [3_000]
    assert (shown[1], shown.isna().sum()) == ("rack 1", 14_286)

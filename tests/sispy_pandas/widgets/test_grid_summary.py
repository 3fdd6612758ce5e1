"""Values of a column to filter by, and sums of a selection."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")

from grid_page import Racks
from sispy_pandas.widgets import grid_summary
from sispy_pandas.widgets.grid_fill import Area
from sispy_pandas.widgets.grid_model import GridModel, View
from sispy_pandas.widgets.grid_order import look
from sispy_pandas.widgets.grid_summary import summary, values_of


@pytest.fixture
def model(host_schema, hosts):
    model = GridModel(host_schema, hosts(9))
    model.labels = Racks()
    return model


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("os", [(None, 3), ("debian13", 3), ("rhel9", 3)]),
        ("live", [(None, 3), ("false", 3), ("true", 3)]),
        ("cores", [(str(n), 1) for n in range(1, 10)]),
        ("rack", [("R0", 2), ("R1", 2), ("R2", 2), ("R3", 2), ("R4", 1)]),
        ("tags", [(None, 3), ('["web", "eu"]', 3), ('["web"]', 3)]),
    ],
)
def test_values_of_a_column_can_be_ticked(model, path, values):
    assert values_of(model, path) == {"values": values, "more": 0}
    for value, count in values:
        look(model, View(filters={path: (value,)}))
        assert len(model) == count
    look(model, View(filters={path: tuple(value for value, _ in values)}))
    assert len(model) == 9


def test_values_are_those_that_other_filters_let_through_as_edited_and_searched(model, monkeypatch):
    model.edit([(0, "os", "windows2025"), (1, "cores", "many")])
    model.add_rows()
    look(model, View(filters={"cores": "<4", "os": ("rhel9",)}))
    assert values_of(model, "os") == {"values": [(None, 1), ("windows2025", 1)], "more": 0}
    look(model, View())
    assert values_of(model, "cores", "1") == {"values": [("1", 1)], "more": 0}
    assert values_of(model, "os", "I")["values"] == [("debian13", 2), ("windows2025", 1)]
    monkeypatch.setattr(grid_summary, "_MOST", 2)
    assert values_of(model, "os") == {"values": [(None, 3), ("rhel9", 3)], "more": 2}


def test_a_selection_is_summed_with_edits_and_new_rows(model, monkeypatch):
    cores = [column.field.path for column in model.columns].index("cores")
    model.edit([(0, "cores", "2"), (1, "cores", "many"), (2, "cores", None)])
    model.add_rows()
    model.edit([(9, "cores", "1.5")])
    assert summary(model, [Area(0, cores, 4, 1), Area(3, cores, 1, 1), Area(9, cores, 1, 1)]) == {
        "cells": 5, "filled": 4, "invalid": 1, "distinct": 3,
        "sum": 7.5, "average": 2.5, "min": 1.5, "max": 4.0,
    }  # fmt: skip
    assert summary(model, [Area(0, 1, 9, 1)]) == {"cells": 9, "filled": 6, "invalid": 0, "distinct": 2}
    tags = [column.field.path for column in model.columns].index("tags")
    monkeypatch.setattr(grid_summary, "_MOST_COMPARED", 8)
    assert summary(model, [Area(0, tags, 9, 1)]) == {"cells": 9, "filled": 6, "invalid": 0, "distinct": None}


def test_refused_cells_are_filled_and_counted_beside_duplicates(model):
    cores = [column.field.path for column in model.columns].index("cores")
    model.add_rows()
    model.edit([(0, "cores", "1,5"), (1, "name", "web000000"), (2, "name", None), (9, "cores", "2,5")])
    area = Area(0, cores, 10, 1)
    assert {name: summary(model, [area])[name] for name in ("cells", "filled", "invalid", "distinct")} == {
        "cells": 10, "filled": 10, "invalid": 2, "distinct": 8,
    }  # fmt: skip
    assert summary(model, [Area(0, 0, 3, 1)]) == {"cells": 3, "filled": 2, "invalid": 2, "distinct": 1}

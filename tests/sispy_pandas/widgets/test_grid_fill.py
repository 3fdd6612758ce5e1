"""Filled areas: repeated in every direction, or counted on."""

from __future__ import annotations

import pytest

from sispy_pandas.widgets.grid_fill import Area, cells_of, fill_edits
from sispy_pandas.widgets.grid_model import GridModel


@pytest.fixture
def model(host_schema, hosts):
    return GridModel(host_schema, hosts(9))


def test_what_is_filled_repeats_its_source_in_every_direction(model):
    cores = [column.field.path for column in model.columns].index("cores")
    two = Area(2, cores, 2, 1)  # 3 and 4
    down = fill_edits(model, two, Area(2, cores, 5, 1))
    assert down == [(4, "cores", 3), (5, "cores", 4), (6, "cores", 3)]
    up = fill_edits(model, two, Area(0, cores, 4, 1))
    assert up == [(0, "cores", 3), (1, "cores", 4)]
    right = fill_edits(model, Area(0, 0, 1, 1), Area(0, 0, 1, 3))
    assert right == [(0, "os", "web000000"), (0, "live", "web000000")]


@pytest.mark.parametrize(
    ("path", "given", "rows", "filled"),
    [
        ("name", ["web09"], 3, ["web10", "web11"]),
        ("name", ["rack 9a"], 2, ["rack 10a"]),
        ("name", ["a2", "a4"], 4, ["a6", "a8"]),
        ("name", ["a1", "b2"], 4, ["a1", "b2"]),
        ("name", ["a"], 2, ["a"]),
        ("name", ["a2", "a1"], 5, ["a0", "a1", "a2"]),  # nothing is below 0: then it repeats
        ("net.ip", ["10.0.0.9/24"], 2, ["10.0.0.10/24"]),
        ("cores", [4, 8], 3, [12]),
        ("cores", [4, 8, 9], 4, [4]),
        ("bought", ["2026-01-31"], 2, ["2026-02-01T00:00:00.000Z"]),
        ("os", ["rhel9"], 2, ["rhel9"]),
        ("live", [True], 2, [True]),
        ("note", [None], 2, [None]),
    ],
)
def test_counting_on(model, path, given, rows, filled):
    column = [column.field.path for column in model.columns].index(path)
    model.edit([(row, path, value) for row, value in enumerate(given)])
    source, target = Area(0, column, len(given), 1), Area(0, column, rows, 1)
    assert [value for _, _, value in fill_edits(model, source, target, count=True)] == filled


def test_counting_goes_up_and_to_the_right_too(model):
    model.edit([(4, "name", "a7")])
    above = fill_edits(model, Area(4, 0, 1, 1), Area(2, 0, 3, 1), count=True)
    assert above == [(2, "name", "a5"), (3, "name", "a6")]
    right = fill_edits(model, Area(4, 0, 1, 1), Area(4, 0, 1, 2), count=True)
    assert right == [(4, "os", "a8")]


def test_cells_of_areas_that_overlap_count_once(model):
    assert cells_of(model, [Area(0, 0, 2, 1), Area(1, 0, 1, 2)]) == [(0, "name"), (1, "name"), (1, "os")]

"""Find and replace in what cells show."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")

from grid_page import Racks
from sispy_pandas.widgets import grid_search
from sispy_pandas.widgets.columns import columns_of
from sispy_pandas.widgets.grid import Grid
from sispy_pandas.widgets.grid_fill import Area
from sispy_pandas.widgets.grid_model import GridModel
from sispy_pandas.widgets.grid_search import Finder, Search, replacements


@pytest.fixture
def model(host_schema, hosts):
    frame = hosts(9)
    columns = columns_of(host_schema, frame, readonly=("net.ip",))
    model = GridModel(host_schema, frame, columns=columns, fixed={8: "immutable"})
    model.labels = Racks()
    return model


def column(model, path):
    return [column.field.path for column in model.columns].index(path)


@pytest.mark.parametrize(
    ("search", "by", "text", "after"),
    [
        (Search("WEB"), "db", "web web", "db db"),
        (Search("web", case=True), "db", "Web web", "Web db"),
        (Search("a.b"), "$1", "a.b axb", "$1 axb"),
        (Search(r"(\w+)-(\d+)", pattern=True), r"$2 \1 $& $$ $7", "web-12", "12 web web-12 $ $7"),
        (Search("^W", pattern=True), "v", "web", "vveb".replace("vv", "v")),
        (Search("^W", pattern=True, case=True), "v", "web", "web"),
    ],
)
def test_what_takes_the_place(search, by, text, after):
    assert search.replaced(text, by) == after


def test_a_pattern_that_is_none_and_one_that_takes_too_long_say_so(monkeypatch):
    with pytest.raises(ValueError, match="Regular expression is invalid"):
        Search("(", pattern=True)
    monkeypatch.setattr(grid_search, "_SECONDS", 0.02)
    with pytest.raises(ValueError, match="takes too long"):
        Search("^(a|aa)+$", pattern=True).is_in("a" * 60 + "b")


def test_everything_that_is_shown_is_looked_through(model):
    model.edit([(0, "cores", "many"), (1, "note", "new web")])
    model.add_rows()
    model.edit([(9, "name", "web9")])
    found = replacements(model, Search("web"), "db")
    assert (found.locked, found.rows, found.sample) == (2, 9, ("web000000", "db000000"))  # 8's name and tags
    assert [edit for edit in found.edits if edit[1] != "name"] == [
        (1, "tags", '["db"]'), (2, "tags", '["db", "eu"]'), (4, "tags", '["db"]'),
        (5, "tags", '["db", "eu"]'), (7, "tags", '["db"]'), (1, "note", "new db"),
    ]  # fmt: skip
    assert found.edits[8] == (9, "name", "db9")
    assert replacements(model, Search("10.0"), "x").locked == 9  # which is read-only
    assert replacements(model, Search("true"), "x").edits == []
    refused = model.edit(replacements(model, Search("many"), "12").edits)
    assert (refused, model.value(0, "cores")) == ([], 12)
    model.undo()
    assert model.text(0, "cores") == "many"


def test_names_dates_and_numbers_are_replaced_as_they_are_shown(model):
    found = replacements(model, Search("r1"), "R2", [Area(0, column(model, "rack"), 9, 1)])
    assert found.edits == [(1, "rack", "R2"), (6, "rack", "R2")]
    model.edit(found.edits)
    assert model.value(1, "rack") == f"{2:024x}"
    dates = replacements(
        model, Search(r"-(\d\d)$", pattern=True), "-2$1", [Area(0, column(model, "bought"), 2, 1)]
    )
    assert [after for _, _, after in dates.edits] == ["2010-03-201", "2011-03-202"]
    cores = [Area(0, column(model, "cores"), 1, 1)]
    assert replacements(model, Search("^(.)$", pattern=True), "$10", cores).edits == [(0, "cores", "10")]


def test_areas_that_overlap_and_hidden_rows_are_heeded(model):
    two = [Area(0, 0, 2, 1), Area(1, 0, 2, 1)]
    assert [position for position, _, _ in replacements(model, Search("web"), "db", two).edits] == [0, 1, 2]


def test_find_takes_patterns(model):
    assert len(Finder(model, Search("^web.*[12]$", pattern=True))) == 2
    assert len(Finder(model, Search("WEB", case=True))) == 0


def test_the_grid_counts_replaces_in_one_step_and_says_what_is_wrong(model, monkeypatch):
    grid = Grid(model, labels=Racks())
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(grid, "send", sent.append)

    def ask(order=0, **given):
        message = {"id": "1", "text": "web", "by": "db", "areas": None, "do": False} | given
        sent.clear()
        grid._receive(grid, {"type": "replace", "order": grid._order + order, **message}, [])
        return next(message for message in sent if "id" in message)

    counts = {"cells": 13, "rows": 8, "locked": 2, "sample": ("web000000", "db000000")}
    assert (ask(), model.edits) == ({"id": "1", **counts}, {})
    assert ask(do=True) == {"id": "1", **counts}
    assert (len(model.edits), ask()["cells"]) == (8, 0)
    model.undo()
    assert model.edits == {}
    assert "Regular expression is invalid" in ask(text="(", pattern=True)["error"]
    assert ask(order=1) == {"id": "1", "error": "the rows or columns have moved meanwhile"}

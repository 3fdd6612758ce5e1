"""The grid's model: edits on top of a frame that never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sispy_pandas.widgets.cells import Edit
from sispy_pandas.widgets.columns import columns_of
from sispy_pandas.widgets.grid_blocks import block_edits, tsv
from sispy_pandas.widgets.grid_fill import Area
from sispy_pandas.widgets.grid_frame import joined, split
from sispy_pandas.widgets.grid_model import GridModel, Note, View
from sispy_pandas.widgets.grid_order import look
from sispy_pandas.widgets.grid_search import Finder, Search
from sispy_pandas.widgets.grid_window import window

if TYPE_CHECKING:
    from collections.abc import Callable

_NESTED = "[" * 9_000 + "]" * 9_000


@pytest.fixture
def model(host_schema, hosts):
    frame = hosts(9)
    columns = columns_of(host_schema, frame, readonly=("net.ip",))
    return GridModel(host_schema, frame, columns=columns, fixed={8: "immutable"})


def test_an_edit_that_says_what_was_there_is_none(model):
    model.edit(
        [(0, "cores", "1.0"), (1, "tags", '["web"]'), (2, "note", "bought with order 2"), (0, "extra", "")]
    )
    assert (model.edits, model.can_undo) == ({}, False)


def test_the_frame_has_the_edits_in_its_own_types(model, hosts):
    model.edit(
        [(0, "cores", "7"), (1, "tags", '["db", "eu"]'), (2, "live", "yes"), (3, "os", ""), (4, "note", '""')]
    )
    frame = joined(model)
    expected = hosts(9)
    expected.loc[expected.index[0], "cores"] = 7
    expected.at[expected.index[1], "tags"] = ("db", "eu")
    expected.loc[expected.index[2], "live"] = True
    expected.loc[expected.index[3], "os"] = None
    expected.loc[expected.index[4], "note"] = ""
    pd.testing.assert_frame_equal(frame, expected)
    pd.testing.assert_frame_equal(model.base, hosts(9))


def test_a_fraction_widens_the_column_and_refused_input_stays_in_the_frame(model):
    model.edit([(0, "cores", "1.5"), (1, "os", "amiga")])
    frame = joined(model)
    assert (str(frame["cores"].dtype), frame["cores"].iloc[0]) == ("Float64", 1.5)
    assert (frame["os"].dtype.kind, frame["os"].iloc[1]) == ("O", "amiga")
    assert model.counts() == {
        "rows": 9, "changed": 2, "invalid": 1, "new": 0, "deleted": 0, "conflicts": 0, "failed": 0,
    }  # fmt: skip


def test_new_rows_follow_and_rows_to_delete_are_left_out(model, hosts):
    model.add_rows(2)
    model.edit([(9, "name", "db1"), (9, "tags", '["db"]'), (10, "cores", "4")])
    model.toggle_delete([0, 1])
    frame = joined(model)
    assert model.deleted_ids == [f"{0:024x}", f"{1:024x}"]
    pd.testing.assert_frame_equal(frame.iloc[:7], hosts(9).iloc[2:])
    new = frame.iloc[7:]
    assert (new.index.isna().tolist(), new["name"].fillna("-").tolist()) == ([True, True], ["db1", "-"])
    assert (new["tags"].tolist(), new["cores"].fillna(0).tolist()) == ([("db",), ()], [0, 4])
    model.toggle_delete([0, 1, 9])  # not all of them are marked: mark all; the new one goes
    assert (len(model), model.counts()["new"], model.counts()["deleted"]) == (10, 1, 2)
    model.undo()
    model.toggle_delete([0, 1])
    assert (len(model), model.deleted_ids) == (11, [])


def test_new_rows_come_with_the_cells_pasted_into_them(model):
    model.edit([(9, "name", "a"), (10, "name", "b")], new=2)
    assert (len(model), model.counts()["new"]) == (11, 2)
    assert model.undo() == [(9, "_new"), (10, "_new"), (9, "name"), (10, "name")]
    assert (len(model), model.edits, model.undo()) == (9, {}, [])


def test_new_rows_stand_where_they_were_added(model):
    model.add_rows(at=2)  # 9
    model.add_rows(2, at=2)  # above the one before
    model.add_rows(at=5)  # above row 2, below it
    model.add_rows()
    assert model.order.tolist() == [0, 1, 10, 11, 9, 12, 2, 3, 4, 5, 6, 7, 8, 13]
    assert model.edit([(3, "name", "x"), (4, "name", "y"), (5, "name", "z")], new=1, at=4) == []
    assert model.order.tolist() == [0, 1, 10, 11, 14, 9, 12, 2, 3, 4, 5, 6, 7, 8, 13]
    assert [model.value(row, "name") for row in (11, 14, 9)] == ["x", "y", "z"]
    model.undo()
    model.toggle_delete([3])
    assert model.order.tolist() == [0, 1, 10, 9, 12, 2, 3, 4, 5, 6, 7, 8, 13]
    model.undo()  # it comes again where it was
    assert model.order.tolist() == [0, 1, 10, 11, 9, 12, 2, 3, 4, 5, 6, 7, 8, 13]
    look(model, View(sorts=(("name", True),)))
    assert model.order.tolist() == [8, 7, 6, 5, 4, 3, 10, 11, 9, 12, 2, 1, 0, 13]
    look(model, View(filters={"name": "web000004"}))
    assert model.order.tolist() == [4, 10, 11, 9, 12, 13]
    model.add_rows(at=0)
    look(model, View())
    assert model.order.tolist() == [0, 1, 10, 11, 9, 12, 2, 3, 15, 4, 5, 6, 7, 8, 13]


def test_read_only_columns_and_rows_are_left_alone_and_say_why(model):
    assert model.edit([(0, "net.ip", "1.2.3.4"), (0, "_id", "x"), (8, "note", "x")]) == [
        "net.ip is read-only",
        "_id is read-only",
        "immutable",
    ]
    assert model.edits == {}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.integers(0, 8), st.sampled_from(["name", "cores", "note"]), st.sampled_from(["", "5", "x"])
            ),
            st.sampled_from(["add", "insert", "delete", "undo", "redo"]),
        ),
        max_size=12,
    )
)
def test_undoing_everything_leaves_the_frame_as_it_was(host_schema, hosts, actions):
    model = GridModel(host_schema, hosts(9))
    for action in actions:
        if isinstance(action, tuple):
            model.edit([action])
        elif action == "delete":
            model.toggle_delete([len(model) - 1])
        else:
            called: dict[str, Callable[[], object]] = {
                "add": model.add_rows,
                "insert": lambda: model.add_rows(2, at=len(model) // 2),
                "undo": model.undo,
                "redo": model.redo,
            }
            called[action]()
    after = {row: dict(edits) for row, edits in model.edits.items()}
    steps = 0
    while model.undo():
        steps += 1
    assert (model.edits, model.order.tolist()) == ({}, list(range(9)))
    for _ in range(steps):
        model.redo()
    assert model.edits == after


def test_an_edited_frame_is_taken_apart_into_base_and_edits(model, host_schema, hosts):
    model.edit([(0, "cores", "7"), (1, "os", "amiga"), (2, "tags", '["x"]'), (3, "extra", "")])
    model.add_rows()
    model.edit([(9, "name", "db1")])
    opened, edits = split(host_schema, hosts(9), joined(model))
    again = GridModel(host_schema, opened)
    again.seed(edits)
    assert again.edits == model.edits
    pd.testing.assert_frame_equal(joined(again), joined(model))
    assert split(host_schema, hosts(9), hosts(9).iloc[[4, 2]][["name", "os"]])[1] == {}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda frame: frame.reset_index(drop=True), "has no _id"),
        (lambda frame: pd.concat([frame, frame.head(1)]), f"{0:024x} stands in more than one row"),
        (lambda frame: frame.rename(index={f"{3:024x}": "f" * 24}), "1 row is not in the snapshot"),
    ],
)
def test_a_frame_whose_rows_cannot_be_recognised_is_refused(host_schema, hosts, spoil, reason):
    with pytest.raises(ValueError, match=reason):
        split(host_schema, hosts(9), spoil(hosts(9)))


def test_sorting_and_filtering_see_edits_but_edits_do_not_move_rows(model):
    model.edit([(0, "cores", "100")])
    look(model, View(sorts=(("cores", True),)))
    assert model.order.tolist() == [0, 8, 7, 6, 5, 4, 3, 2, 1]
    model.edit([(0, "cores", "1")])
    assert model.order.tolist()[0] == 0
    look(model, View(sorts=(("cores", False),)))
    assert model.order.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]


def test_rows_are_sorted_by_several_columns_the_first_counts_most(model):
    look(model, View(sorts=(("os", True), ("cores", False))))
    assert model.order.tolist() == [1, 4, 7, 0, 3, 6, 2, 5, 8]
    look(model, View(sorts=(("os", False), ("cores", True))))
    assert model.order.tolist() == [6, 3, 0, 7, 4, 1, 8, 5, 2]


def test_a_hidden_column_is_left_out_of_blocks_but_keeps_its_edits(model):
    model.edit([(0, "os", "rhel9")])
    look(model, View(hidden=frozenset({"os", "live"})))
    assert [column.field.path for column in model.columns[:3]] == ["name", "cores", "bought"]
    assert block_edits(model, [["a", "2"]], Area(1, 0, 1, 1)) == [(1, "name", "a"), (1, "cores", "2")]
    assert tsv(model, np.array([0]), [0, 1]) == "web000000\t1"
    assert joined(model)["os"].iloc[0] == "rhel9"
    with pytest.raises(ValueError, match="the last column cannot be hidden"):
        look(model, View(hidden=frozenset(column.field.path for column in model.all_columns)))
    assert len(model.columns) == 10


@pytest.mark.parametrize(
    ("path", "text", "rows"),
    [
        ("name", "WEB000004", [4]),
        ("name", "!web000004", [0, 1, 2, 3, 5, 6, 7, 8]),
        ("cores", ">=8", [7, 8]),
        ("cores", "=3", [2]),
        ("os", "=", [2, 5, 8]),
        ("os", "!=RHEL9", [0, 2, 3, 5, 6, 8]),
        ("live", "=yes", [0, 3, 6]),
        ("bought", "<2012-01-01", [0, 1]),
        ("tags", "eu", [2, 5, 8]),
        ("extra", "!=", [1, 3, 5, 7]),
        ("name", " ", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_filters(model, path, text, rows):
    look(model, View(filters={path: text}))
    assert model.order.tolist() == rows


def test_a_filter_that_makes_no_sense_leaves_the_view_as_it_was(model):
    look(model, View(sorts=(("cores", True),)))
    with pytest.raises(ValueError, match="many"):
        look(model, View(filters={"cores": ">many"}))
    with pytest.raises(ValueError, match="extra has no order"):
        look(model, View(filters={"extra": ">1"}))
    assert model.view == View(sorts=(("cores", True),))


def test_changed_and_invalid_rows_can_be_shown_alone(model):
    model.edit([(0, "cores", "x"), (1, "note", "y")])
    model.note({5: {"note": Note("conflict", "changed by bob", "z")}})
    look(model, View(show="changed"))
    assert model.order.tolist() == [0, 1, 5]
    look(model, View(show="invalid"))
    assert model.order.tolist() == [0, 5]


def test_find_goes_around_and_back_and_sees_edits(model):
    model.edit([(0, "note", "web here")])
    finder = Finder(model, Search("WEB"))
    columns = [column.field.path for column in model.columns]
    assert len(finder) == 16  # nine names, six tags, one edit
    assert finder.next(0, 0) == (0, columns.index("note"), 2, 16)
    assert finder.next(0, 0, back=True) == (8, columns.index("tags"), 16, 16)
    assert Finder(model, Search("nowhere")).next(0, 0) is None


def test_a_window_holds_what_is_in_sight_and_what_is_out_of_the_ordinary(model):
    model.edit([(1, "cores", "999"), (2, "live", True)])
    model.note({2: {"live": Note("conflict", "changed by bob", False)}})
    seen = window(model, 1, 3)
    shown = {column.field.path: texts for column, texts in zip(model.columns, seen["cells"], strict=True)}
    assert shown["name"] == ["web000001", "web000002"]
    assert (shown["os"], shown["live"]) == (["rhel9", None], [False, True])
    assert (shown["cores"], shown["bought"]) == (["999", "3"], ["2011-03-02", "2012-03-03"])
    assert seen["marks"] == {
        0: {"cells": {3: {"is": "invalid", "was": "2", "why": "more than 128"}}},
        1: {"cells": {2: {"is": "conflict", "was": None, "why": "changed by bob", "theirs": False}}},
    }


def test_blocks_repeat_in_a_selection_that_is_a_multiple(model):
    assert block_edits(model, [["a"], ["b"]], Area(0, 0, 4, 1)) == [
        (0, "name", "a"), (1, "name", "b"), (2, "name", "a"), (3, "name", "b"),
    ]  # fmt: skip
    assert block_edits(model, [["a", "b"]], Area(8, 11, 1, 1)) == [(8, "_updated_at", "a")]
    assert block_edits(model, [[]], Area(0, 0, 1, 1)) == []
    assert tsv(model, np.array([1, 2]), [1, 2, 3]) == "rhel9\tFALSE\t2\n\t\t3"
    assert tsv(model, np.array([2, 0]), [3, 0], headers=True) == "cores\tname\n3\tweb000002\n1\tweb000000"


def test_a_duplicate_of_a_unique_value_is_refused_as_long_as_it_is_one(model):
    taken = "another row has this value already, and it must be unique"
    shared = "another row gets the same value, and it must be unique"
    model.edit([(0, "name", "web000003")])
    model.take_touched()
    assert (model.twins, model.counts()["invalid"]) == ({(0, "name"): taken}, 1)
    assert window(model, 0, 1)["marks"][0]["cells"][0] == {"is": "invalid", "was": "web000000", "why": taken}
    look(model, View(show="invalid"))
    assert model.order.tolist() == [0]
    look(model, View())
    model.edit([(3, "name", "db3")])  # the name is free
    assert (model.twins, model.take_touched()) == ({}, {(0, "name"), (3, "name")})
    model.undo()
    model.toggle_delete([3])  # so it is now
    assert model.twins == {}
    model.undo()
    model.edit([(9, "name", "new"), (1, "name", "new"), (2, "name", ""), (0, "name", "")], new=1)
    assert model.twins == {(9, "name"): shared, (1, "name"): shared}
    again = GridModel(model.schema, model.base)
    again.seed(model.edits)
    assert again.twins == model.twins
    model.toggle_delete([9])
    assert model.twins == {}
    assert model.edit([(4, "cores", "3")]) == []  # web3 has it, too: it is not unique
    assert model.twins == {}


def test_rows_that_cannot_be_edited_or_deleted_look_so_from_the_start(model):
    model.kept = {7: "the row is locked", 8: "no role"}
    marks = {
        n: {"row": row, "why": why}
        for n, row, why in ((7, "locked", "the row is locked"), (8, "fixed", "immutable"))
    }
    assert window(model, 0, 9)["marks"] == marks
    assert model.toggle_delete([6, 7, 8]) == ["the row is locked", "no role"]
    assert model.deleted_ids == [f"{6:024x}"]
    assert model.toggle_delete([6, 7]) == ["the row is locked"]
    assert model.deleted_ids == []
    assert model.edit([(7, "cores", "3")]) == []


def test_a_note_ends_when_the_cell_is_edited(model):
    model.note({1: {"note": Note("failed", "HTTP 500")}})
    assert model.counts()["failed"] == 1
    model.edit([(1, "note", "again")])
    assert (model.counts()["failed"], model.edits) == (0, {1: {"note": Edit("again")}})


@pytest.mark.parametrize(
    ("path", "text", "edit"),
    [
        ("os", " RHEL9 ", Edit("rhel9")),
        ("os", "rhel", Edit("rhel", "'rhel' is not allowed; did you mean 'rhel9'?")),
        ("live", "off", Edit(False)),
        ("live", "Y", Edit(True)),
        ("live", "perhaps", Edit("perhaps", "'perhaps' is neither true nor false")),
        ("cores", "0x10", Edit("0x10", "'0x10' is not a number")),
        ("cores", " 16 ", Edit(16)),
        ("bought", "3 Feb 2026", Edit("2026-02-03T00:00:00.000Z")),
        ("bought", " february 3rd, 2026 1:05 pm ", Edit("2026-02-03T13:05:00.000Z")),
        ("bought", "2026/2/3", Edit("2026-02-03T00:00:00.000Z")),
        (
            "bought",
            "03-Feb-26",
            Edit("03-Feb-26", "'03-Feb-26' has a year of two digits: write all four"),
        ),
        ("bought", "31 Feb 2026", Edit("31 Feb 2026", "'31 Feb 2026' is not an ISO date or time")),
        ("tags", 'db, "x, y",', Edit(["db", "x, y"])),
        ("tags", "db", Edit(["db"])),
        ("tags", '["a", "b"]', Edit(["a", "b"])),
        ("note", " as it is ", Edit(" as it is ")),
        ("extra", '{"a": NaN}', Edit('{"a": NaN}', "not JSON: NaN is no value of it")),
        ("extra", _NESTED, Edit(_NESTED, "nested more than 200 levels deep")),
    ],
)
@pytest.mark.usefixtures("deep")
def test_cells_take_what_people_type(model, path, text, edit):
    model.edit([(2, "os", "debian13"), (2, "live", "true" if edit.value is False else "false")])
    model.edit([(2, path, text)])
    assert model.edits[2][path] == edit

"""Equal changes together: what is equal, what stands for itself, and what a column splits."""

from __future__ import annotations

import pytest

import sispy_pandas as sp
from sispy_pandas.planning.groups import WHOLE_ROW, Equal, Split, grouped
from sispy_pandas.planning.render import groups
from sispy_pandas.values.changes import Change, Create, Delete, Update


def test_equal_changes_are_one_group_and_others_stand_for_themselves():
    first, second = Update("a", {"n": 1, "t": "x"}, {"n": 2, "t": "y"}), Update("b", {"n": 1}, {"n": 2})
    third = Update("c", {"n": 1}, {"n": 3})
    made, too = Create(0, {"n": 2}), Create(1, {"n": 2, "t": "y"})
    gone = Delete("d", {"n": 1})

    found = grouped([first, second, third, made, too, gone])

    assert [(g.action, g.field, g.before, g.after, g.changes) for g in found.groups] == [
        ("update", "n", 1, 2, (first, second)),
        ("create", "n", None, 2, (made, too)),
    ]
    assert found.rare == (
        (gone, WHOLE_ROW, None, None),
        (first, "t", "x", "y"),
        (third, "n", 1, 3),
        (too, "t", None, "y"),
    )
    assert len(found) == 8


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), ("1", 1), (None, ""), ([1], [True]), ({"a": None}, {}), ("null", None)]
)
def test_values_that_only_look_alike_are_not_equal(one, other):
    rows = [
        Update(id_, {"x": "old"}, {"x": value}) for id_, value in zip("abcd", [one, other] * 2, strict=True)
    ]

    assert [(group.after, len(group)) for group in grouped(rows).groups] == [(one, 2), (other, 2)]


def test_a_column_splits_groups():
    rows = [Update(id_, {"x": 1}, {"x": 2}) for id_ in "abcde"]

    found = grouped(rows, Split("site", {"a": "fra1", "b": "fra1", "c": "ams1", "d": "ams1", "e": None}))

    assert [(group.by, len(group)) for group in found.groups] == [("fra1", 2), ("ams1", 2)]
    assert groups(found, {}).rows == [
        ("~", "x", 1, 2, "fra1", "2", 2, "a, b"),
        ("~", "x", 1, 2, "ams1", "2", 2, "c, d"),
    ]
    assert found.frame().to_dict("list") == {
        "action": ["update"] * 3,
        "field": ["x"] * 3,
        "before": [1, 1, 1],
        "after": [2, 2, 2],
        "site": ["fra1", "ams1", None],
        "rows": [2, 2, 1],
    }


def test_a_plan_is_split_by_its_own_columns_by_names_and_through_references(server):
    live = server.fetch()
    plan = live.diff(live.frame().assign(os="rhel9"), delete=[])

    def split(by):
        frame = plan.groups(by=by)
        return dict(zip(frame[by], frame["rows"], strict=True))

    assert plan.groups().values.tolist() == [["update", "os", "rhel8", "rhel9", 20]]
    assert split("live") == {True: 10, False: 10}
    assert split("site") == split("site.name") == {"s0": 7, "s1": 7, "s2": 6}
    with pytest.raises(ValueError, match="has no field 'sitte'"):
        plan.groups(by="sitte")


def test_new_rows_are_split_by_what_they_will_hold(server):
    import pandas as pd

    new = pd.DataFrame({"name": ["n1", "n2"], "cpus": [4, 4], "site": server.sites[:2]}).astype(object)

    plan = server.fetch().diff(new, new=True)

    assert plan.groups(by="site")[["field", "site", "rows"]].values.tolist() == [
        ["name", "s0", 1],
        ["cpus", "s0", 1],
        ["site", "s0", 1],
        ["name", "s1", 1],
        ["cpus", "s1", 1],
        ["site", "s1", 1],
    ]
    assert sp.Plan.groups(plan)["rows"].max() == 2


def test_equal_changes_of_many_plans_are_counted_and_few_are_kept():
    ups = [Update(f"u{n}", {"n": 1}, {"n": 2}) for n in range(8)]
    own = [Update(f"o{n}", {"n": 1}, {"n": 3 + n}) for n in range(3)]
    gone = Delete("d", {"n": 1})
    equal = Equal(4)

    parts: list[list[Change]] = [[ups[0], own[0], gone], [*ups[1:6], own[1]], [own[2], *ups[6:]]]
    for part in parts:
        equal.add(grouped(part))
    found = equal.found()

    assert [(len(g), g.before, g.after, g.changes) for g in found.groups] == [(8, 1, 2, tuple(ups[:3]))]
    assert found.rare == ((gone, WHOLE_ROW, None, None), (own[0], "n", 1, 3), (own[1], "n", 1, 4))
    assert (found.alone, found.frame()["rows"].tolist()) == ({"n": 2}, [8, 1, 1, 1])

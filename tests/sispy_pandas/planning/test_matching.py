import numpy as np
import pandas as pd
import pytest

from sispy_pandas.planning.matching import ids_in, labels_of, match_by_id, match_by_key, near_misses
from sispy_pandas.values.schema import parse_schema

SCHEMA = parse_schema({"name": "host", "definition": {"name": {"type": "String", "unique": True}}})


def ids(*numbers):
    return pd.Index([f"{n:024x}" for n in numbers], name="_id", dtype="str")


def test_a_snapshot_that_holds_a_row_twice_is_named():
    with pytest.raises(ValueError) as caught:
        match_by_id(ids(1, 2, 2), pd.DataFrame({"name": ["a"]}, index=ids(1)), schema=SCHEMA)
    assert str(caught.value) == (
        "the snapshot of 'host' holds the row 000000000000000000000002 more than once: fetch it again"
    )


@pytest.mark.parametrize(
    ("index", "labels"),
    [
        (["a", 2], ("a", 2)),
        ([7, 5], (7, 5)),
        (["a", "a"], (0, 1)),
        ([1.5, 2.5], (0, 1)),
        (pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]), (0, 1)),
    ],
)
def test_rows_are_named_by_labels_that_name_one_each_and_else_by_where_they_stand(index, labels):
    assert labels_of(pd.DataFrame({"name": ["x", "y"]}, index=index)) == labels


def test_ids_are_known_in_any_case_and_each_once():
    a, b, c = ids(10, 11, 12)
    cells = pd.Index([a, f" {b.upper()} ", "x", None, a, "", 7, np.str_(c)], dtype=object)

    assert ids_in(pd.DataFrame({"_id": cells})) == ids_in(pd.DataFrame(index=cells.rename("_id")))
    assert ids_in(pd.DataFrame({"_id": cells})) == {0: a, 1: b, 7: c}
    assert ids_in(pd.DataFrame({"name": cells})) == {}


def test_up_to_half_of_the_ids_may_be_unknown():
    frame = pd.DataFrame(index=ids(1, 2, 3, 7, 8, 9))

    assert [id_ for _, id_ in match_by_id(ids(1, 2, 3), frame, schema=SCHEMA).unknown] == list(ids(7, 8, 9))
    with pytest.raises(ValueError, match="3 of 5 values in _id are not rows of this snapshot of 'host'"):
        match_by_id(ids(1, 2, 3), frame.iloc[1:], schema=SCHEMA)


def test_a_row_whose_key_tells_nothing_is_a_problem():
    frame = pd.DataFrame({"name": ["a", pd.NA, "b", None, ["x"], "d", "c", "c", "n"]}, dtype=object)
    schema = parse_schema(
        {"name": "host", "definition": {"name": {"type": "String", "unique": True, "trim": True}}}
    )
    stored = [None, "d", "b", "d", "a"]

    found = match_by_key(stored, frame, schema=schema, key="name", create=True)

    assert [(p.row, p.reason, p.column, p.value, p.key) for p in found.problems] == [
        (1, "the key is blank", "name", None, None),
        (3, "the key is blank", "name", None, None),
        (4, "a list is not text", "name", "['x']", None),
        (5, "more than one stored row has this key", "name", "d", "d"),
        (6, "more than one row has this key", "name", "c", "c"),
    ]
    assert (found.at.tolist(), found.base.tolist(), found.new) == ([0, 2], [4, 2], (8,))


@pytest.mark.parametrize(
    ("count", "names"), [(5, "n0, n1, n2, n3, n4"), (6, "n0, n1, n2, n3, n4 and 1 more")]
)
def test_up_to_five_keys_that_match_nothing_are_named(count, names):
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(count)]})

    found = match_by_key([], frame, schema=SCHEMA, key="name", create=False)

    assert found.notes == (f"no match for {count} rows, left out: {names}; create_missing=True makes them",)


@pytest.mark.parametrize(
    "name",
    [
        *("WEB-1", " web-1 ", "web-1\u00a0", "\uff57\uff45\uff42-1", "we\u200bb-1", "\ufeffweb-1"),
        *("Web\u00ad-1", "web\u20111", "web\u20131", "web\u22121"),
    ],
)
def test_new_keys_that_look_like_known_ones_are_named(name):
    frame = pd.DataFrame({"name": [name, "db-1"]})

    found = match_by_key(["web-1", "web-2"], frame, schema=SCHEMA, key="name", create=False)

    assert found.notes[1:] == (f"1 new row is nearly the same as existing ones: {name!r} and 'web-1'",)


def test_keys_that_anybody_can_tell_apart_are_not_named():
    assert near_misses(["web-11", "wéb-1", 7, None], ["web-1", 7.5]) == []

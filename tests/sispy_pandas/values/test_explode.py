from typing import Any

import pandas as pd
import pytest

from sispy_pandas.values.explode import added, explode, implode, removed
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import parse_schema

SCHEMA = parse_schema(
    {
        "name": "host",
        "definition": {
            "name": "String",
            "nics": [{"mac": "String", "speed": "Number", "at": {"slot": "Number"}}],
            "tags": ["String"],
        },
    }
)
A, B, C = "a" * 24, "b" * 24, "c" * 24
M1, M2, M3 = "1" * 24, "2" * 24, "3" * 24


@pytest.fixture
def frame():
    nics = [
        [{"_id": M1, "mac": "x", "speed": 10, "at": {"slot": 1}}, {"_id": M2, "mac": "y"}],
        [{"_id": M3, "mac": "z", "speed": 40}],
        None,
    ]
    columns: dict[str, Any] = {"name": ["a", "b", "c"], "nics": nics, "tags": [["p", "q"], [], ["r"]]}
    return frame_of(SCHEMA, columns, [A, B, C], [1, 2, 3])


def test_members_are_rows_with_the_dtypes_of_their_fields(frame):
    found = explode(frame, "nics", schema=SCHEMA)
    assert found.index.tolist() == [(A, M1), (A, M2), (B, M3)]
    assert found.index.names == ["_id", "_member"]
    assert found.dtypes.astype(str).to_dict() == {"mac": "str", "speed": "Int64", "at.slot": "Int64"}
    assert found["speed"].fillna(0).tolist() == [10, 0, 40]


def test_an_unedited_round_trip_changes_nothing(frame):
    for path in ("nics", "tags"):
        back = implode(frame, explode(frame, path, schema=SCHEMA), path, schema=SCHEMA)
        pd.testing.assert_frame_equal(back, frame)


def test_edits_go_back_and_what_is_left_out_is_left_alone(frame):
    members = explode(frame, "nics", schema=SCHEMA)
    members.loc[(A, M2), "speed"] = 25
    members = members.loc[pd.MultiIndex.from_tuples([(A, M2)]), ["speed"]].reset_index()
    members.loc[1] = [B, None, 1]
    members = pd.concat([members, members.tail(1).assign(_id=C, _member="", speed=2)])
    back = implode(frame, members, "nics", schema=SCHEMA)
    assert back["nics"].tolist() == [
        ({"_id": M1, "mac": "x", "speed": 10, "at": {"slot": 1}}, {"_id": M2, "mac": "y", "speed": 25}),
        ({"_id": M3, "mac": "z", "speed": 40}, {"speed": 1}),
        ({"speed": 2},),
    ]
    assert frame["nics"].iloc[0][1] == {"_id": M2, "mac": "y"}


def test_a_member_is_removed_when_that_is_asked_for(frame):
    members = explode(frame, "nics", schema=SCHEMA).drop(index=(A, M1))
    assert implode(frame, members, "nics", schema=SCHEMA)["nics"].map(len).tolist() == [2, 1, 0]
    assert implode(frame, members, "nics", schema=SCHEMA, remove=True)["nics"].map(len).tolist() == [1, 1, 0]


@pytest.mark.parametrize("remove", [False, True])
def test_nulls_among_documents_are_no_rows_and_stay(remove):
    one = {"_id": M1, "mac": "x"}
    columns: dict[str, Any] = {"name": ["a"], "nics": [[None, one, None]], "tags": [[]]}
    frame = frame_of(SCHEMA, columns, [A], [1])
    members = explode(frame, "nics", schema=SCHEMA)
    assert members.index.tolist() == [(A, M1)]
    members["speed"] = 25
    back = implode(frame, members, "nics", schema=SCHEMA, remove=remove)
    assert back["nics"].tolist() == [(None, one | {"speed": 25}, None)]


def test_an_array_of_scalars_has_positions(frame):
    found = explode(frame, "tags", schema=SCHEMA)
    assert found.reset_index().values.tolist() == [[A, 0, "p"], [A, 1, "q"], [C, 0, "r"]]
    found.loc[(C, 0), "tags"] = "s"
    assert implode(frame, found, "tags", schema=SCHEMA)["tags"].tolist() == [("p", "q"), (), ("s",)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["f" * 24, M1, 1]], "row 'ffff"),
        ([[A, M3, 1]], "has no member '333"),
        ([[A, M1, 1], [A, M1, 2]], "has twice the member '111"),
    ],
)
def test_unknown_rows_and_members_are_named(frame, rows, message):
    members = pd.DataFrame(rows, columns=["_id", "_member", "speed"])
    with pytest.raises(ValueError, match=message):
        implode(frame, members, "nics", schema=SCHEMA)


def test_what_is_no_array_is_named(frame):
    with pytest.raises(ValueError, match="'name' is not an array; these are: nics, tags"):
        explode(frame, "name", schema=SCHEMA)


def test_what_does_not_tell_whose_members_they_are_is_refused(frame):
    members = explode(frame, "nics", schema=SCHEMA)

    with pytest.raises(
        ValueError, match=r"^members have no _id and no _member, neither in the index nor as a col"
    ):
        implode(frame, members.reset_index(drop=True), "nics", schema=SCHEMA)
    with pytest.raises(ValueError, match=r"^members have no _member, neither"):
        implode(frame, members.reset_index("_member", drop=True), "nics", schema=SCHEMA)
    with pytest.raises(
        ValueError, match=r"^a frame alone does not tell its arrays: give schema=snapshot\.schema$"
    ):
        explode(frame, "nics")


def test_what_is_added_and_removed_where_there_is_no_array_yet():
    arrays = pd.Series([("a",), None, float("nan"), ["b", "a"]], index=[3, 4, 5, 6], name="tags")

    assert added(arrays, "b").to_dict() == {3: ("a", "b"), 4: ("b",), 5: ("b",), 6: ("b", "a")}
    assert removed(arrays, "a").to_dict() == {3: (), 4: (), 5: (), 6: ("b",)}
    assert (added(arrays, "b").name, str(added(arrays.head(0), "b").dtype)) == ("tags", "object")
    with pytest.raises(ValueError, match="'x' is not an array: is this an array column"):
        added(pd.Series(["x"]), "b")

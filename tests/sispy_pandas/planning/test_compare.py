import datetime

import numpy as np
import pandas as pd
import pytest

from addresses import IP
from sispy_pandas.planning.compare import TEXT, candidates, changed
from sispy_pandas.values.columns import Column
from sispy_pandas.values.types.base import Field

CARDS = Field(
    "cards", "Documents", fields=(Field("ip", "IpAddress"), Field("n", "Number"), Field("on.at", "Date"))
)
NUMBERS = Field("a", "Array", item=Field("", "Number"))
MIXED = Field("m", "Mixed")
TIMES = Field("t", "Array", item=Field("", "Date"))
ADDRESS = Field("ip", "IpAddress")
STATE = Field("state", "String", default="new")
NESTED = Field(
    "n",
    "Documents",
    fields=(Field("a.b", "Number"), STATE, Field("in", "Documents", fields=(Field("k", "String"), STATE))),
)


@pytest.mark.parametrize(
    ("field", "stored", "cell"),
    [
        (MIXED, {"a": 1, "b": [True, None]}, {"b": (True, None), "a": 1}),
        (MIXED, {"a": 1}, {"a": 1.0, "b": {}}),
        (NUMBERS, [1, 2], (1.0, "2")),
        (NUMBERS, [1, 2], np.array([1, 2])),
        (CARDS, [{"_id": "f" * 24, "ip": IP, "n": 1}], [{"n": 1.0, "ip": "10.1.2.3/24"}]),
        (
            CARDS,
            [{"ip": IP, "on": {"at": "2020-01-02T00:00:00.000Z"}}],
            [{"ip": IP, "on": {"at": "2020-01-02"}}],
        ),
        (CARDS, [{"n": 1}], [{"n": 1, "ip": None}]),
        (CARDS, [{"n": 1}], np.array([{"n": 1.0, "ip": dict.fromkeys(IP), "on": {"at": pd.NaT}}])),
        (CARDS, [{"_id": "f" * 24, "ip": IP}], [{"_id": "f" * 24, "ip": IP | {"cidr": float(IP["cidr"])}}]),
        (CARDS, [{"n": 1}, None], '[{"n": 1}, null]'),
        (NESTED, [{"_id": "f" * 24, "in": [{"_id": "e" * 24, "k": "x"}]}], [{"in": [{"k": "x"}]}]),
        (
            NESTED,
            [{"a": {"b": 1}, "in": [{"_id": "e" * 24, "k": "x"}]}],
            [{"a": {"b": 1}, "in": ({"k": "x"},)}],
        ),
        (NESTED, [{"state": "new"}], [{"in": []}]),
        (NESTED, [{"in": [{"state": "new"}]}], [{"state": None, "in": [{}]}]),
        (MIXED, {"a": 1}, {"a": 1, "b": None, "c": {"d": None, "e": {"f": float("nan")}}}),
        (MIXED, {"a": [{"x": 1}, {"y": 24}]}, {"a": np.array([{"x": 1, "y": None}, {"x": None, "y": 24.0}])}),
        (MIXED, None, {"a": None}),
        (MIXED, None, {}),
        (MIXED, {"a": None}, {"a": {"b": None}}),
        (MIXED, {"a": None}, {"a": None, "b": pd.NA}),
        (MIXED, {"a": [True, "x"]}, '{"a": [true, "x"]}'),
        (MIXED, {"a": [True, "x"]}, "{'a': (True, 'x')}"),
        (MIXED, 5, "5"),
        (MIXED, "5", '"5"'),
        (MIXED, True, "True"),
        (NUMBERS, [], "()"),
        (NUMBERS, [1, None], np.array([1.0, np.nan])),
        (TIMES, ["2020-01-02T00:00:00.000Z"], np.array(["2020-01-02"], dtype="datetime64[ns]")),
        (TIMES, ["2020-01-02T00:00:00.000Z", None], np.array(["2020-01-02", "NaT"], dtype="datetime64[us]")),
        (TIMES, ["2020-01-02T00:00:00.000Z"], [datetime.date(2020, 1, 2)]),
        (ADDRESS, None, dict.fromkeys(IP)),
        (ADDRESS, IP | {"network": "x"}, IP | {"network": "x", "more": None}),
        (Field("n", "Number"), {"a": 1}, {"a": 1.0, "b": None}),
    ],
)
def test_a_cell_that_says_the_same_is_no_change(field, stored, cell):
    assert compared(field, stored, cell) == []


@pytest.mark.parametrize(
    ("field", "stored", "cell", "after", "reason"),
    [
        (MIXED, {"a": 1}, {"a": True}, {"a": True}, None),
        (MIXED, [{"a": 1}], [{"a": 1}, 2], [{"a": 1}, 2], None),
        (MIXED, IP, "10.1.2.3/24", "10.1.2.3/24", None),
        (MIXED, {"a": 24}, {"a": 24.0, "b": None, "c": 1.0}, {"a": 24, "c": 1.0}, None),
        (MIXED, {"a": 1, "b": 2}, {"a": None, "b": 2, "c": None}, {"a": None, "b": 2}, None),
        (MIXED, {"a": 1}, {"a": None}, {"a": None}, None),
        (MIXED, {"a": None}, {}, None, None),
        (MIXED, {"a": None, "b": 1}, {"b": 1}, {"b": 1}, None),
        (MIXED, [{"x": 1}, {"y": None}], [{"x": None, "y": None}], [{"y": None}], None),
        *(
            (MIXED, before, cell, cell, None)
            for before, cell in ((1, 2), (1, 0.5), (0, 1), ("x", 5), (5, True))
        ),
        (MIXED, None, "NaN", "NaN", None),
        (MIXED, None, "None", "None", None),
        (MIXED, 5, "6", "6", None),
        (MIXED, {"a": 1}, '{"a": 2}', '{"a": 2}', TEXT),
        (MIXED, {"a": 1}, "{'a': 1", "{'a': 1", None),
        (NESTED, [{"state": "old"}], [{}], [{}], None),
        (NESTED, [{}], [{"state": "new"}], [{"state": "new"}], None),
        (
            NESTED,
            [{"_id": "f" * 24, "in": [{"_id": "e" * 24, "k": "x"}]}],
            [{"in": [{"_id": "d" * 24, "k": "x"}]}],
            [{"in": [{"_id": "d" * 24, "k": "x"}]}],
            None,
        ),
        (NUMBERS, [1], [pd.NA, "x"], None, "member 1: 'x' is not a number"),
        (NUMBERS, [1], [np.array(["x", "y"])], None, "member 0: a list is not a number"),
        (CARDS, [{"n": 1}], [{"n": 1, "m": 2}], None, "member 0: the schema has no 'm' here"),
        (CARDS, [{"_id": "f" * 24, "n": 1}], [{"_id": "e" * 24, "n": 1}], [{"_id": "e" * 24, "n": 1}], None),
    ],
)
def test_a_cell_that_says_something_else_is_one(field, stored, cell, after, reason):
    ((position, _, new, why),) = compared(field, stored, cell)

    assert (position, why) == (0, reason)
    if reason is None:
        assert new == after


def compared(field, stored, cell):
    """Compare a column of one stored value with one that holds the cell."""
    column = Column(field)
    column.add([stored])
    base = column.series()
    mine = np.fromiter([cell], dtype=object, count=1)
    return changed(field, base, pd.Series(mine, dtype=object))


def test_cells_that_are_alike_at_a_glance_are_none_that_may_differ():
    def cells(half):
        return {
            "text": f"{half}and another",
            "number": float(f"1{len(half)}"),
            "object": {"a": (f"{half}x", 1)},
            "other": half == "half ",
            "nothing": np.nan if half else None,
        }

    base, mine = (pd.Series(cells("half "), dtype=object), pd.Series(cells("half "), dtype=object))
    unlike = pd.Series(cells(""), dtype=object)

    assert candidates(base, mine).tolist() == []
    assert candidates(base, unlike).tolist() == [0, 1, 2, 3]


@pytest.mark.usefixtures("deep")
def test_a_value_that_is_nested_too_deeply_is_one_reason():
    deep = []
    for _ in range(5000):
        deep = [deep]
    ((_, before, _, reason),) = compared(MIXED, {"a": 1}, deep)
    assert (before, reason) == ({"a": 1}, "nested more than 200 levels deep")


@pytest.mark.parametrize("field", [Field("n", "Number"), Field("n", "Date"), MIXED, TIMES], ids=str)
def test_a_time_beyond_all_calendars_is_one_reason(field):
    later = pd.Timestamp(np.datetime64("20000-01-01", "ms"), tz="Asia/Tokyo")
    cell = pd.Series([[later] if field is TIMES else later], dtype=object)

    ((position, _, _, reason),) = changed(field, pd.Series([None], dtype=object), cell)

    assert (position, reason is None) == (0, False)


def test_the_last_day_in_another_zone_is_the_same_time():
    stored = pd.Series(pd.to_datetime(["9999-12-31T23:59:59.999Z"]).as_unit("ms"))

    assert changed(Field("t", "Date"), stored, stored.dt.tz_convert("Asia/Tokyo")) == []

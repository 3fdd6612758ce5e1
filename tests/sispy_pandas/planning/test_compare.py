import numpy as np
import pandas as pd
import pytest

from addresses import IP
from sispy_pandas.planning.compare import changed
from sispy_pandas.schema import Field
from sispy_pandas.values.columns import Column

CARDS = Field(
    "cards", "Documents", fields=(Field("ip", "IpAddress"), Field("n", "Number"), Field("on.at", "Date"))
)
NUMBERS = Field("a", "Array", item=Field("", "Number"))
MIXED = Field("m", "Mixed")


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
        (NUMBERS, [1], [pd.NA, "x"], None, "member 1: 'x' is no number"),
        (NUMBERS, [1], [np.array(["x", "y"])], None, "member 0: a list is no number"),
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
    mine = pd.Series([None], dtype=object)
    mine.iat[0] = cell
    return changed(field, base, mine)

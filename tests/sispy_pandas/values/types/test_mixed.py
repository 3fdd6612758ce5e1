"""Mixed values that the server merges: which change of one this push may have made."""

import pytest

from sispy_pandas.values.types.base import Field

WANTED = ({"a": 1, "b": {"x": 1, "y": 1}}, {"a": 2, "b": {"x": 2, "y": 2}})
"""Before and after, as it was meant."""


@pytest.mark.parametrize(
    ("before", "after", "may_be"),
    [
        (*WANTED, True),
        ({"a": 1, "b": {"x": 2, "y": 1}}, {"a": 2, "b": {"x": 2, "y": 2}}, True),
        ({"a": 2, "b": {"x": 1, "y": 2}, "c": 3}, {"a": 2, "b": {"x": 2, "y": 2}, "c": 3}, True),
        ({"a": 1, "c": 3}, {"a": 2, "c": 4}, False),
        ({"a": 1, "c": 3}, {"a": 2}, False),
        ({"a": 1}, {"a": 3}, False),
        ({"b": {"x": 1}}, {"b": {"x": 2, "z": 1}}, False),
        ({"a": 2}, {"a": 2}, False),
        ({"a": 1}, "text", False),
        ({"a": 1}, {"a": [None], "b": {"c": None}}, False),
    ],
)
def test_a_change_is_of_this_push_where_it_holds_nothing_else(before, after, may_be):
    assert Field("m", "Mixed").kind.merges(WANTED, (before, after)) is may_be

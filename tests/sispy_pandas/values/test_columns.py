import pandas as pd
import pytest

from addresses import IP
from sispy_pandas.values.columns import Column
from sispy_pandas.values.types.base import Field
from sispy_pandas.values.types.convert import json_values
from sispy_pandas.values.types.equality import equal


@pytest.mark.parametrize(
    ("field", "values", "cells", "odd"),
    [
        (Field("f", "Number"), [1, "abc", None], [1, "abc", None], [1]),
        (Field("f", "String"), ["a", 5, None, {"x": [1]}], ["a", 5, None, {"x": (1,)}], [1, 3]),
        (Field("f", "Boolean"), [True, 1, None], [True, 1, None], [1]),
        (Field("f", "Date"), ["2020-01-02T00:00:00.000Z", 5], [pd.Timestamp("2020-01-02", tz="UTC"), 5], [1]),
        (
            Field("f", "Date"),
            ["2020-01-02T00:00:00.000Z", "soon", None],
            [pd.Timestamp("2020-01-02", tz="UTC"), "soon", None],
            [1],
        ),
        (Field("f", "IpAddress"), [IP, IP | {"cidr": 99}], ["10.1.2.3/24", IP | {"cidr": 99}], [1]),
        (Field("f", "String", enum=("a",)), ["a", 5], ["a", 5], [1]),
        (Field("f", "Array", item=Field("", "String")), [["a"], "b", None], [("a",), "b", ()], [1]),
        (Field("f", "Array", item=Field("", "IpAddress")), [[IP, None]], [("10.1.2.3/24", None)], []),
        (
            Field("f", "Array", item=Field("", "Date")),
            [["2020-01-02T00:00:00.000Z"], [5]],
            [("2020-01-02T00:00:00.000Z",), (5,)],
            [1],
        ),
        (Field("f", "Array", item=Field("", "Array")), [[["a"], {"b": [1]}]], [(("a",), {"b": (1,)})], []),
    ],
)
def test_a_value_that_contradicts_its_type_is_kept_in_an_object_column(field, values, cells, odd):
    column = Column(field)
    column.add(values)
    found = column.series()
    assert found.dtype == object
    assert list(found) == cells
    assert [i for i, _ in column.odd] == odd
    assert all(equal(field, v, w) for v, w in zip(values, json_values(field, found), strict=True))


def test_pages_of_different_kinds_join_to_one_object_column():
    column = Column(Field("f", "Number"))
    for page in ([1, None], ["x"], [2.5]):
        column.add(page)
    assert list(column.series()) == [1.0, None, "x", 2.5]
    assert column.odd == [(2, "x")]


ISO = "2020-01-02T00:00:00.000Z"


@pytest.mark.parametrize(
    ("field", "first", "second", "third", "cells"),
    [
        (Field("f", "Number"), [[1, None], [2]], [[3], [4.5, 5]], [6], [1, None, 2, 3, 4.5, 5, 6]),
        (Field("f", "Number"), [[1], ["x"]], [[2], [None]], [3], [1, "x", 2, None, 3]),
        (Field("f", "String"), [["a"], [None, "b"]], [["c"], [5]], "d", ["a", None, "b", "c", 5, "d"]),
        (Field("f", "String"), [["a"], [None, "b"]], [["c"], ["e"]], "d", ["a", None, "b", "c", "e", "d"]),
        (Field("f", "String", enum=("a",)), [["b"], ["a"]], [[None]], "c", ["b", "a", None, "c"]),
        (Field("f", "Boolean"), [[True], [None]], [[False], []], [True], [True, None, False, True]),
        (Field("f", "Mixed"), [[1], [{"a": []}]], [["b"], [None]], [2], [1, {"a": []}, "b", None, 2]),
        (Field("f", "Date"), [[ISO], [None, ISO]], [[None], [5]], [ISO], [ISO, None, ISO, None, 5, ISO]),
        (Field("f", "Date"), [[ISO], [None, ISO]], [[None], []], [ISO], [ISO, None, ISO, None, ISO]),
    ],
)
def test_blocks_of_pages_that_come_in_any_order_join_in_that_of_their_slots(
    field, first, second, third, cells
):
    column = Column(field)
    for slot, blocks in ((1, second), (2, [third]), (0, first)):
        for block in blocks:
            column.add(block, slot=slot)

    odd = [(i, value) for i, value in enumerate(cells) if value is not None and not holds(field, value)]
    assert column.odd == odd
    assert json_values(field, column.series()) == cells


def holds(field, value):
    return value in field.enum if field.enum else field.kind.holds(value)


def test_texts_outside_the_enum_become_categories():
    column = Column(Field("f", "String", enum=("a", "b")))
    column.add(["a", "x", None])
    column.add(["y", "x", "b"])
    found = column.series()
    assert list(found.cat.categories) == ["a", "b", "x", "y"]
    assert found.astype(object).fillna("-").tolist() == ["a", "x", "-", "y", "x", "b"]
    assert column.odd == [(1, "x"), (3, "y"), (4, "x")]


@pytest.mark.parametrize(
    ("values", "stream", "expected"),
    [
        ([1, 2.0, None], False, "Int64"),
        ([1, 2.5], False, "Float64"),
        ([2**53], False, "Int64"),
        ([2.0**54], False, "Float64"),
        ([2**53, None, -(2**54)], False, "Float64"),
        ([1], True, "Float64"),
        ([], False, "Int64"),
    ],
)
def test_numbers_are_whole_or_double(values, stream, expected):
    column = Column(Field("f", "Number"), stream=stream)
    column.add(values)
    assert str(column.series().dtype) == expected


def test_equal_lists_of_texts_share_one_cell_and_numbers_stay_as_they_are():
    texts, numbers = (Column(Field("a", "Array", item=Field("a", kind))) for kind in ("String", "Number"))
    texts.add([["a", "b"], None, ["a", "b"], [None]])
    numbers.add([[1], [1.0], [1]])
    cells = texts.series().tolist()
    assert (cells, cells[0] is cells[2]) == ([("a", "b"), (), ("a", "b"), (None,)], True)
    assert repr(numbers.series().tolist()) == "[(1,), (1.0,), (1,)]"


NOON = "2024-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    ("kind", "cells", "values"),
    [
        ("Number", pd.Series([1, 2]), [1, 2]),
        ("Number", pd.Series([1.0, 2.5, None]), [1, 2.5, None]),
        ("Number", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("Number", pd.Series([1.0, None], dtype="Float64"), [1, None]),
        ("Boolean", pd.Series([True, False]), [True, False]),
        ("Boolean", pd.Series([True, None], dtype="boolean"), [True, None]),
        ("Date", pd.Series([pd.Timestamp("2024-01-31 12:00"), None]), [NOON, None]),
        ("Date", pd.Series(pd.to_datetime(["2024-01-31 13:00+01:00"])).dt.tz_convert("Asia/Tokyo"), [NOON]),
        ("String", pd.Series(["a", None]), ["a", None]),
        ("String", pd.Series(["a", "a"], dtype="category"), ["a", "a"]),
    ],
    ids=lambda one: str(getattr(one, "dtype", "")),
)
def test_a_column_of_any_dtype_is_json(kind, cells, values):
    assert repr(json_values(Field("f", kind), cells)) == repr(values)

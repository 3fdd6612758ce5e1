import copy
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from addresses import IP
from sispy_pandas.values.columns import Column
from sispy_pandas.values.records import frame_of, is_marked, receipts_of, records_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.types.base import Field, json_values, to_json
from sispy_pandas.values.types.cells import STRINGS, get_path
from sispy_pandas.values.types.date import TIMES
from sispy_pandas.values.types.equality import equal
from sispy_pandas.values.types.frozen import FrozenDict, freeze, thaw

SCHEMA = parse_schema(
    {
        "name": "host",
        "definition": {
            "name": "String",
            "status": {"type": "String", "enum": ["live", "dead"]},
            "os": {"cpus": "Number", "load": "Number"},
            "on_": "Boolean",
            "since": "Date",
            "rack": {"type": "ObjectId", "ref": "rack"},
            "ip": "IpAddress",
            "tags": ["String"],
            "nics": [{"mac": "String"}],
            "facts": "Mixed",
        },
    }
)
FULL = {
    "_id": "b" * 24,
    "_sis": {"_updated_at": 1577934245678},
    "name": "web1",
    "status": "live",
    "os": {"cpus": 8, "load": 0.5},
    "on_": True,
    "since": "2020-01-02T03:04:05.678Z",
    "rack": "a" * 24,
    "ip": IP,
    "tags": ["a", "b"],
    "nics": [{"_id": "c" * 24, "mac": "x"}],
    "facts": {"a": [1, {"b": None}]},
}
EMPTY = {"_id": "c" * 24, "_sis": {"_updated_at": 1577934245679}, "tags": [], "nics": []}


def frame(*records):
    columns = {f.path: [get_path(r, f.path) for r in records] for f in SCHEMA.fields}
    return frame_of(SCHEMA, columns, [r["_id"] for r in records], [r["_sis"]["_updated_at"] for r in records])


DTYPES = {
    "name": STRINGS,
    "status": pd.CategoricalDtype(pd.Index(["live", "dead"], dtype=STRINGS)),
    "os.cpus": pd.Int64Dtype(),
    "os.load": pd.Float64Dtype(),
    "on_": pd.BooleanDtype(),
    "since": TIMES,
    "rack": STRINGS,
    "ip": STRINGS,
    "tags": np.dtype(object),
    "nics": np.dtype(object),
    "facts": np.dtype(object),
    "_updated_at": TIMES,
}


def test_a_frame_has_the_dtypes_of_its_schema():
    assert frame(FULL, EMPTY).dtypes.to_dict() == DTYPES


@pytest.mark.parametrize("records", [[], [EMPTY]])
def test_empty_and_all_null_pages_have_the_same_dtypes(records):
    assert frame(*records).dtypes.to_dict() == DTYPES | {"os.load": pd.Int64Dtype()}


def test_cells_are_those_of_the_table_in_the_module():
    row = frame(FULL, EMPTY).loc["b" * 24]
    assert row.to_dict() == {
        "name": "web1",
        "status": "live",
        "os.cpus": 8,
        "os.load": 0.5,
        "on_": True,
        "since": pd.Timestamp("2020-01-02T03:04:05.678Z"),
        "rack": "a" * 24,
        "ip": "10.1.2.3/24",
        "tags": ("a", "b"),
        "nics": ({"_id": "c" * 24, "mac": "x"},),
        "facts": {"a": (1, {"b": None})},
        "_updated_at": pd.Timestamp("2020-01-02T03:04:05.678Z"),
    }
    blank = frame(FULL, EMPTY).loc["c" * 24]
    assert (blank["tags"], blank["nics"], blank["facts"]) == ((), (), None)
    assert blank.drop(["tags", "nics", "_updated_at"]).isna().all()


def test_records_come_back():
    assert records_of(SCHEMA, frame(FULL, EMPTY)) == [FULL | {"ip": "10.1.2.3/24"}, EMPTY]


@pytest.mark.parametrize(
    ("field", "values", "cells", "odd"),
    [
        (Field("f", "Number"), [1, "abc", None], [1, "abc", None], [1]),
        (Field("f", "String"), ["a", 5, None, {"x": [1]}], ["a", 5, None, {"x": (1,)}], [1, 3]),
        (Field("f", "Boolean"), [True, 1, None], [True, 1, None], [1]),
        (Field("f", "Date"), ["2020-01-02T00:00:00.000Z", 5], [pd.Timestamp("2020-01-02", tz="UTC"), 5], [1]),
        (Field("f", "IpAddress"), [IP, IP | {"cidr": 99}], ["10.1.2.3/24", IP | {"cidr": 99}], [1]),
        (Field("f", "String", enum=("a",)), ["a", 5], ["a", 5], [1]),
        (Field("f", "Array", item=Field("", "String")), [["a"], "b", None], [("a",), "b", ()], [1]),
        (Field("f", "Array", item=Field("", "IpAddress")), [[IP, None]], [("10.1.2.3/24", None)], []),
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
        ([1], True, "Float64"),
        ([], False, "Int64"),
    ],
)
def test_numbers_are_whole_or_double(values, stream, expected):
    column = Column(Field("f", "Number"), stream=stream)
    column.add(values)
    assert str(column.series().dtype) == expected
    assert str(Field("f", "Number").kind.dtype(stream=True)) == "Float64"


def test_equal_lists_of_texts_share_one_cell_and_numbers_stay_as_they_are():
    texts, numbers = (Column(Field("a", "Array", item=Field("a", kind))) for kind in ("String", "Number"))
    texts.add([["a", "b"], None, ["a", "b"], [None]])
    numbers.add([[1], [1.0], [1]])
    cells = texts.series().tolist()
    assert (cells, cells[0] is cells[2]) == ([("a", "b"), (), ("a", "b"), (None,)], True)
    assert repr(numbers.series().tolist()) == "[(1,), (1.0,), (1,)]"


def test_a_frozen_dict_refuses_changes_and_is_a_dict_otherwise():
    cell = freeze({"a": [1, {"b": 2}]})
    for change in (
        lambda: cell.update(a=1),
        lambda: cell.__setitem__("a", 1),
        lambda: cell["a"][1].pop("b"),
        lambda: cell.setdefault("x", 1),
        lambda: cell.clear(),
    ):
        with pytest.raises(TypeError, match="read-only"):
            change()
    assert json.loads(json.dumps(cell)) == {"a": [1, {"b": 2}]} == thaw(cell)
    assert pickle.loads(pickle.dumps(cell)) == cell == copy.deepcopy(cell)
    assert type(pickle.loads(pickle.dumps(cell))) is FrozenDict
    assert type(cell | {"x": 1}) is dict
    assert len({cell, freeze({"a": [1, {"b": 2}]})}) == 1


def test_to_json_changes_nothing_but_the_form():
    assert to_json(Field("f", "String"), " x ") == " x "
    assert to_json(Field("f", "Number"), 1.0) == 1
    assert to_json(Field("f", "Mixed"), FrozenDict()) is None
    assert to_json(Field("f", "Array"), None) == []
    assert to_json(Field("f", "Date"), pd.Timestamp("2020-01-02", tz="UTC")) == "2020-01-02T00:00:00.000Z"


RECEIPTS = ["2026-11-20T14:05:06.789Z", None, "1969-12-31T23:59:59.999Z"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(RECEIPTS, dtype=object),
        pd.Series(RECEIPTS, dtype="str"),
        pd.Series(pd.to_datetime(RECEIPTS)).astype(object),
        pd.Series(pd.to_datetime(RECEIPTS)).astype("datetime64[ms, UTC]"),
        pd.Series(pd.to_datetime(RECEIPTS)).astype("datetime64[ns, UTC]"),
        pd.Series(pd.to_datetime(RECEIPTS)).dt.tz_convert("Europe/Berlin"),
        pd.Series(pd.to_datetime(RECEIPTS)).dt.tz_localize(None),
        pd.Series([1795183506789, None, -1], dtype="Int64"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_receipts_are_read_whatever_their_column_became(column):
    assert receipts_of(column) == [1795183506789, None, -1]


def test_what_is_no_time_is_no_receipt():
    assert receipts_of(pd.Series(["yesterday", "", True, pd.NaT], dtype=object)) == [None] * 4


def test_a_column_without_rows():
    assert receipts_of(pd.Series([], dtype="datetime64[ms, UTC]")) == []


@pytest.mark.parametrize("cell", [True, np.bool_(True), 1, 1.0, "x", " X ", "yes", "TRUE", "1", "delete"])
def test_a_mark_says_yes(cell):
    assert is_marked(cell) is True


@pytest.mark.parametrize("cell", [None, pd.NA, np.nan, False, 0, 0.0, "", " ", "no", "False", "0"])
def test_a_mark_says_no(cell):
    assert is_marked(cell) is False


@pytest.mark.parametrize("cell", ["perhaps", "n", 2, 0.5, ["x"], pd.Timestamp("2020-01-01")])
def test_a_mark_says_neither(cell):
    assert is_marked(cell) is None

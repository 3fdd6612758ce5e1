from typing import Any

import numpy as np
import pandas as pd
import pytest

from addresses import IP
from sispy_pandas.values.records import frame_of, is_marked, receipts_of, records_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.types.cells import STRINGS, get_path
from sispy_pandas.values.types.date import TIMES

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


RECEIPTS: list[Any] = ["2026-11-20T14:05:06.789Z", None, "1969-12-31T23:59:59.999Z"]


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

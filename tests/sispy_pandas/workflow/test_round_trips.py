"""A frame that went through another library or a file and was not edited is an empty plan."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather

import sispy_pandas as sp
from addresses import IP
from sispy import Client
from sispy_pandas.reading.table import warnings_frame
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.times import iso
from sispy_pandas.values.types.convert import json_values
from sispy_pandas.values.types.equality import as_edited, equal
from sispy_pandas.values.types.frozen import thaw
from sispy_pandas.workflow.objects import Snapshot

SCHEMA = parse_schema(
    {
        "name": "t",
        "definition": {
            "name": "String",
            "kind": {"type": "String", "enum": ["a", "b"]},
            "n": "Number",
            "deep": {"x": {"y": "Number"}},
            "live": "Boolean",
            "since": "Date",
            "ref": {"type": "ObjectId", "ref": "t"},
            "ip": "IpAddress",
            "texts": ["String"],
            "numbers": ["Number"],
            "times": ["Date"],
            "ips": ["IpAddress"],
            "rows": [["Number"]],
            "nics": [
                {
                    "mac": "String",
                    "ip": "IpAddress",
                    "attach": {"slot": "Number", "at": "Date"},
                    "groups": [{"gid": "String", "flags": ["Boolean"]}],
                    "vlans": ["Number"],
                    "facts": "Mixed",
                    "state": {"type": "String", "default": "new"},
                }
            ],
            "extra": "Mixed",
            "many": ["Mixed"],
        },
    }
)


def keys(**values):
    """Objects with some of the keys, each with null for a value now and then."""
    return st.fixed_dictionaries({}, optional={key: value | st.none() for key, value in values.items()})


def held(values):
    """Values that a server stores: no empty object is one."""
    return values.filter(lambda value: value not in ({}, None))


TEXT = st.text("aé😀 ,\"'\n", max_size=4)
NUMBER = st.integers(-(10**6), 10**6) | st.sampled_from([0.5, -1.25, 1e300, 2**53])
WHOLE = st.integers(-9, 9)
TIME = st.integers(-(10**11), 10**12).map(iso)
ID = st.integers(0, 16**24 - 1).map("{:024x}".format)
LEAF = held(keys(on=st.booleans(), of=TEXT, by=WHOLE))
FACTS = held(keys(cpu=WHOLE, os=held(keys(name=TEXT, up=st.booleans())), list=st.lists(WHOLE, max_size=2),
                  disks=st.lists(LEAF, max_size=2), ip=st.just(IP)))  # fmt: skip
MEMBER = st.fixed_dictionaries(
    {"_id": ID},
    optional={
        "mac": TEXT,
        "ip": st.just(IP),
        "attach": held(keys(slot=WHOLE, at=TIME)),
        "groups": st.lists(
            st.fixed_dictionaries({"_id": ID}, optional={"gid": TEXT, "flags": st.lists(st.booleans())}),
            max_size=2,
        ),
        "vlans": st.lists(WHOLE | st.none(), max_size=2),
        "facts": FACTS,
        "state": st.sampled_from(["new", "old"]),
    },
)
VALUES = {
    "name": TEXT,
    "kind": st.sampled_from(["a", "b"]),
    "n": NUMBER,
    "deep.x.y": WHOLE,
    "live": st.booleans(),
    "since": TIME,
    "ref": ID,
    "ip": st.sampled_from(["10.1.2.3/24", "10.1.2.3", "2001:db8::1/64"]),
    "texts": st.lists(TEXT | st.none(), max_size=3),
    "numbers": st.lists(NUMBER | st.none(), max_size=3),
    "times": st.lists(TIME | st.none(), max_size=2),
    "ips": st.lists(st.just("10.1.2.3/24") | st.none(), max_size=2),
    "rows": st.lists(st.lists(WHOLE, max_size=2), max_size=2),
    "nics": st.lists(MEMBER, max_size=2),
    "extra": FACTS,
    "many": st.lists(LEAF, max_size=2),
}
ARRAYS = {"texts", "numbers", "times", "ips", "rows", "nics", "many"}


@st.composite
def tables(draw):
    """Columns of some rows, with values of every type."""
    n = draw(st.integers(1, 5))
    return {
        path: draw(st.lists(values if path in ARRAYS else values | st.none(), min_size=n, max_size=n))
        for path, values in VALUES.items()
    }


def snapshot_of(columns):
    ids = [f"{i:024x}" for i in range(len(columns["name"]))]
    frame = frame_of(SCHEMA, columns, ids, list(range(len(ids))))
    return Snapshot(
        schema=SCHEMA,
        endpoint=Client("http://127.0.0.1:1").entities("t"),
        query={},
        fields=None,
        fetched_at=datetime(2026, 1, 2, tzinfo=UTC),
        warnings=warnings_frame([]),
        _frame=frame,
    )


def by_feather(frame):
    buffer = io.BytesIO()
    feather.write_feather(frame.reset_index(), buffer, compression="uncompressed")
    buffer.seek(0)
    return feather.read_feather(buffer)


def by_parquet(frame, **options):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    buffer.seek(0)
    return pd.read_parquet(buffer, **options)


def by_duckdb(table):
    with duckdb.connect() as connection:
        connection.register("given", table)
        return connection.sql("select * from given").to_arrow_table()


def naive(frame, unit):
    times = [name for name in frame.columns if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    return frame.assign(
        **{name: frame[name].dt.tz_localize(None).astype(f"datetime64[{unit}]") for name in times}
    )


def plain(cell):
    """A cell as Python's own lists and dicts, with another sign for nothing."""
    return float("nan") if cell is None else thaw(cell)


TABLES = {
    "arrow": pa.Table.from_pandas,
    "a reader": lambda frame: pa.Table.from_pandas(frame).to_reader(),
    "a batch": pa.RecordBatch.from_pandas,
    "polars": lambda frame: pl.from_pandas(frame.reset_index()),
    "DuckDB": lambda frame: by_duckdb(pa.Table.from_pandas(frame.reset_index())),
}
FRAMES = {
    "arrow and back": lambda frame: pa.Table.from_pandas(frame).to_pandas(),
    "dtypes of arrow": lambda frame: pa.Table.from_pandas(frame).to_pandas(types_mapper=pd.ArrowDtype),
    "feather": by_feather,
    "parquet": by_parquet,
    "parquet, nullable": lambda frame: by_parquet(frame, dtype_backend="numpy_nullable"),
    "parquet, dtypes of arrow": lambda frame: by_parquet(frame, dtype_backend="pyarrow"),
    "polars and back": lambda frame: pl.from_pandas(frame.reset_index()).to_pandas(),
    "dicts of polars": lambda frame: pd.DataFrame(pl.from_pandas(frame.reset_index()).to_dicts()),
    "DuckDB and back": lambda frame: by_duckdb(pa.Table.from_pandas(frame.reset_index())).to_pandas(),
    "objects": lambda frame: frame.astype(object),
    "Python's values": lambda frame: frame.astype(object).map(plain),
    "categories": lambda frame: frame.astype({n: "category" for n in frame if frame[n].dtype == "str"}),
    "converted": lambda frame: frame.convert_dtypes(),
    "doubles": lambda frame: frame.astype({n: float for n in frame if frame[n].dtype == "Int64"}),
    "ns without a zone": lambda frame: naive(frame, "ns"),
    "s without a zone": lambda frame: frame.assign(since=frame["since"].dt.tz_localize(None).astype(object)),
    "another zone": lambda frame: frame.assign(since=frame["since"].dt.tz_convert("Asia/Kolkata")),
}  # fmt: skip
TRIPS = TABLES | FRAMES
RANDOM = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


EDITS_WITHIN = {
    "extra": lambda cell: {**cell, "cpu": 77},
    "nics": lambda cell: [{**cell[0], "mac": "edited"}, *cell[1:]],
}


def edited(frame, path, at, value):
    """The frame with one other cell."""
    cells = list(frame[path])
    cells[at] = value
    return frame.assign(**{path: pd.Series(cells, index=frame.index, dtype=object)})


def canonical(value):
    return json.dumps(value, sort_keys=True)


def told(plan):
    return (list(plan.cells()), plan.problem_list, plan.stale)


@RANDOM
@given(tables())
def test_no_edit_is_an_empty_plan(columns):
    live = snapshot_of(columns)
    for name, trip in TRIPS.items():
        assert (name, *told(live.diff(trip(live.frame())))) == (name, [], (), ())


@RANDOM
@given(tables())
def test_libraries_take_a_snapshot_as_it_is_and_give_it_back_without_edits(columns):
    live = snapshot_of(columns)
    taken = {"polars": pl.DataFrame(live), "DuckDB": by_duckdb(live), "arrow": pa.table(live), "none": live}
    for name, table in taken.items():
        assert (name, *told(live.diff(table))) == (name, [], (), ())
    assert list(taken["polars"].columns) == ["_id", *live.frame().columns]
    assert taken["polars"]["n"].dtype.is_numeric()
    assert taken["arrow"].schema.field("since").type == pa.timestamp("ms", tz="UTC")
    assert taken["DuckDB"].column("_id").to_pylist() == list(live.ids)


@RANDOM
@given(st.data(), tables())
def test_one_edit_is_that_cell_alone(data, columns):
    live = snapshot_of(columns)
    at = data.draw(st.integers(0, len(live) - 1), label="row")
    for path, values in VALUES.items():
        field = SCHEMA.field(path)
        before = json_values(field, live.frame()[path])[at]
        value = as_edited(before, data.draw(values, label=path))
        name = data.draw(st.sampled_from(sorted(FRAMES)), label="trip")
        plan = live.diff(edited(FRAMES[name](live.frame()), path, at, value))
        if equal(field, before, value):
            assert told(plan) == ([], (), ())
            continue
        ((change, column, old, new),) = plan.cells()
        assert (change.id, column, old, plan.problem_list) == (live.ids[at], path, before, ())
        assert equal(field, value, new)


@RANDOM
@given(st.data(), tables())
def test_an_edit_within_an_object_is_sent_without_what_a_trip_changes(data, columns):
    live = snapshot_of(columns)
    for path, after in EDITS_WITHIN.items():
        field = SCHEMA.field(path)
        stored = json_values(field, live.frame()[path])
        for name, trip in FRAMES.items():
            back = trip(live.frame())
            for at in [i for i, value in enumerate(stored) if value][:1]:
                plan = live.diff(edited(back, path, at, after(back[path].iloc[at])))
                ((_, _, _, new),) = plan.cells()
                wanted = after(stored[at])
                assert equal(field, wanted, new), name
                for mine, theirs in [(new, wanted)] if path == "extra" else zip(new, wanted, strict=True):
                    mixed = (
                        (mine, theirs) if path == "extra" else (mine.pop("facts", None), theirs.get("facts"))
                    )
                    assert canonical(mixed[0]) == canonical(mixed[1]), name
                    assert path == "extra" or "null" not in canonical({**mine, "vlans": []}), name


def test_keys_of_other_rows_are_no_part_of_new_ones_either():
    live = snapshot_of({"name": ["old"], "extra": [{"cpu": 1, "os": {"name": "x"}}]})
    table = pa.Table.from_pylist(
        [
            {"name": "n1", "extra": {"cpu": 2}},
            {"name": "n2", "extra": {"cpu": None, "os": {"name": "y", "up": None}}},
        ],
        schema=pa.schema(
            {
                "name": pa.string(),
                "extra": pa.struct(
                    {"cpu": pa.int64(), "os": pa.struct({"name": pa.string(), "up": pa.bool_()})}
                ),
            }
        ),
    )

    plan = live.diff(table, new=True)

    assert [dict(change.values) for change in plan.changes] == [
        {"name": "n1", "extra": {"cpu": 2}},
        {"name": "n2", "extra": {"os": {"name": "y"}}},
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pl.LazyFrame({"_id": ["x"]}), "got LazyFrame: its collect() makes one"),
        (pl.Series([1]), "got Series: pd.DataFrame(...) makes one of records"),
        (pa.array([1]), "got Int64Array: pd.DataFrame(...) makes one of records"),
        (np.array([1]), "got ndarray: pd.DataFrame(...) makes one of records"),
    ],
)
def test_what_is_no_table_is_refused(table, message):
    live = snapshot_of({"name": ["old"]})

    with pytest.raises(TypeError) as caught:
        live.diff(table)
    assert str(caught.value).startswith(f"the edited rows are a DataFrame, {message}")


def test_a_table_of_arrow_without_pyarrow_names_the_extra(monkeypatch):
    live = snapshot_of({"name": ["old"]})
    table = pl.DataFrame({"_id": ["0" * 24]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ImportError, match=r'^pyarrow is missing: pip install "\.\[fast\]"$'):
        live.diff(table)


def test_texts_of_objects_in_files_of_our_own_are_what_they_say(tmp_path):
    @RANDOM
    @given(tables())
    def run(columns):
        live = snapshot_of(columns)
        sp.to_parquet(live, tmp_path / "t.parquet", progress=False)
        back = pd.read_parquet(tmp_path / "t.parquet")
        assert told(live.diff(back)) == ([], (), ())
        assert told(live.diff(pa.table(back))) == ([], (), ())

    run()


def test_texts_of_json_in_a_column_of_mixed_values_are_what_they_say():
    live = snapshot_of({"name": ["a", "b"], "extra": [{"cpu": 1}, None]})

    assert told(live.diff(live.frame().assign(extra=['{ "cpu": 1.0 }', "null"]))) == ([], (), ())


def test_pandas_own_csv_keeps_objects_as_pythons_texts(server):
    live = server.fetch()
    buffer = io.StringIO()
    live.frame().to_csv(buffer)
    buffer.seek(0)

    assert told(live.diff(pd.read_csv(buffer))) == ([], (), ())

"""Parquet files of others: columns of Arrow's types, documents as structs, and texts that mean values."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import sispy_pandas as sp
from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.parquet import Parquet
from sispy_pandas.formats.untyped import read_rows
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.source import source_of
from sispy_pandas.values.types.convert import json_values

A, B = "a" * 24, "b" * 24


def values(frame, schema):
    return {path: json_values(schema.field(path), frame[path]) for path in frame.columns}


def test_typed_columns_are_taken_as_they_are(host_schema, tmp_path):
    table = pa.table(
        {
            "name": ["web1", "00123"],
            "cpus": pa.array([8, None], pa.int8()),
            "os": [{"name": "rhel8", "version": 9.0}, {"name": None, "version": None}],
            "live": [True, None],
            "installed": pa.array([datetime.datetime(2024, 1, 31, 10, tzinfo=datetime.UTC), None]),
            "ip": ["10.1.2.3/24", None],
            "tags": [["a", "b"], []],
            "ports": pa.array([[80, 443], None], pa.list_(pa.int16())),
            "disks": [[{"dev": "sda", "gb": 10}], None],
            "extra": [{"a": 1, "b": None}, {"a": None, "b": "x"}],
            "rack": pa.array([A, None], pa.large_string()),
            "_id": [A, B],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")

    frame = sp.read_parquet(tmp_path / "t.parquet", host_schema)

    assert frame.index.tolist() == [A, B]
    assert values(frame, host_schema) == {
        "name": ["web1", "00123"],
        "os.name": ["rhel8", None],
        "os.version": [9, None],
        "cpus": [8, None],
        "live": [True, None],
        "installed": ["2024-01-31T10:00:00.000Z", None],
        "rack": [A, None],
        "ip": ["10.1.2.3/24", None],
        "tags": [["a", "b"], []],
        "ports": [[80, 443], []],
        "disks": [[{"dev": "sda", "gb": 10}], []],
        "extra": [{"a": 1}, {"b": "x"}],
    }


def test_texts_mean_what_they_mean_in_a_csv_file(host_schema, tmp_path):
    frame = pd.DataFrame(
        {
            "name": ["=web1", "'"],
            "cpus": ["8", "many"],
            "live": ["yes", "perhaps"],
            "installed": ["2024-01-31", "31.01.2024"],
            "tags": ['["a"]', "a"],
            "extra": ['{"a": 1}', "x"],
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")

    found = sp.read_parquet(tmp_path / "t.parquet", host_schema)

    assert found["name"].tolist() == ["=web1", "'"]  # nothing here would calculate it
    assert [found[path][0] for path in ("cpus", "live", "tags", "extra")] == [8, True, ("a",), {"a": 1}]
    assert [(path, cell, cell.reason) for path, cell in found.iloc[1].items() if path != "name"] == [
        ("cpus", "many", "'many' is not a number"),
        ("live", "perhaps", "'perhaps' is neither true nor false"),
        ("installed", "31.01.2024", "'31.01.2024' is not an ISO date or time"),
        ("tags", "a", '\'a\' is not JSON: a list is written as ["a", "b"]'),
        ("extra", "x", "'x' is not JSON: text is written as \"text\""),
    ]


def test_decimals_times_without_a_zone_and_numbers_in_text(host_schema, tmp_path):
    table = pa.table(
        {
            "name": pa.array([7, 2**60]),
            "cpus": pa.array([Decimal("1.50"), Decimal("3.00")]),
            "os.version": pa.array([2**60, 1]),
            "installed": pa.array(["2024-07-01T12:00"] * 2).cast(pa.timestamp("us")),
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")

    found = sp.read_parquet(tmp_path / "t.parquet", host_schema, tz="Europe/Berlin")

    assert values(found, host_schema) == {
        "name": [7, 2**60],
        "os.version": [2**60, 1],  # the diff says that the server would round it
        "cpus": [1.5, 3],
        "installed": ["2024-07-01T10:00:00.000Z"] * 2,
    }


def test_a_file_of_more_cells_than_a_table_may_have_is_refused(host_schema, tmp_path, monkeypatch):
    file = tmp_path / "hosts.parquet"
    pd.DataFrame({"name": ["a", "b"], "cpus": [1, 2]}).to_parquet(file)
    monkeypatch.setattr("sispy_pandas.formats.parquet.MOST_CELLS", 3)

    with pytest.raises(ValueError, match=r"hosts\.parquet is too large: 3 cells are read at most"):
        sp.read_parquet(file, host_schema)


def test_an_index_of_pandas_is_a_column(host_schema, tmp_path):
    frame = frame_of(host_schema, {"name": ["web1", "web2"], "cpus": [1, 2]}, [A, B], [1, 2])
    frame.to_parquet(tmp_path / "own.parquet")
    frame.set_index(pd.Index([5, 7])).to_parquet(tmp_path / "other.parquet")
    frame.set_index("name").to_parquet(tmp_path / "name.parquet")

    pd.testing.assert_frame_equal(sp.read_parquet(tmp_path / "own.parquet", host_schema), frame)
    for name in ("other", "name"):
        found = sp.read_parquet(tmp_path / f"{name}.parquet", host_schema)
        assert (found["name"].tolist(), list(found.columns)) == (["web1", "web2"], list(frame.columns))


def test_polars_writes_what_is_planned(server, tmp_path):
    live = server.fetch()
    sp.to_parquet(live, tmp_path / "a.parquet")
    table = pl.read_parquet(tmp_path / "a.parquet").with_columns(cpus=pl.lit(7))
    table.write_parquet(tmp_path / "b.parquet")

    frame = sp.read_parquet(tmp_path / "b.parquet", live.schema)

    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert (plan.fields, plan.counts["problems"]) == (("cpus",), 0)


def test_where_it_came_from_is_in_the_file(server, tmp_path):
    sp.to_parquet(server.hosts, tmp_path / "a.parquet", {"q": {"cpus": 1}}, progress=False)

    note = json.loads(parquet.read_metadata(tmp_path / "a.parquet").metadata[b"sispy"])
    source = source_of(sp.read_parquet(tmp_path / "a.parquet", server.fetch().schema))

    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".json"] == []
    assert (note["server"], note["schema"], note["rows"]) == (server.client.url, "host", 3)
    assert (source.server, source.schema, source.query) == (server.client.url, "host", {"q": {"cpus": 1}})


def test_a_file_of_another_table_or_of_bytes_is_refused(server, host_schema, tmp_path):
    sp.to_parquet(server.client.entities("site"), tmp_path / "a.parquet", progress=False)
    table = pa.table({"name": pa.array([uuid.uuid4().bytes], pa.binary(16))})
    parquet.write_table(table, tmp_path / "b.parquet")

    with pytest.raises(ValueError, match="is a table of schema 'site', not of 'host'"):
        sp.read_parquet(tmp_path / "a.parquet", host_schema)
    with pytest.raises(ValueError, match=r"b\.parquet: column 'name' gives bytes .*: cast it first"):
        sp.read_parquet(tmp_path / "b.parquet", host_schema)


def test_the_keys_of_a_map_are_the_fields_of_a_document(tmp_path):
    labels = pa.array([[("env", "prod"), ("team", "web")], [], None], pa.map_(pa.string(), pa.string()))
    parquet.write_table(pa.table({"name": ["a", "b", "c"], "labels": labels}), tmp_path / "t.parquet")
    schema = parse_schema(
        {"name": "t", "definition": {"name": "String", "labels": {"env": "String", "team": "String"}}}
    )

    frame = sp.read_parquet(tmp_path / "t.parquet", schema)

    assert values(frame, schema) == {
        "name": ["a", "b", "c"],
        "labels.env": ["prod", None, None],
        "labels.team": ["web", None, None],
    }


@pytest.mark.parametrize("inner", [True, False])
def test_a_map_with_a_key_twice_is_refused(tmp_path, inner):
    labels = pa.array([[("env", "prod"), ("env", "web")]], pa.map_(pa.string(), pa.string()))
    parquet.write_table(pa.table({"name": ["a"], "labels": labels}), tmp_path / "t.parquet")
    schema = parse_schema(
        {"name": "t", "definition": {"name": "String", "labels": {"env": "String"} if inner else "Mixed"}}
    )

    with pytest.raises(ValueError, match=r"t\.parquet: .*duplicate key"):
        sp.read_parquet(tmp_path / "t.parquet", schema)


def test_times_that_are_cut_are_said_where_a_table_is_made(tmp_path):
    moments = pa.array([1_700_000_000_123_456_789, 1_700_000_000_123_000_000, None], pa.timestamp("ns"))
    zoned = pa.array(
        [1_700_000_000_123_456, None, 1_700_000_000_123_457], pa.timestamp("us", "Europe/Berlin")
    )
    whole = pa.array([1_700_000_000_123_000] * 3, pa.timestamp("us"))
    table = pa.table({"at": moments, "seen": zoned, "made": whole})
    parquet.write_table(table, tmp_path / "t.parquet")

    rows = read_rows(InFile.of(tmp_path / "t.parquet"), Parquet(), ReadOptions())

    assert rows.notes == (
        "column 'at': 1 time is cut to milliseconds, the server keeps no more",
        "column 'seen': 2 times are cut to milliseconds, the server keeps no more",
    )

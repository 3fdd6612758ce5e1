"""Every format that a file's name can tell: there and back, packed or not, by name or as an open file."""

from __future__ import annotations

import gzip
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.options import ReadOptions, WriteOptions
from sispy_pandas.formats.reader import read_frame
from sispy_pandas.formats.registry import FIRST, FORMATS, by_suffix, find_format, format_of, suffixes
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.source import source_of
from sispy_pandas.workflow.edited import snapshot_of
from sispy_pandas.workflow.to_files import write_file

NAMES = [f"t{suffix}" for suffix in FORMATS]
TEXTS = [f"t{suffix}" for suffix in FORMATS if by_suffix(suffix).is_text]
PACKED = [f"{name}.gz" for name in TEXTS]
A, B = "a" * 24, "1" * 24


def written(frame, path, schema):
    write_file(frame, path, format_of(path.name), WriteOptions(), schema=schema)
    return path


def read(path, schema):
    return read_frame(InFile.of(path), format_of(path.name), schema, ReadOptions())


@pytest.mark.parametrize("name", NAMES)
def test_any_table_comes_back_equal(name, host_frames, host_schema, tmp_path):
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(host_frames)
    def check(frame):
        found = read(written(frame, tmp_path / name, host_schema), host_schema)
        if format_of(name).holds_objects:  # records lack the keys that have no value: so may all of them
            blank = [path for path in frame.columns if path not in found.columns]
            assert frame[blank].isna().all(axis=None)
            frame, found = frame.drop(columns=blank), found.reindex(columns=frame.columns.drop(blank))
        pd.testing.assert_frame_equal(found, frame)

    check()


@pytest.mark.parametrize("name", [*NAMES, *PACKED])
def test_an_unedited_export_is_an_empty_plan_and_says_where_it_came_from(name, server, tmp_path):
    live = server.fetch()
    path = tmp_path / name

    rows = write_file(server.hosts, path, format_of(name), WriteOptions(), progress=False)
    frame = read(path, live.schema)

    source = source_of(frame)
    assert rows == len(frame) == 20
    assert (source.path, source.server, source.schema) == (str(path), server.client.url, "host")
    plan = snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert (plan.empty, plan.notes) == (True, ())


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_file_is_that_of_the_text_and_the_same_bytes_twice(name, host_schema, tmp_path):
    frame = frame_of(host_schema, {"name": ["web1", "=1\u2028x"], "cpus": [8, None]}, [A, B], [1, 2])
    bare = tmp_path / name.removesuffix(".gz")

    packed = written(frame, tmp_path / name, host_schema).read_bytes()

    assert gzip.decompress(packed) == written(frame, bare, host_schema).read_bytes()
    assert written(frame, tmp_path / name, host_schema).read_bytes() == packed


@pytest.mark.parametrize("name", NAMES)
def test_an_open_file_stays_open(name, host_schema, tmp_path):
    frame = frame_of(host_schema, {"name": ["web1"], "cpus": [8]}, [A], [1])
    opened = io.BytesIO()

    write_file(frame, opened, format_of(name), WriteOptions(), schema=host_schema)
    opened.seek(0)
    found = read_frame(InFile.of(opened), format_of(name), host_schema, ReadOptions())

    pd.testing.assert_frame_equal(found, frame)
    assert source_of(found).path == "the BytesIO"


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_open_for_text_takes_and_gives_text(name, host_schema, tmp_path):
    frame = frame_of(host_schema, {"name": ["Zoë\r\nx"], "cpus": [8]}, [A], [1])
    opened = io.StringIO(newline="")

    write_file(frame, opened, format_of(name), WriteOptions(), schema=host_schema)
    opened.seek(0)
    found = read_frame(InFile.of(opened), format_of(name), host_schema, ReadOptions())

    pd.testing.assert_frame_equal(found, frame)


def test_a_file_that_is_open_for_text_takes_no_bytes(host_schema):
    frame = frame_of(host_schema, {"name": ["web1"]}, [A], [1])

    with pytest.raises(TypeError, match="the StringIO takes text alone: open it for bytes, in mode 'wb'"):
        write_file(frame, io.StringIO(), format_of("t.parquet"), WriteOptions(), schema=host_schema)
    for use in (InFile.of, lambda file: write_file(frame, file, format_of("t.csv"), WriteOptions())):
        with pytest.raises(TypeError, match="a file is a path or an open file, got int"):
            use(7)  # type: ignore[arg-type] # that is the point


def test_a_name_tells_the_format_in_any_case():
    assert FIRST == (".csv", ".xlsx", ".parquet", ".ndjson", ".json")
    assert suffixes(lambda form: not form.is_text) == (".xlsx", ".parquet")
    assert find_format("A.CSV.GZ") is by_suffix(".csv")
    assert find_format("a.b.ndjson") is by_suffix(".ndjson")
    assert [find_format(name) for name in ("a", ".csv", "a.xlsx.gz", "a.gz", "a.doc")] == [None] * 5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.doc", "a.doc: the name must end in one of .csv, .xlsx, .parquet, .ndjson, .json"),
        ("a.ods", "a.ods: save it as .xlsx or .csv"),
        ("a.xls", "a.xls: save it as .xlsx"),
        ("a.numbers", "a.numbers: export it as .xlsx or .csv"),
        ("a.zip", "a.zip: unpack it first"),
    ],
)
def test_another_name_is_told_what_to_do(name, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        format_of(name)

"""Exports of an endpoint, page by page, from a sandbox."""

import json

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults, Sandbox
from sispy_pandas.reading import pages
from sispy_pandas.workflow.to_files import iter_frames, to_csv, to_ndjson, to_parquet

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "dead"]},
    "cpus": "Number",
    "tags": ["String"],
    "nics": [{"mac": "String"}],
    "facts": "Mixed",
    "since": "Date",
}


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "host", "definition": DEFINITION, "_sis": {"owner": ["ops"]}})
        client.entities("host").create(
            [
                {
                    "name": f"web{i}",
                    "cpus": i,
                    "status": ["live", "dead"][i % 2],
                    "tags": ["a"] * (i % 2),
                    "nics": [{"mac": "x"}],
                    "facts": {"b": 1, "a": [i]} if i else None,
                    "since": "2020-01-02T00:00:00.000Z",
                }
                for i in range(11)
            ]
        )
        yield sis


@pytest.fixture
def hosts(sis):
    return sis.client().entities("host")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(pages, "MAX_PAGE", 4)


def test_frames_have_the_same_dtypes_and_all_rows_in_order(hosts):
    frames = list(iter_frames(hosts, rows=4))
    assert [len(frame) for frame in frames] == [4, 4, 3]
    assert len({tuple(frame.dtypes.astype(str)) for frame in frames}) == 1
    assert str(frames[0]["cpus"].dtype) == "Float64"
    assert pd.concat(frames).index.tolist() == sorted(r["_id"] for r in hosts.fetch_all())


def test_no_rows_are_one_empty_frame(hosts):
    (frame,) = iter_frames(hosts, {"q": {"name": "nobody"}})
    assert (len(frame), list(frame.columns)) == (0, [*DEFINITION, "_updated_at"])


def test_a_streamed_csv_is_that_of_the_snapshot(hosts, tmp_path):
    to_csv(hosts, tmp_path / "a.csv", progress=False)
    snapshot = sp.fetch(hosts, progress=False)
    to_csv(snapshot, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    note = json.loads((tmp_path / "a.csv.meta.json").read_text())
    assert (note["schema"], note["rows"], note["server"]) == ("host", 11, hosts.client.url)
    pd.testing.assert_frame_equal(
        sp.read_csv(tmp_path / "a.csv", snapshot.schema), snapshot.frame(), check_column_type=False
    )


def test_a_sorted_export_is_fetched_first(hosts, tmp_path):
    to_csv(
        hosts,
        tmp_path / "a.csv",
        {"sort": "-cpus", "q": {"cpus": {"$gt": 8}}},
        fields=["name"],
        progress=False,
    )
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "_id,name,_updated_at"
    assert [line.split(",")[1] for line in lines[1:]] == ["web10", "web9"]


def test_ndjson_holds_the_records_with_sorted_keys(hosts, tmp_path):
    to_ndjson(hosts, tmp_path / "a.ndjson", progress=False, meta=True)
    lines = (tmp_path / "a.ndjson").read_text().splitlines()
    assert [json.loads(line) for line in lines] == sp.fetch(hosts, progress=False).records()
    assert lines[1] == json.dumps(json.loads(lines[1]), sort_keys=True, separators=(",", ":"))


def test_parquet_keeps_types_and_has_json_for_what_is_nested(hosts, tmp_path):
    to_parquet(hosts, tmp_path / "a.parquet", progress=False)
    found = pd.read_parquet(tmp_path / "a.parquet").set_index("_id")
    assert found["cpus"].tolist() == list(range(11))
    assert str(found["since"].dtype) == "datetime64[ms, UTC]"
    assert found["tags"].map(list).tolist() == [["a"] * (i % 2) for i in range(11)]
    assert found["facts"].fillna("-").tolist()[:2] == ["-", '{"a": [1], "b": 1}']
    to_parquet(sp.fetch(hosts, progress=False), tmp_path / "b.parquet")
    assert pd.read_parquet(tmp_path / "b.parquet")["cpus"].tolist() == list(range(11))


@pytest.mark.parametrize("write", [to_csv, to_ndjson, to_parquet])
def test_two_exports_of_unchanged_data_are_the_same_bytes(hosts, tmp_path, write):
    for name in "ab":
        write(hosts, tmp_path / name, progress=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("write", [to_csv, to_ndjson, to_parquet])
def test_a_broken_export_leaves_the_old_file(sis, hosts, tmp_path, write):
    path = tmp_path / "hosts"
    path.write_text("old")

    def fail(seen):
        if "$gt" in str(seen.query.get("q")):
            raise RuntimeError

    sis.faults = Faults(before=fail)
    try:
        with pytest.raises(sispy.ServerError):
            write(hosts, path, progress=False)
    finally:
        sis.faults = Faults()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["hosts"]


def test_rows_that_do_not_add_up_are_an_error(hosts, tmp_path, monkeypatch):
    honest = type(hosts).raw_page

    def more(self, query=None):
        page = honest(self, query)
        return sispy.RawPage(page.body, page.headers, (page.total_count or 0) + ("$gt" not in str(query)))

    monkeypatch.setattr(type(hosts), "raw_page", more)
    monkeypatch.setattr(type(hosts), "count", lambda self, q=None: 12)
    with pytest.raises(
        sispy.BadAnswer, match="host: 11 rows were read; the server counted 12 at first and 12"
    ):
        to_csv(hosts, tmp_path / "a.csv", progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [to_ndjson, to_parquet])
def test_a_frame_alone_does_not_tell_the_types_and_leaves_no_file(hosts, tmp_path, write):
    frame = sp.fetch(hosts, progress=False).frame()

    with pytest.raises(
        ValueError, match="a frame alone does not tell the types of its columns: give schema="
    ):
        write(frame, tmp_path / "t")

    assert list(tmp_path.iterdir()) == []

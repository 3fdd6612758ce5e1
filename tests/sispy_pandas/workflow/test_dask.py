"""A dask DataFrame of a sandbox, computed by two worker processes."""

import contextlib
import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Sandbox

pytest.importorskip("dask.dataframe", reason="dask is not installed")
from sispy_pandas.workflow.dask import read_dask

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "dead"]},
    "cpus": "Number",
    "since": "Date",
    "tags": ["String"],
    "facts": "Mixed",
    "disks": [{"dev": "String", "gb": "Number"}],
    "nums": ["Number"],
    "any": ["Mixed"],
    "ip": "IpAddress",
}


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "host", "definition": DEFINITION, "_sis": {"owner": ["ops"]}})
        rows = [
            {
                "name": f"h{i}",
                "cpus": i,
                "status": ["live", "dead"][i % 2],
                "since": "2020-01-02T00:00:00.000Z",
                "tags": ["x"] * (i % 3),
                "facts": {"i": i} if i % 2 else "text",
                "disks": [{"dev": "sda", "gb": i}] if i % 2 else [],
                "nums": [i, 1.5],
                "any": [i, "x", {"a": 1}],
                "ip": f"10.0.0.{i}/24",
            }
            for i in range(20)
        ]
        assert client.entities("host").create(rows)["errors"] == []
        yield sis


@pytest.fixture
def hosts(sis):
    return sis.client().entities("host")


def test_the_dtypes_are_known_without_a_row(sis, hosts):
    before = len([r for r in sis.requests if r.query.get("limit") == "10000"])
    found = read_dask(hosts, partitions=3)
    assert found.npartitions == 3
    assert found.known_divisions
    assert found.dtypes.astype(str).to_dict() == {
        "name": "str", "status": "category", "cpus": "Float64", "since": "datetime64[ms, UTC]",
        "tags": "object", "facts": "string[pyarrow]", "disks": "string[pyarrow]",
        "nums": "object", "any": "string[pyarrow]", "ip": "str",
        "_updated_at": "datetime64[ms, UTC]",
    }  # fmt: skip
    assert len([r for r in sis.requests if r.query.get("limit") == "10000"]) == before


def test_two_worker_processes_read_the_same_table_without_a_token(sis, hosts, caplog):
    from distributed import Client, LocalCluster

    caplog.set_level(logging.DEBUG)
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            host="127.0.0.1",
        ) as cluster,
        Client(cluster),
    ):
        lazy = read_dask(hosts, where="cpus >= 4", partitions=4, fields=["name", "cpus", "status"])
        found = lazy.compute()
        mean = lazy["cpus"].mean().compute()
    expected = sp.fetch(
        hosts, {"q": {"cpus": {"$gte": 4}}}, fields=["name", "cpus", "status"], progress=False
    ).frame()
    pd.testing.assert_frame_equal(found, expected.astype({"cpus": "Float64"}))
    assert mean == expected["cpus"].mean()
    assert hosts.client.auth_token
    texts = [repr(lazy), repr(dict(lazy.__dask_graph__())), str(lazy.dask), caplog.text]
    assert not any(hosts.client.auth_token in text for text in texts)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # dask's own
def test_every_type_is_written_to_parquet_as_an_export_has_it(hosts, tmp_path):
    read_dask(hosts, partitions=3).to_parquet(tmp_path / "dask")
    sp.to_parquet(hosts, tmp_path / "export.parquet", progress=False)

    whole = pq.read_table(tmp_path / "dask")
    export = pq.read_table(tmp_path / "export.parquet")
    assert [whole[name].to_pylist() for name in DEFINITION] == [
        export[name].to_pylist() for name in DEFINITION
    ]
    assert whole["_id"].to_pylist() == export["_id"].to_pylist()
    dd = pytest.importorskip("dask.dataframe")
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    for frame in (
        pd.read_parquet(tmp_path / "dask"),
        pd.read_parquet(tmp_path / "dask", dtype_backend="pyarrow"),
        dd.read_parquet(tmp_path / "dask").compute(),
        dd.read_parquet(tmp_path / "dask", dtype_backend="pyarrow").compute(),
        polars.read_parquet(tmp_path / "dask" / "*.parquet"),
        duckdb.read_parquet(f"{tmp_path}/dask/*.parquet").order("_id").df(),
    ):
        for name in ("tags", "nums"):
            assert list(map(list, frame[name])) == whole[name].to_pylist()
        assert list(frame["disks"]) == whole["disks"].to_pylist()


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # dask's own
def test_lists_stay_what_they_are_whatever_is_done_before_they_are_written(hosts, tmp_path):
    table = read_dask(hosts, partitions=3)
    some = table[table["cpus"] > 4].repartition(npartitions=2).assign(twice=table["cpus"] * 2)

    some.to_parquet(tmp_path / "dask")

    read = pd.read_parquet(tmp_path / "dask")
    assert list(map(list, read["tags"])) == [["x"] * (i % 3) for i in range(5, 20)]
    assert read["twice"].tolist() == [2 * i for i in range(5, 20)]
    assert table["tags"].compute().list.len().tolist() == [i % 3 for i in range(20)]


@pytest.mark.parametrize(
    ("use", "asked"),
    [
        (lambda table: table[["name"]], "_sis._updated_at,name"),
        (lambda table: table["tags"], "_sis._updated_at,tags"),
        (lambda table: table[table["cpus"] > 3][["name"]], "_sis._updated_at,cpus,name"),
        (lambda table: table, None),
    ],
)
def test_only_columns_that_are_used_are_asked_for(sis, hosts, use, asked):
    table = read_dask(hosts, partitions=2)
    since = len(sis.requests)

    found = use(table).compute(scheduler="synchronous")

    rows = [seen for seen in sis.requests[since:] if seen.path == "/entities/host"]
    assert [seen.query.get("fields") for seen in rows] == [asked] * 2
    assert len(found) == 16 if asked and "cpus" in asked else 20


def test_rows_above_the_last_bound_are_read(sis, hosts):
    table = read_dask(hosts, partitions=3)
    id_ = hosts.create({"name": "late"})["_id"]
    try:
        found = table["name"].compute(scheduler="synchronous")
    finally:
        hosts.delete(id_)

    assert (len(found), found[id_]) == (21, "late")


@pytest.mark.parametrize("partitions", [1, 3])
def test_rows_that_the_server_counts_and_does_not_send_are_an_error(sis, hosts, monkeypatch, partitions):
    table = read_dask(hosts, partitions=partitions)
    raw_page = sispy.Endpoint.raw_page

    def short(endpoint, query):
        page = raw_page(endpoint, query)
        return replace(page, body=json.dumps(json.loads(page.body)[:-1]).encode())

    monkeypatch.setattr(sispy.Endpoint, "raw_page", short)
    said = r"host, _id from \w{24}: \d+ rows were read; the server counted \d+ at first and \d+ afterwards"
    with pytest.raises(sispy.BadAnswer, match=said):
        table.compute(scheduler="synchronous")


def test_rows_of_other_ranges_are_an_error(hosts, monkeypatch):
    table = read_dask(hosts, partitions=3)
    raw_page = sispy.Endpoint.raw_page

    def all_of_them(endpoint, query):
        return raw_page(endpoint, {key: value for key, value in query.items() if key != "q"})

    monkeypatch.setattr(sispy.Endpoint, "raw_page", all_of_them)
    with pytest.raises(
        sispy.BadAnswer, match=r"_id from \w+: the server sent rows up to \w{24}, which are of"
    ):
        table.compute(scheduler="synchronous")


def test_a_server_that_ignores_the_order_of_a_probe_loses_no_row(sis, hosts, monkeypatch):
    fetch_page = sispy.Endpoint.fetch_page

    def unsorted(endpoint, query):
        return fetch_page(endpoint, {**query, "sort": "-_id"} if query.get("limit") == 1 else query)

    monkeypatch.setattr(sispy.Endpoint, "fetch_page", unsorted)

    found = read_dask(hosts, partitions=6)

    assert found.npartitions == 6
    assert len(found.compute(scheduler="synchronous")) == 20


def test_no_rows_are_one_empty_partition(hosts):
    found = read_dask(hosts, where="name = nobody")
    assert (found.npartitions, len(found.compute(scheduler="synchronous"))) == (1, 0)


def test_a_value_that_contradicts_the_dtype_is_named(sis):
    client = sis.client()
    client.schemas.create({"name": "odd", "definition": {"n": "String"}, "_sis": {"owner": ["ops"]}})
    id_ = client.entities("odd").create({"n": "x"})["_id"]
    client.schemas.update("odd", {"name": "odd", "definition": {"n": "Number"}, "_sis": {"owner": ["ops"]}})
    with pytest.raises(ValueError, match=f"odd {id_}: 'n' holds 'x': its type is not Number"):
        read_dask(client.entities("odd")).compute(scheduler="synchronous")


CANNED = Path(__file__).parents[2] / "benchmarks" / "canned.py"
ROWS, LATENCY = 200_000, 50


@contextlib.contextmanager
def server(port=0):
    """Run a server of 200,000 rows in a process of its own, and give its address."""
    command = [sys.executable, str(CANNED), str(ROWS), str(LATENCY), str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def cpus():
    """Return the sum of a column, as the server's rows have it."""
    spec = importlib.util.spec_from_file_location("canned", CANNED)
    assert spec
    assert spec.loader
    canned = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(canned)
    return ROWS // canned.DISTINCT * sum(canned.entity(i)["cpus"] for i in range(canned.DISTINCT))


@pytest.mark.soak
def test_a_worker_that_dies_and_a_server_that_is_started_anew_lose_no_row():
    from distributed import Client, LocalCluster, futures_of

    def begun(url, partitions):
        """Return a column that workers are reading: some partitions are there, and some are not."""
        table = read_dask(sispy.Client(url).entities("host"), partitions=partitions)[["cpus"]].persist()
        futures = futures_of(table)
        while sum(future.status == "finished" for future in futures) < 5:
            time.sleep(0.01)
        assert any(future.status == "pending" for future in futures)
        return table

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "host": "127.0.0.1"}
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
        with server() as url:
            read = begun(url, 20)
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
            assert (len(read), read["cpus"].sum().compute()) == (ROWS, cpus())
            read = begun(url, 21)
        with server(url.rpartition(":")[2]):
            assert (len(read), read["cpus"].sum().compute()) == (ROWS, cpus())


def test_the_filter_is_a_text_or_what_where_returns_and_no_query(hosts):
    for filter_ in ("cpus < 3", sp.where(hosts, "cpus < 3"), {"cpus": {"$lt": 3}}):
        found = read_dask(hosts, where=filter_, partitions=2).compute(scheduler="synchronous")
        assert found["cpus"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="schema 'host' has no field 'sort'"):
        read_dask(hosts, where={"sort": "name"})
    with pytest.raises(ValueError, match="the filter is empty"):
        read_dask(hosts, where=" ")
    with pytest.raises(TypeError, match=r"a filter is a text such as .*, got list"):
        read_dask(hosts, where=["cpus < 3"])  # type: ignore[arg-type]


def test_a_dask_frame_is_no_edited_table_yet_and_no_file(tmp_path):
    with Sandbox(samples=3) as sandbox:
        hosts = sandbox.client().entities("host")
        live = sp.fetch(hosts, progress=False)
        frame = sp.read_dask(hosts)

        for compare in (live.diff, partial(sp.snapshot_of, hosts)):
            with pytest.raises(TypeError) as refused:
                compare(frame)
            assert str(refused.value) == (
                "the edited rows are a DataFrame, got a dask DataFrame: its compute() makes one; "
                "of more rows than memory holds take one of its partitions after the other"
            )
        for write in (sp.to_csv, sp.to_excel):
            with pytest.raises(TypeError, match=r"a file is made of a .*, got a dask DataFrame: its"):
                write(frame, tmp_path / "hosts.xlsx")
        assert len(live.diff(frame.compute())) == 0

"""A dask DataFrame of a sandbox, computed by two worker processes."""

import logging

import pandas as pd
import pytest

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
                "facts": {"i": i},
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
        "tags": "object", "facts": "object", "_updated_at": "datetime64[ms, UTC]",
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
        lazy = read_dask(hosts, {"q": {"cpus": {"$gte": 4}}}, partitions=4, fields=["name", "cpus", "tags"])
        found = lazy.compute()
        mean = lazy["cpus"].mean().compute()
    expected = sp.fetch(
        hosts, {"q": {"cpus": {"$gte": 4}}}, fields=["name", "cpus", "tags"], progress=False
    ).frame()
    pd.testing.assert_frame_equal(found, expected.astype({"cpus": "Float64"}))
    assert mean == expected["cpus"].mean()
    assert hosts.client.auth_token
    texts = [repr(lazy), repr(dict(lazy.__dask_graph__())), str(lazy.dask), caplog.text]
    assert not any(hosts.client.auth_token in text for text in texts)


def test_no_rows_are_one_empty_partition(hosts):
    found = read_dask(hosts, {"q": {"name": "nobody"}})
    assert (found.npartitions, len(found.compute(scheduler="synchronous"))) == (1, 0)


def test_a_value_that_contradicts_the_dtype_is_named(sis):
    client = sis.client()
    client.schemas.create({"name": "odd", "definition": {"n": "String"}, "_sis": {"owner": ["ops"]}})
    id_ = client.entities("odd").create({"n": "x"})["_id"]
    client.schemas.update("odd", {"name": "odd", "definition": {"n": "Number"}, "_sis": {"owner": ["ops"]}})
    with pytest.raises(ValueError, match=f"odd {id_}: 'n' holds 'x': its type is not Number"):
        read_dask(client.entities("odd")).compute(scheduler="synchronous")


def test_a_sort_is_dasks_own(hosts):
    with pytest.raises(ValueError, match="read_dask takes q and fields"):
        read_dask(hosts, {"sort": "name"})

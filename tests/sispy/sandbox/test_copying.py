"""Copies of a server's schemas and entities."""

import pytest

from sispy import Client
from sispy.sandbox import Sandbox


def test_a_copy_has_the_ids_and_metadata_of_the_original():
    with Sandbox(samples=30) as original:
        source = original.client()
        query = {"populate": "false", "sort": "_id"}
        before = original.requests
        with Sandbox(copy_from=Client(original.url), schemas=["host", "rack"]) as copy:
            read = original.requests[len(before) :]
            assert {r.method for r in read} == {"GET"}
            assert {"offset" in r.query for r in read} == {False}  # by key: rows come and go meanwhile
            client = copy.client()
            assert sorted(s["name"] for s in client.schemas.fetch_all({})) == ["host", "rack"]
            for name in ("host", "rack"):
                theirs, ours = (list(c.entities(name).fetch_all(query)) for c in (source, client))
                assert ours == theirs
            hosts = client.entities("host")
            host = hosts.fetch_page({**query, "limit": 1})[0]
            assert (
                hosts.update(host["_id"], {"notes": "rehearsed", "rack": None, "services": []})["notes"]
                == "rehearsed"
            )
            assert [c["action"] for c in hosts.commits(host["_id"]).fetch_all({})] == ["update", "insert"]


def test_a_schema_that_the_original_lacks_is_named():
    with Sandbox() as original, pytest.raises(ValueError, match="no schema host at"):
        Sandbox(copy_from=Client(original.url), schemas=["host"]).start()

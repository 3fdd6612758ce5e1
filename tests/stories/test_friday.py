"""The Friday: a script broke many rows, colleagues went on working, and all of it is told and put back."""

import time
from datetime import UTC, datetime

import pandas as pd
import pytest

from sispy.sandbox import Sandbox
from sispy_pandas.revisions.edits import changes
from sispy_pandas.revisions.revert import revert
from sispy_pandas.workflow.fetch import fetch

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "os": "String",
    "tags": ["String"],
    "cpus": "Number",
    "note": "String",
}


@pytest.mark.parametrize(
    ("hosts", "broken"),
    [(300, 100), pytest.param(20_000, 4_000, marks=pytest.mark.soak)],
)
def test_the_friday(hosts, broken):
    edited, same_cells = 50, 10
    with Sandbox() as sis:
        root = sis.client()
        for name in ("script", "carol"):
            root.users.create(
                {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"g": "admin"}}
            )
        root.schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": DEFINITION})
        endpoint = root.entities("host")
        rows = [
            {"name": f"h{i:05}", "os": f"rhel{i % 3}", "tags": ["all", f"t{i % 5}"], "cpus": i % 8}
            for i in range(hosts)
        ]
        ids = [
            row["_id"]
            for n in range(0, hosts, 1000)
            for row in endpoint.create(rows[n : n + 1000])["success"]
        ]
        copy = fetch(endpoint, progress=False).frame().drop(columns="_updated_at")
        time.sleep(0.01)
        friday = datetime.now(UTC)
        script = sis.client("script").entities("host")
        victims = ids[:: hosts // broken][:broken]
        for n in range(0, broken, 500):
            script.update_bulk([{"_id": id_, "os": "windows", "tags": []} for id_ in victims[n : n + 500]])
        carol = sis.client("carol").entities("host")
        carol.update_bulk([{"_id": id_, "note": "seen"} for id_ in victims[:edited]])
        carol.update_bulk([{"_id": id_, "os": "debian"} for id_ in victims[:same_cells]])

        before = len(sis.requests)
        found = changes(endpoint, since=friday, progress=False)
        assert len(sis.requests) - before <= broken + 2

        summary = found.summary().groupby(["by", "field", "action"])[["cells"]].sum()
        assert summary["cells"].to_dict() == {
            ("carol", "note", "update"): edited,
            ("carol", "os", "update"): same_cells,
            ("script", "os", "update"): broken,
            ("script", "tags", "update"): broken,
        }
        assert found.summary()["minute"].min() >= pd.Timestamp(friday).floor("min")

        plan = revert(found.only(by="script"))
        assert sorted(plan.conflicts["_id"]) == sorted(victims[:same_cells])
        assert set(plan.conflicts["field"]) == {"os"}
        assert plan.counts["updates"] == broken
        before = len(sis.requests)
        report = plan.push(progress=False, journal=False)
        assert len(sis.requests) - before <= broken + 4

        assert sorted(report.conflicts["_id"]) == sorted(victims[:same_cells])
        after = fetch(endpoint, progress=False).frame().drop(columns="_updated_at")
        expected = copy.copy()
        expected.loc[victims[:edited], "note"] = "seen"
        expected.loc[victims[:same_cells], "os"] = "debian"
        pd.testing.assert_frame_equal(after, expected)

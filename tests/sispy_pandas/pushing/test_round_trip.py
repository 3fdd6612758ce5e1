"""Any edit of any type: what is pushed is what is stored, and undo brings back what was."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy.client import Endpoint
from sispy.sandbox import Sandbox
from sispy_pandas.values.entity import body, stored
from sispy_pandas.values.types.convert import json_values
from sispy_pandas.values.types.equality import equal

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=1.0)


@pytest.fixture(scope="module")
def table(host_schema) -> Iterator[Endpoint]:
    with Sandbox() as sandbox:
        client = sandbox.client()
        client.username = sandbox.user
        definition = {name: entry for name, entry in host_schema.definition.items() if name != "rack"}
        client.schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": definition})
        yield client.entities("host")


def values(frame, schema):
    """Return the rows of a drawn frame as values by path, with names of their own and known enums."""
    columns = {
        field.path: json_values(field, frame[field.path]) for field in schema.fields if field.path != "rack"
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for i, row in enumerate(rows):
        row["name"] = f"h{i}"
        if row["os.name"] == "retired":
            row["os.name"] = None
    return [{path: value for path, value in row.items() if value is not None and value != []} for row in rows]


def test_what_is_pushed_is_stored_and_undone(table, host_frames, host_schema):
    schema = sp.fetch(table, progress=False).schema

    @settings(
        max_examples=25,
        phases=[Phase.explicit, Phase.generate],  # shrinking a table of this width takes minutes
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
    )
    @given(old=host_frames, new=host_frames, guard=st.sampled_from(["check", "check", "cas", "off"]))
    def run(old, new, guard):
        if table.count({}):
            table.delete_bulk({"q": {"name": {"$exists": True}}})
        rows = values(old, schema)
        if not rows:
            return
        made = table.create([body(row) for row in rows])
        assert made["errors"] == []
        live = sp.fetch(table, progress=False)
        before = {row["_id"]: row for row in table.fetch_all({"populate": False})}
        mine = live.frame()
        for i in range(min(len(mine), len(new))):
            for path in schema.columns:
                if path != "name" and new[path].dtype == object:
                    mine.at[mine.index[i], path] = new[path].iloc[i]
                elif path not in ("name", "os.name"):
                    mine[path] = mine[path].astype(object)
                    mine.loc[mine.index[i], path] = new[path].iloc[i]
        plan = live.diff(mine)
        report = plan.push(progress=False, limits=QUICK, guard=guard, skip_problems=True, journal=False)
        after = {row["_id"]: row for row in table.fetch_all({"populate": False})}
        words = {outcome.row: outcome.word for outcome in report.outcomes}
        assert set(words.values()) <= {"done", "problem"}, report
        for change in plan.changes:
            for field in schema.fields:
                wanted = change.after if words[change.id] == "done" and field.path in change.after else None
                expected = wanted[field.path] if wanted else stored(field, before[change.id])
                assert equal(field, stored(field, after[change.id]), expected), (field.path, expected)
        assert live.diff(mine).only(ids=[r for r, w in words.items() if w == "done"]).refresh().changes == ()
        back = sp.undo(report).push(progress=False, limits=QUICK, guard=guard, journal=False)
        assert back.ok, back
        now = {row["_id"]: row for row in table.fetch_all({"populate": False})}
        for id_, row in before.items():
            for field in schema.fields:
                assert equal(field, stored(field, now[id_]), stored(field, row)), field.path

    run()

"""Accounting: every row has exactly one outcome, and the server agrees with it, whatever a server answers."""

from collections.abc import Iterator
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy.endpoint import Endpoint
from sispy.response import Response
from sispy.sandbox import Sandbox
from sispy_pandas.changes import Create, Delete, Update

CHUNK = 4
QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=1.0, rows=CHUNK)


class Strange(Endpoint):
    """An endpoint whose bulk answers are as odd as they get: shuffled, with failures and lost ids."""

    def __init__(self, endpoint, *, failing, once, silent, seed):
        super().__init__(endpoint.endpoint, endpoint.client)
        self.failing, self.once, self.silent, self.seed = failing, set(once), silent, seed

    def update_bulk(self, content, query=None):
        refused = [row for row in content if row["_id"] in self.failing or row["_id"] in self.once]
        sent = [row for row in content if row not in refused]
        self.once.difference_update(row["_id"] for row in refused)
        answer = super().update_bulk(sent).to_dict() if sent else {"success": [], "errors": []}
        success = sorted(answer["success"], key=lambda row: crc32(f"{self.seed}{row['_id']}".encode()))
        lost = [row for row in success if row["_id"] in self.silent]
        self.silent = self.silent - {row["_id"] for row in lost}
        errors = [
            {"err": [500, {"error": "Internal error", "code": 1002}, "text"], "value": _without_id(row)}
            for row in refused
        ]
        return Response(
            {"success": [row for row in success if row not in lost], "errors": answer["errors"] + errors}
        )


def _without_id(row):
    return {key: value for key, value in row.items() if key != "_id"} | {"_sis": {"_version": "v1.1"}}


@pytest.fixture(scope="module")
def table() -> Iterator[Endpoint]:
    with Sandbox() as sandbox:
        client = sandbox.client()
        client.username = sandbox.user
        definition = {
            "name": {"type": "String", "required": True, "unique": True},
            "n": {"type": "Number", "max": 99},
        }
        client.schemas.create({"name": "t", "_sis": {"owner": ["g"]}, "definition": definition})
        yield client.entities("t")


ROW = st.tuples(
    st.sampled_from(["update", "update", "update", "create", "delete"]),
    st.sampled_from(["fine", "fine", "fails", "fails once", "silent", "foreign", "gone", "bad", "same"]),
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.one_of(
        st.lists(ROW, max_size=3 * CHUNK),
        *[st.lists(ROW, min_size=n, max_size=n) for n in (0, 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1)],
    ),
    seed=st.integers(0, 99),
)
def test_every_row_has_one_outcome_and_the_server_agrees(table, rows, seed):
    if table.count({}):
        table.delete_bulk({"q": {"n": {"$gte": 0}}})
    made = {i: f"r{i}" for i, (action, _) in enumerate(rows) if action != "create"}
    ids = {}
    if made:
        ids = {
            row["name"]: row["_id"]
            for row in table.create([{"name": n, "n": 1} for n in made.values()])["success"]
        }
    snapshot = sp.fetch(table, progress=False)
    changes = []
    for i, (action, fate) in enumerate(rows):
        value = 100 if fate == "bad" else 2
        if action == "create":
            changes.append(Create(i, {"name": f"r{i}", "n": value}, f"r{i}"))
        elif action == "update":
            changes.append(Update(ids[f"r{i}"], {"n": 1}, {"n": value}, f"r{i}"))
        else:
            changes.append(Delete(ids[f"r{i}"], {"name": f"r{i}", "n": 1}, f"r{i}"))
        if action != "create" and fate == "foreign":
            table.update(ids[f"r{i}"], {"n": 7})
        elif action != "create" and fate == "gone":
            table.delete(ids[f"r{i}"])
        elif action == "update" and fate == "same":
            table.update(ids[f"r{i}"], {"n": 2})

    def having(fate):
        return {ids[f"r{i}"] for i, (action, f) in enumerate(rows) if f == fate and action == "update"}

    strange = Strange(
        table, failing=having("fails"), once=having("fails once"), silent=having("silent"), seed=seed
    )
    plan = sp.Plan(strange, snapshot.schema, tuple(changes), snapshot=snapshot)
    report = plan.push(progress=False, journal=False, limits=QUICK, expect_deletes=plan.counts["deletes"])
    stored = {row["name"]: row["n"] for row in table.fetch_all({})}

    assert [outcome.key for outcome in report.outcomes] == [f"r{i}" for i in range(len(rows))]
    assert sum(report.counts.values()) == len(rows)
    for i, ((action, fate), outcome) in enumerate(zip(rows, report.outcomes, strict=True)):
        assert (outcome.word, stored.get(f"r{i}")) == expected(action, fate), (action, fate, outcome)


def expected(action, fate):
    """Return the outcome of a row, and what the server holds of it afterwards."""
    if action == "create":
        return ("failed", None) if fate == "bad" else ("done", 2)
    if fate == "foreign":
        return "conflict", 7
    if action == "delete":
        return ("unchanged", None) if fate == "gone" else ("done", None)
    return {
        "fails": ("failed", 1),
        "gone": ("conflict", None),
        "bad": ("failed", 1),
        "same": ("unchanged", 2),
    }.get(fate, ("done", 2))

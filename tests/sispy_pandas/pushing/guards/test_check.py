"""Accounting: every row has exactly one outcome, and the server agrees with it, whatever a server answers."""

from collections.abc import Iterator
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sispy
import sispy_pandas as sp
from sispy.client import Endpoint
from sispy.response import Response
from sispy.sandbox import Faults, Sandbox
from sispy_pandas.values.changes import Change, Create, Delete, Update

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
    max_examples=40,
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
    changes: list[Change] = []
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
    deletes = plan.counts["deletes"]
    report = plan.push(
        progress=False, limits=QUICK, journal=False, expect_deletes=deletes, again=True
    )  # again: rows come and go
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


def test_a_row_in_conflict_whose_other_cell_is_refused_has_failed(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=8, **{"bios.vendor": "dell"})).check()
    server.hosts.update(live.ids[0], {"cpus": 6})
    schema = server.client.schemas.get("host").to_dict()
    schema["definition"]["bios"]["vendor"] = {"type": "String", "maxlength": 1}
    server.client.schemas.update("host", schema)

    report = plan.push(progress=False, limits=QUICK)

    assert [(o.word, o.status) for o in report.outcomes] == [("failed", 400)]
    assert [(c.field, c.theirs) for c in report.conflict_list] == [("cpus", 6)]


@pytest.mark.parametrize(("guard", "reads"), [("check", 1), ("off", 0)])
def test_a_guard_reads_before_it_writes_and_none_does_not(server, guard, reads):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=8))
    plan.check()
    checking = len(server.sandbox.requests)
    plan.check()
    cost = len(server.sandbox.requests) - checking

    report = plan.push(progress=False, limits=QUICK, guard=guard)

    assert report.counts["done"] == 2
    methods = [seen.method for seen in server.sandbox.requests[checking + cost :]]
    methods = methods[: methods.index("PUT") + 1]  # then the history is read
    assert methods == ["GET"] * (cost + reads) + ["PUT"]


def test_a_resume_without_a_guard_looks_for_what_was_sent_and_only_for_that(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(8).assign(cpus=9))
    once = sp.Limits(settle=0.0, settle_row=0.0, rows=CHUNK, attempts=1)
    server.sandbox.faults = Faults(drop_after={"PUT *": 1.0})
    report = plan.push(progress=False, limits=once, guard="off")
    server.sandbox.faults = Faults()
    server.hosts.update(live.ids[4], {"cpus": 3})  # not sent yet: without a guard it is written over

    rest = sp.resume(report.journal, client=server.client).push(progress=False, limits=once)

    assert [(o.word, o.reason) for o in rest.outcomes] == [
        *[("done", "found written after its answer got lost")] * 4,
        *[("done", "")] * 4,
    ]
    stored = [server.hosts.get(id_)["_sis"]["_updated_at"] for id_ in live.ids[:8]]
    assert [o.receipt for o in rest.outcomes] == stored
    assert len([seen for seen in server.sandbox.requests if seen.method == "PUT"]) == 3


def test_a_cancellation_is_obeyed_between_rows_that_are_asked_about_alone(server):
    live = server.fetch()
    strange = Strange(server.hosts, failing=set(), once=set(live.ids[:2]), silent=set(), seed=0)
    plan = live.diff(live.frame().head(3).assign(cpus=8))
    plan = sp.Plan(strange, plan.schema, plan.changes)
    puts = lambda: len([s for s in server.sandbox.requests if s.method == "PUT"])  # noqa: E731

    report = plan.push(progress=False, limits=QUICK, cancel=lambda: puts() >= 2)

    assert [o.word for o in report.outcomes] == ["done", "unsent", "done"]
    assert report.stopped == "cancelled"


@pytest.mark.parametrize("guard", ["check", "cas"])
def test_a_value_that_somebody_else_wrote_is_not_ours_though_our_request_was_lost(server, guard):
    live, bob = server.fetch(), another(server)
    plan = live.diff(live.frame().head(1).assign(cpus=9))

    def before(seen):
        if seen.method == "PUT" and server.sandbox.faults.drop_before:
            server.sandbox.faults = Faults()
            bob.update(live.ids[0], {"cpus": 9})

    server.sandbox.faults = Faults(before=before, drop_before={"PUT *": 1.0})
    report = plan.push(progress=False, limits=QUICK, guard=guard)

    reason = "the server holds these values: somebody else wrote them"
    assert [(o.word, o.reason, o.written) for o in report.outcomes] == [("unchanged", reason, {})]
    assert len(sp.undo(report)) == 0


@pytest.mark.parametrize("theirs", [{"serial": "bob"}, {"cpus": 5}])
def test_our_write_is_known_by_its_commit_when_somebody_else_wrote_to_the_row_since(server, theirs):
    live, bob = server.fetch(), another(server)
    plan = live.diff(live.frame().head(1).assign(cpus=9))

    def after(seen):
        if seen.method == "PUT" and server.sandbox.faults.drop_after:
            server.sandbox.faults = Faults()
            bob.update(live.ids[0], theirs)
            bob.update(live.ids[0], {"cpus": 9})

    server.sandbox.faults = Faults(after=after, drop_after={"PUT *": 1.0})
    report = plan.push(progress=False, limits=QUICK)

    assert [(o.word, o.written) for o in report.outcomes] == [("done", {"cpus": (1, 9)})]
    assert len(sp.undo(report).conflicts) == ("cpus" in theirs)


def another(server):
    """Return the table for another user."""
    who = {"name": "bob", "email": "bob@example.com", "pw": "secret", "roles": {"net": "user", "ops": "user"}}
    server.client.users.create(who)
    client = sispy.Client(server.client.url)
    client.authenticate("bob", "secret")
    return client.entities("host")

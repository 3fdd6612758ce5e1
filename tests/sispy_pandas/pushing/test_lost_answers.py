"""A write that arrived though no answer came, and was written over since: what it had replaced is told."""

import itertools
import json
from dataclasses import replace

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.record import read
from sispy_pandas.values.changes import Attempt

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=4.0)
MINE = {"cpus": 9, "live": None}
BASE = {"cpus": 1, "live": True}


class Bob:
    """Somebody who acts right before and right after each of our writes, whose answers may get lost."""

    def __init__(self, server):
        self.server = server
        roles = {"net": "user", "ops": "user"}
        server.client.users.create({"name": "bob", "email": "bob@example.com", "pw": "bob", "roles": roles})
        self.hosts = server.sandbox.client("bob").entities("host")

    def __call__(self, plan, *acts, lost=1, status=None):
        """Begin.

        Args:
            plan: Whose first row he acts on.
            acts: What he sends to it, before and after each write in turn; None: he deletes it.
            lost: How many answers to our writes get lost: the connection is cut,
            status: or a proxy says this.
        """
        left = list(acts)

        def act(seen):
            if seen.method == "PUT" and left:
                (change, *_), body = plan.changes, left.pop(0)
                named = {"q": {"name": change.key}}
                id_ = getattr(change, "id", None) or self.hosts.fetch_all(named)[0]["_id"]
                if body is None:
                    self.hosts.delete(id_)
                elif body:
                    self.hosts.update(id_, body)

        def faults(losing):
            def before(seen):
                if seen.method == "PUT":
                    self.server.sandbox.faults = faults(losing - 1)
                act(seen)

            rate = float(losing > 0)
            if status is None:
                return Faults(before=before, after=act, drop_after={"PUT *": rate})
            return Faults(before=before, after=act, lost_answers={"PUT *": (status, rate)})

        self.server.sandbox.faults = faults(lost)


@pytest.fixture
def bob(server):
    return Bob(server)


def plan_of(server, **cells):
    live = server.fetch()
    return live.diff(live.frame().head(1).assign(**cells))


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def told(report):
    return [(c.field, c.base, c.mine, c.theirs, c.by) for o in report.outcomes for c in o.overwrites]


LOST = [("cpus", 1, 9, 5, "bob")]


def test_somebody_deleted_the_row_since(server, bob):
    plan = plan_of(server, **MINE)
    bob(plan, {"cpus": 5}, None)

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["conflict"]
    assert told(report) == LOST


def test_another_cell_is_sent_once_more(server, bob):
    plan = plan_of(server, **MINE)
    bob(plan, {"cpus": 5}, {"cpus": 6, "live": True})

    report = push(plan)

    assert [(o.word, o.written) for o in report.outcomes] == [("conflict", {"live": (True, None)})]
    assert told(report) == LOST


def test_all_is_sent_once_more(server, bob):
    plan = plan_of(server, **MINE)
    bob(plan, {"cpus": 5}, BASE)

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["done"]
    assert told(report) == LOST


def test_the_server_fails_on_the_row_again_and_again(server, bob):
    plan = plan_of(server, **MINE)
    bob(plan, {"cpus": 5}, BASE, {}, BASE, lost=9, status=500)

    report = push(plan)

    assert [(o.word, o.written) for o in report.outcomes] == [("failed", {})]
    assert told(report) == LOST


def test_what_a_new_row_could_not_be_created_with_is_written_over(server, bob):
    plan = server.fetch().diff(pd.DataFrame({"name": ["n0"], "extra": [{"a.b": 1}]}), new=True)
    bob(plan, {"extra": {"theirs": 1}}, {"extra": {"theirs": 2}})

    report = push(plan)

    assert [(o.word, o.written) for o in report.outcomes] == [("conflict", {"name": (None, "n0")})]
    assert told(report) == [("extra", None, {"a.b": 1}, {"theirs": 1}, "bob")]


def test_of_what_a_new_row_was_completed_with_that_is_known_which_nobody_wrote_over(server, bob):
    definition = {"name": {"type": "String", "unique": True}, "one": "Mixed", "other": "Mixed"}
    server.client.schemas.create({"name": "box", "_sis": {"owner": ["net"]}, "definition": definition})
    boxes, bob.hosts = server.client.entities("box"), server.sandbox.client("bob").entities("box")
    new = pd.DataFrame({"name": ["n0"], "one": [{"a.b": 1}], "other": [{"c.d": 2}]})
    plan = sp.fetch(boxes, progress=False).diff(new, new=True)
    bob(plan, {}, {"one": {"theirs": 1}})

    report = push(plan)

    assert [(o.word, o.written) for o in report.outcomes] == [
        ("conflict", {"name": (None, "n0"), "other": (None, {"c.d": 2})})
    ]
    assert [(c.field, c.mine, c.theirs) for c in report.conflict_list] == [
        ("one", {"a.b": 1}, {"a.b": 1, "theirs": 1})
    ]


def test_a_merged_value_that_was_not_found_since_others_had_merged_something_as_well(server, bob):
    plan = plan_of(server, extra=[{"a": 9, "b": {"c": 0}}])
    bob(plan, {"extra": {"z": 1}})
    faults, done = server.sandbox.faults, []

    def between(seen):
        if seen.method == "PUT" and not done:
            done.append(bob.hosts.update(plan.changes[0].id, {"extra": {"a": 5}}))

    server.sandbox.faults = replace(faults, between=between)

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["conflict"]
    theirs = {"a": 5, "b": {"c": 0}, "z": 1}
    assert told(report) == [("extra", {"a": 1, "b": {"c": 0}}, {"a": 9, "b": {"c": 0}}, theirs, "bob")]


def test_a_request_that_was_refused_is_delivered_once_more(server, bob):
    plan = plan_of(server, **MINE, tags=[["mine"]])
    change, mine, puts = plan.changes[0], server.sandbox.client().entities("host"), itertools.count()

    def between(seen):  # two writes of an array: the second one is refused
        if seen.method == "PUT" and not next(puts):
            bob.hosts.update(change.id, {"cpus": 5, "tags": ["theirs"]})

    def before(seen):
        if seen.method == "PUT" and json.loads(seen.body) == [{"_id": change.id, "live": None}]:
            mine.update_bulk([{"_id": change.id, "cpus": 9, "live": None, "tags": ["mine"]}])

    server.sandbox.faults = Faults(before=before, between=between)

    report = push(plan)

    assert [(o.word, o.written) for o in report.outcomes] == [("conflict", {"live": (True, None)})]
    assert sorted(told(report)) == [*LOST, ("tags", ["a", "b"], ["mine"], ["theirs"], "bob")]


@pytest.mark.parametrize("parts", [1, 2])
def test_the_journal_knows_every_request_that_no_answer_came_to(server, bob, parts):
    once = sp.Limits(settle=0.1, settle_row=0.0, attempts=1)
    plan = plan_of(server, **MINE)
    bob(plan, {"cpus": 5}, BASE, *[{}, BASE] * (parts - 1), lost=parts)
    report = push(plan, limits=once)

    for _ in range(parts):
        assert report.counts["unsent"] == 1
        report = push(sp.resume(report.journal, server.client), limits=once)

    assert [o.word for o in report.outcomes] == ["done"]
    assert told(report) == LOST


def test_a_conflict_that_was_decided_is_no_loss(server, bob):
    plan = plan_of(server, **MINE)
    bob(plan, {}, {"cpus": 5})

    report = push(plan, on_conflict="mine")

    assert [(o.word, o.written["cpus"]) for o in report.outcomes] == [("done", (5, 9))]
    assert told(report) == []


def test_tags_leave_no_trace(server, bob):
    live = server.fetch()
    frame = live.frame(meta=True).head(1)
    frame["_sis.tags"] = [["mine"]]
    plan = live.diff(frame)
    bob(plan, {"_sis": {"tags": ["a"]}}, {"_sis": {"tags": ["b"]}})

    report = push(plan)

    assert [(o.word, o.unverified) for o in report.outcomes] == [
        ("conflict", "changes of owners, tags and locks leave no trace in the history")
    ]


def test_rows_of_their_own_reason_are_not_doubted(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=9)).check()
    definition = server.client.schemas.get("host").to_dict()
    definition["definition"]["cpus"]["max"] = 8
    server.client.schemas.update("host", definition)

    report = push(plan)

    assert [(o.word, o.doubted) for o in report.outcomes] == [("failed", ())] * 2


def test_attempts_go_to_the_journal_and_back(server, bob):
    plan = plan_of(server, **MINE)
    bob(plan, {}, {"cpus": 5, "live": False})
    report = push(plan, verify=False)

    (outcome,) = report.outcomes
    (entry,) = read(report.journal).entries.values()

    assert outcome.doubted == entry.doubted
    assert outcome.doubted == (Attempt({"cpus": (1, 9), "live": (True, None)}, plan.changes[0].receipt),)

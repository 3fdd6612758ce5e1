"""Faults: the right outcome for each row, or a clean stop that resume completes."""

import json
import threading
import time
from dataclasses import replace
from typing import cast

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.record import read as read_journal
from sispy_pandas.values.changes import Problem

QUICK = sp.Limits(settle=0.05, settle_row=0.0, patience=4.0, rows=50)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def mixture(live):
    """Twelve updates, six creates, two deletes."""
    df = live.frame().head(14).reset_index().astype(object)
    df["cpus"] = 9
    df["_delete"] = [None] * 12 + ["x"] * 2
    new = pd.DataFrame({"name": [f"n{i}" for i in range(6)], "cpus": 3})
    return live.diff(pd.concat([df, new.astype(object)], ignore_index=True))


def written(server):
    stored = server.stored()
    nines = [name for name, row in stored.items() if row["cpus"] == 9 and name.startswith("h")]
    new = [name for name, row in stored.items() if name.startswith("n")]
    return len(nines), len(new), len(stored)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(drop_before={"PUT *": 0.5, "POST *": 0.5, "DELETE *": 0.5}, seed=3),
        Faults(drop_after={"PUT *": 0.5, "POST *": 0.5, "DELETE *": 0.5}, seed=2),
        Faults(truncate={"PUT *": 0.5, "POST *": 0.5, "DELETE *": 0.5}, seed=1),
        Faults(lost_answers={"PUT *": (500, 0.5), "POST *": (500, 0.5), "DELETE *": (502, 0.5)}, seed=5),
        Faults(
            errors={"PUT *": (429, 0.5), "POST *": (503, 0.5), "GET *": (503, 0.2)}, seed=1, retry_after=0.1
        ),
    ],
    ids=["lost before", "lost after", "truncated", "answer lost", "busy"],
)
def test_every_row_arrives_once_whatever_happens_to_requests(server, faults):
    plan = mixture(server.fetch())
    server.sandbox.faults = faults

    report = push(plan, limits=sp.Limits(settle=0.05, settle_row=0.0, patience=10.0, rows=5, attempts=12))
    server.sandbox.faults = Faults()

    assert report.counts["done"] == len(plan), report
    assert written(server) == (12, 6, 24)
    assert push(sp.undo(report), expect_deletes=6).ok


def test_an_error_of_the_server_for_the_whole_request_is_asked_about_row_by_row(server):
    plan = mixture(server.fetch())
    server.sandbox.faults = Faults(errors={"PUT *": (500, 1.0)})

    report = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0, patience=2.0, rows=3))

    assert {o.status for o in report.outcomes if o.word == "failed"} == {500}
    assert report.counts == {
        "done": 8,
        "unchanged": 0,
        "conflict": 0,
        "failed": 12,
        "problem": 0,
        "unsent": 0,
    }


def test_a_body_above_the_limit_is_divided(server):
    plan = mixture(server.fetch())
    server.sandbox.faults = Faults(body_limit=200)
    before = server.sandbox.requests[-1].number

    report = push(plan)

    assert report.counts["done"] == len(plan)
    accepted = [len(seen.body) for seen in server.writes(before) if seen.status == 200]
    assert max(accepted) <= 200


def test_a_row_above_the_limit_fails_alone(server):
    live = server.fetch()
    df = live.frame().head(2)
    df["extra"] = [{"x": "y" * 900}, {"x": "y"}]
    server.sandbox.faults = Faults(body_limit=500)

    report = push(live.diff(df))

    assert [o.word for o in report.outcomes] == ["failed", "done"]


@pytest.mark.parametrize(
    ("seconds", "settle"), [(0.6, 0.4), pytest.param(10.0, sp.Limits().settle, marks=pytest.mark.soak)]
)
def test_a_bulk_that_goes_on_after_its_answer_was_lost_is_waited_for(server, seconds, settle):
    plan = mixture(server.fetch())
    applied = []

    def slowly(seen):
        if seen.method == "PUT" and not applied:
            for item in json.loads(seen.body):  # row after row, long after the client gave up
                time.sleep(seconds / 12)
                server.hosts.update(item["_id"], {"cpus": item["cpus"]})
                applied.append(item["_id"])

    client = sispy.Client(server.client.url, auth_token=server.client.auth_token, timeout=(1.0, 0.3))
    client.username = "root"
    plan = sp.Plan(client.entities("host"), plan.schema, plan.changes)
    server.sandbox.faults = Faults(before=slowly)

    report = push(plan, limits=sp.Limits(settle=settle, settle_row=0.0, patience=20.0))
    puts = [seen for seen in server.sandbox.requests if seen.method == "PUT"]

    assert report.counts["done"] == len(plan)
    assert len(applied) == 12
    assert len(puts) == 1
    assert written(server) == (12, 6, 24)


def test_a_token_that_expires_stops_the_push_and_resume_completes_it(server):
    plan = mixture(server.fetch())
    world = server.sandbox.world
    token = world.tokens.issue(world.users.collection.find("name", "root"), 1500)["name"]
    expired, puts = time.monotonic() + 1.5, []

    def dawdle(seen):
        if seen.method == "PUT":
            puts.append(seen)
        if len(puts) == 2:
            time.sleep(max(0.0, expired - time.monotonic()))

    server.sandbox.faults = Faults(before=dawdle)
    client = sispy.Client(server.client.url, auth_token=token)
    plan = sp.Plan(client.entities("host"), plan.schema, plan.changes)
    report = push(plan, limits=sp.Limits(rows=5, settle=0.1, settle_row=0.0))
    server.sandbox.faults = Faults()

    assert report.stopped == "the server does not accept the token any more: Token has expired."
    assert (report.counts["done"], report.counts["unsent"]) == (5, 15)
    assert {o.status for o in report.outcomes if o.word == "unsent"} == {401}
    assert written(server) == (5, 0, 20)
    assert push(sp.resume(report.journal, client=server.client)).ok
    assert written(server) == (12, 6, 24)


def test_a_dead_token_stops_the_push_and_resume_completes_it(server):
    plan = mixture(server.fetch())
    token = server.client.auth_token
    doomed = sispy.Client(server.client.url, auth_token=token)
    doomed.authenticate(server.sandbox.user, server.sandbox.password)
    dead = doomed.auth_token
    puts = []

    def expire(seen):
        if seen.method == "PUT":
            puts.append(seen)
            if len(puts) == 2:
                with_token = sispy.Client(server.client.url, auth_token=dead)
                with_token.tokens(server.sandbox.user).delete(dead)

    server.sandbox.faults = Faults(before=expire)
    plan = sp.Plan(
        sispy.Client(server.client.url, auth_token=dead).entities("host"), plan.schema, plan.changes
    )
    report = push(plan, limits=sp.Limits(rows=5, settle=0.1, settle_row=0.0))
    server.sandbox.faults = Faults()

    assert report.stopped is not None
    assert "does not accept the token" in report.stopped
    assert dead not in str(report) + report.journal.read_text()
    assert (report.counts["done"], report.counts["unsent"]) == (5, 15)
    assert push(sp.resume(report.journal, client=server.client)).ok
    assert written(server) == (12, 6, 24)


def test_a_server_that_dies_and_comes_back_is_waited_for(server):
    plan = mixture(server.fetch())
    puts = []

    def die(seen):
        if seen.method == "PUT" and not puts:
            puts.append(seen)
            server.sandbox.faults = Faults(drop_before={"*": 1.0})
            threading.Timer(0.3, revive).start()

    def revive():
        server.sandbox.faults = Faults()

    server.sandbox.faults = Faults(after=die)
    report = push(plan, limits=sp.Limits(rows=5, settle=0.1, settle_row=0.0, patience=20.0))

    assert report.counts["done"] == len(plan)
    assert written(server) == (12, 6, 24)


def test_rows_without_identity_are_recognised_after_a_lost_answer(server):
    logs = server.client.entities("log")
    logs.create([{"text": "older", "n": 1}])
    live = sp.fetch(logs, progress=False)
    new = pd.DataFrame({"text": ["a", "a", "b"], "n": [1, 1, 2]})
    plan = live.diff(new, new=True)
    server.sandbox.faults = Faults(drop_after={"POST *": 1.0})
    threading.Timer(0.1, lambda: setattr(server.sandbox, "faults", Faults())).start()
    report = push(plan)

    assert report.counts["done"] == 3
    assert logs.count({}) == 4
    assert len({o.id for o in report.outcomes}) == 3
    with pytest.raises(sp.PlanRefused, match="they need a journal"):
        push(plan, journal=False)


@pytest.mark.parametrize("guard", ["check", "cas"])
def test_a_fate_that_stays_unknown_is_said_so_and_resume_finds_out(server, guard):
    plan = mixture(server.fetch())
    server.sandbox.faults = Faults(drop_after={"PUT *": 1.0})

    report = push(plan, guard=guard, limits=sp.Limits(rows=5, settle=0.0, settle_row=0.0, attempts=1))
    server.sandbox.faults = Faults()

    assert report.stopped is not None
    assert report.counts["unsent"] == len(plan)
    assert "whether it arrived is not known" in report.outcomes[0].reason
    with pytest.raises(ValueError, match="arrived is not known"):
        sp.undo(report)
    assert push(sp.resume(report.journal, client=server.client)).ok
    assert written(server) == (12, 6, 24)
    assert push(sp.undo(report), expect_deletes=6).ok
    assert written(server)[:2] == (0, 0)


def test_compare_and_set_recognises_its_own_write_after_a_lost_answer(server):
    plan = mixture(server.fetch()).only(fields=["cpus"])
    server.sandbox.faults = Faults(drop_after={"PUT *": 0.5}, seed=4)

    report = push(plan, guard="cas", limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=9))
    server.sandbox.faults = Faults()

    assert report.counts["done"] == len(plan) == 12
    assert push(sp.undo(report)).counts["done"] == 12


@pytest.mark.parametrize(("guard", "status"), [("check", 504), ("check", 500), ("cas", 504), ("cas", 500)])
def test_a_write_that_arrives_although_every_answer_to_it_is_an_error_is_done(server, guard, status):
    plan = server.fetch().diff(server.fetch().frame().head(1).assign(cpus=9))
    first = {"PUT *": (status, 1.0)}

    def worse(seen):  # the next writes are carried out, and the answer says that they were not
        if seen.method == "PUT":
            server.sandbox.faults = Faults(lost_answers=first)

    server.sandbox.faults = Faults(errors=first, before=worse)
    report = push(plan, guard=guard)
    server.sandbox.faults = Faults()

    assert [(o.word, o.written) for o in report.outcomes] == [("done", {"cpus": (1, 9)})]
    assert push(sp.undo(report)).ok
    assert server.stored()["h00000"]["cpus"] == 1


def test_compare_and_set_gives_up_where_no_answer_can_be_read(server):
    plan = server.fetch().diff(server.fetch().frame().head(1).assign(cpus=9))

    def put_back(seen):
        if seen.method == "PUT":
            server.hosts.update("h00000", {"cpus": 1})

    server.sandbox.faults = Faults(truncate={"PUT *": 1.0}, after=put_back)
    report = push(plan, guard="cas", limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=3))

    assert report.stopped is not None
    assert report.stopped.startswith("no answer 3 times")
    assert [o.word for o in report.outcomes] == ["unsent"]


def test_a_resume_that_meets_a_dead_server_ends_like_any_push(server):
    plan = server.fetch().diff(server.fetch().frame().head(2).assign(cpus=9))
    once = sp.Limits(settle=0.0, settle_row=0.0, patience=0.5, attempts=1)
    server.sandbox.faults = Faults(drop_before={"PUT *": 1.0})
    journal = push(plan, limits=once).journal

    server.sandbox.faults = Faults(drop_before={"GET /entities/host": 1.0})
    report = push(sp.resume(journal, client=server.client), limits=once)

    assert report.stopped is not None
    assert report.stopped.startswith("the server does not answer")
    assert [o.word for o in report.outcomes] == ["unsent", "unsent"]
    server.sandbox.faults = Faults()
    assert push(sp.resume(journal, client=server.client)).counts["done"] == 2


@pytest.mark.parametrize("guard", ["check", "cas"])
def test_what_the_guard_read_is_in_the_outcome_and_in_the_journal(server, guard):
    live = server.fetch()
    first, last = live.ids[0], live.ids[1]
    gone = live.ids[2]
    now = {
        id_: server.hosts.update(id_, {"live": None})["_sis"]["_updated_at"] for id_ in (first, last, gone)
    }
    plan = live.diff(live.frame().loc[[first, last], ["cpus"]].assign(cpus=9), delete=[gone])

    report = push(plan, guard=guard, on_conflict="mine")

    assert {o.id: (o.word, o.read) for o in report.outcomes} == {id_: ("done", now[id_]) for id_ in now}
    assert {row: entry.read for row, entry in read_journal(report.journal).entries.items()} == now


def test_a_push_that_goes_on_knows_what_was_read_before_the_row_was_sent_first(server):
    live = server.fetch()
    id_ = live.ids[0]
    before = server.hosts.get(id_)["_sis"]["_updated_at"]
    server.sandbox.faults = Faults(drop_after={"PUT *": 1.0})
    stopped = push(
        live.diff(live.frame().loc[[id_], ["cpus"]].assign(cpus=9)),
        limits=sp.Limits(settle=0.1, settle_row=0.0, attempts=1),
    )
    server.sandbox.faults = Faults()

    report = push(sp.resume(stopped.journal, server.client))

    assert [(o.word, [(a.read, a.found) for a in o.doubted]) for o in report.outcomes] == [
        ("done", [(before, ("cpus",))])
    ]


def test_a_problem_that_a_plan_had_refuses_its_resume_though_the_row_was_sent(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2)[["cpus"]].assign(cpus=9))
    server.sandbox.faults = Faults(drop_before={"PUT *": 1.0})
    journal = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=1)).journal
    server.sandbox.faults = Faults()
    problem = Problem(live.ids[0], "not today", "cpus", 9, "h00000")
    again = replace(cast("sp.Plan", sp.resume(journal, client=server.client)), problem_list=(problem,))

    with pytest.raises(sp.PlanRefused, match="row h00000, cpus: not today"):
        push(again)
    report = push(again, skip_problems=True)

    assert [(o.word, o.reason) for o in report.outcomes] == [("problem", "cpus: not today"), ("done", "")]
    assert [server.stored()[name]["cpus"] for name in ("h00000", "h00001")] == [1, 9]


def test_what_the_server_says_now_about_rows_that_were_sent_does_not_refuse_a_resume(server):
    plan = server.fetch().diff(pd.DataFrame({"name": ["new"], "cpus": [3]}), new=True)
    server.sandbox.faults = Faults(drop_after={"POST *": 1.0})
    journal = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=1)).journal
    server.sandbox.faults = Faults()
    server.hosts.update("new", {"cpus": 5})  # to a new push its name would be taken

    report = push(sp.resume(journal, client=server.client))

    found = "found created after the answer got lost"
    assert [(o.word, o.reason) for o in report.outcomes] == [("done", found)]

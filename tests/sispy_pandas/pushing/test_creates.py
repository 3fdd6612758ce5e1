"""Creates: all of a chunk or none, and the row to blame."""

import json
from dataclasses import replace

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.client import Endpoint
from sispy.sandbox import Faults

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=2.0)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def logs(server, *texts):
    table = server.client.entities("log")
    return table, sp.fetch(table, progress=False).diff(pd.DataFrame({"text": texts}), new=True)


def test_new_rows_above_the_limit_of_bodies_are_sent_in_halves(server):
    live = server.fetch()
    plan = live.diff(pd.DataFrame({"name": [f"n{i}" for i in range(4)], "cpus": 2}), new=True)
    server.sandbox.faults = Faults(body_limit=70)
    before = server.sandbox.requests[-1].number

    report = push(plan)

    assert report.counts["done"] == 4
    accepted = [json.loads(seen.body) for seen in server.writes(before) if seen.status == 200]
    assert [[row["name"] for row in rows] for rows in accepted] == [["n0", "n1"], ["n2", "n3"]]


def test_new_rows_without_an_answer_are_looked_for_by_their_unique_value_until_nothing_changes(server):
    live = server.fetch()
    plan = live.diff(pd.DataFrame({"name": ["n0", "n1"], "cpus": 2}), new=True)
    server.sandbox.faults = Faults(drop_after={"POST *": 1.0})
    before = server.sandbox.requests[-1].number

    report = push(plan)

    assert report.counts["done"] == 2
    seen = [seen for seen in server.sandbox.requests if seen.number > before]
    sent = next(i for i, one in enumerate(seen) if one.method == "POST")
    asked = [json.loads(one.query["q"]) for one in seen[sent + 1 :] if "q" in one.query]
    fields = [one.query.get("fields") for one in seen[sent + 1 :] if "q" in one.query]
    assert fields == ["_id,_sis", "_id,_sis", None]
    assert asked == [{"name": {"$in": ["n0", "n1"]}}] * 3  # twice alike, and before they would be sent again


def test_a_list_that_shows_a_new_row_twice_under_another_id_is_read_again(server):
    live = server.fetch()
    plan = live.diff(pd.DataFrame({"name": ["n0"], "cpus": 2}), new=True)
    server.sandbox.faults = Faults(drop_after={"POST *": 1.0})
    handler = server.client._http_handler
    forward, odd = handler.send, []

    def send(request, *, timeout):
        answer = forward(request, timeout=timeout)
        rows = json.loads(answer.body or b"null") if request.method == "GET" else None
        if isinstance(rows, list) and any(row.get("name") == "n0" for row in rows) and not odd:
            odd.append(rows)
            answer = replace(answer, body=json.dumps([*rows, {**rows[0], "_id": "0" * 24}]).encode())
        return answer

    handler.send = send
    report = push(plan)

    assert len(odd) == 1
    assert [o.id for o in report.outcomes] == [server.hosts.fetch_all({"q": {"name": "n0"}})[0]["_id"]]


def test_a_new_row_above_the_limit_fails_alone(server):
    table, plan = logs(server, "x" * 200, "y")
    server.sandbox.faults = Faults(body_limit=100)

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["failed", "done"]
    assert [row["text"] for row in table.fetch_all()] == ["y"]


@pytest.mark.parametrize("rows", [1, 3])
def test_new_rows_that_are_refused_without_a_name_are_halved_until_the_reason_is_each_ones_own(server, rows):
    table, plan = logs(server, *map(str, range(rows)))
    create = table.create
    refusal = {"err": [400, {"error": "no room", "code": 1001}], "value": {"text": "?"}}
    sent = []

    class Refusing(Endpoint):
        def create(self, content, *, all_or_none=False):
            sent.append([row["text"] for row in content])
            return sp_response({"success": [], "errors": [refusal]})

    plan = sp.Plan(Refusing("entities/log", server.client), plan.schema, plan.changes)
    report = push(plan)

    assert [(o.word, o.status, o.reason) for o in report.outcomes] == [("failed", 400, "no room")] * rows
    assert sent == ([["0"]] if rows == 1 else [["0", "1", "2"], ["0"], ["1", "2"], ["1"], ["2"]])
    assert create.__self__.count() == 0


def sp_response(content):
    from sispy.response import Response

    return Response(content)


def test_a_culprit_is_found_and_the_others_are_created_together(server):
    live = server.fetch()
    plan = live.diff(pd.DataFrame({"name": ["n0", "n1", "n2"], "cpus": [2, 3, 4]}), new=True).check()
    schema = server.client.schemas.get("host").to_dict()
    schema["definition"]["cpus"]["max"] = 3
    server.client.schemas.update("host", schema)
    before = server.sandbox.requests[-1].number

    report = push(plan)

    assert [(o.word, o.status) for o in report.outcomes] == [("done", 200), ("done", 200), ("failed", 400)]
    assert "more than maximum allowed value (3)" in report.outcomes[2].reason
    assert [[row["name"] for row in json.loads(seen.body)] for seen in server.writes(before)] == [
        ["n0", "n1", "n2"],
        ["n0", "n1"],
    ]


@pytest.mark.parametrize("known", [True, False])
def test_a_row_that_holds_more_than_was_sent_is_not_taken_for_ours(server, known):
    table, plan = logs(server, "x")
    other, name = server.sandbox.client().entities("log"), server.client.username
    server.client.username = name if known else None

    def before(seen):
        if seen.method == "POST" and server.sandbox.faults.drop_before:
            server.sandbox.faults = Faults()
            other.create({"text": "x", "n": 77})

    server.sandbox.faults = Faults(before=before, drop_before={"POST *": 1.0})
    report = push(plan)
    server.client.username = name

    assert [o.word for o in report.outcomes] == ["done"]
    assert sorted(row.get("n") or 0 for row in table.fetch_all()) == [0, 77]


def test_a_row_that_anybody_may_have_created_is_not_taken_for_ours(server):
    table, plan = logs(server, "x")
    name, server.client.username = server.client.username, None
    server.sandbox.faults = Faults(drop_after={"POST *": 1.0})

    report = push(plan)
    server.client.username = name

    reason = "it may have been created: rows like it appeared, by whom is not known; "
    assert [(o.word, o.reason.startswith(reason)) for o in report.outcomes] == [("failed", True)]
    assert len(table.fetch_all()) == 1


def test_new_rows_that_are_refused_as_a_whole_have_failed_with_the_reason(server):
    plan = server.fetch().diff(pd.DataFrame({"name": ["n1", "n2"]}), new=True)
    server.sandbox.faults = Faults(errors={"POST *": (400, 1.0)})

    report = plan.push(progress=False, limits=QUICK)

    assert [(o.key, o.word, o.status) for o in report.outcomes] == [
        ("n1", "failed", 400),
        ("n2", "failed", 400),
    ]
    assert {o.reason for o in report.outcomes} == {"Internal error injected fault"}


def test_the_receipt_of_a_new_row_is_the_time_of_our_own_last_write(server):
    def lost_once(route, act):
        def after(seen):
            if seen.matches(route):
                server.sandbox.faults = Faults()
                act()

        server.sandbox.faults = Faults(after=after, drop_after={route: 1.0})

    def stored(name):
        return server.hosts.fetch_all({"q": {"name": name}})[0]["_sis"]

    other = server.sandbox.client().entities("host")
    new = pd.DataFrame({"name": ["n0"], "cpus": 2})
    lost_once("POST *", lambda: other.update(other.fetch_all({"q": {"name": "n0"}})[0]["_id"], {"cpus": 3}))
    (changed_since,) = push(server.fetch().diff(new, new=True)).outcomes

    odd = pd.DataFrame({"name": ["n1"], "extra": [{"a.b": 1}]})  # created without, then completed
    lost_once("PUT *", lambda: None)
    stopped = server.fetch().diff(odd, new=True).push(progress=False, limits=replace(QUICK, attempts=1))
    (completed,) = push(sp.resume(stopped.journal, server.client)).outcomes

    assert [o.word for o in stopped.outcomes] == ["unsent"]
    assert [o.word for o in (changed_since, completed)] == ["done", "done"]
    assert changed_since.receipt == stored("n0")["_created_at"] < stored("n0")["_updated_at"]
    assert completed.receipt == stored("n1")["_updated_at"] > stored("n1")["_created_at"]

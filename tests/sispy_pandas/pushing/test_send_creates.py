"""Creates: all of a chunk or none, and the row to blame."""

import json

import pandas as pd
import pytest

import sispy_pandas as sp
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

    class Refusing(type(table)):
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

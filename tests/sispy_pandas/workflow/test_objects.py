"""Engines work with data; what comes of the objects that a user holds is one of them again."""

from collections.abc import Callable

import pytest

import sispy_pandas as sp
from sispy_pandas.planning.change_set import ChangeSet
from sispy_pandas.planning.diff import diff
from sispy_pandas.planning.precheck import precheck
from sispy_pandas.pushing.options import Options
from sispy_pandas.pushing.outcome import PushResult
from sispy_pandas.pushing.push import push
from sispy_pandas.values.row_set import RowSet


def test_engines_go_the_whole_way_with_plain_data(server):
    live = server.fetch()
    rows = RowSet(live.schema, live.endpoint, {}, None, live.fetched_at, live.warnings, live.frame(meta=True))

    changes = precheck(diff(rows, rows.frame().head(2).assign(cpus=8)))
    result = push(changes, Options(), progress=False)

    assert (type(changes), type(result)) == (ChangeSet, PushResult)
    assert changes.snapshot is rows
    assert result.counts == {
        "done": 2, "unchanged": 0, "conflict": 0, "failed": 0, "problem": 0, "unsent": 0,
    }  # fmt: skip


STEPS: dict[str, Callable[[sp.Plan], sp.Plan]] = {
    "check": sp.Plan.check,
    "refresh": sp.Plan.refresh,
    "rebase": lambda plan: plan.rebase(plan, keep="mine"),
    "only": lambda plan: plan.only(fields=["cpus"]),
    "without": lambda plan: plan.without(fields=["os"]),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_what_is_made_of_a_plan_is_a_plan(server, step):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=8))

    made = step(plan)

    assert type(made) is sp.Plan
    assert made == plan


def test_reports_hold_the_plan_that_was_pushed_and_know_what_follows(server):
    live = server.fetch()
    told: list[sp.Report] = []

    report = live.diff(live.frame().head(1).assign(cpus=8)).push(progress=False, on_report=told.append)

    assert [type(one) for one in (*told, report)] == [sp.Report, sp.Report]
    assert [type(one.plan) for one in (*told, report)] == [sp.Plan, sp.Plan]
    assert type(report.verify(progress=False)) is sp.Report
    assert type(report.snapshot) is sp.Snapshot


def test_a_refused_plan_can_be_pushed_without_its_problems(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=[8, 99]))

    with pytest.raises(sp.PlanRefused, match="1 problem") as refused:
        plan.push(progress=False)

    assert refused.value.plan == plan
    assert type(refused.value.plan) is sp.Plan

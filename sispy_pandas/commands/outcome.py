"""How a plan or a report ends a command: its exit status, and the lines that name what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.cli.exits import Exit, first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.workflow.objects import Report

_DENIED = (401, 403)


def status_of_plan(plan: ChangeSet, *, detailed: bool = False) -> Exit:
    """Return the exit status of a plan that was only shown."""
    return first(_of_plan(plan, detailed=detailed))


def _of_plan(plan: ChangeSet, *, detailed: bool) -> Iterator[Exit]:
    if any(problem.denied for problem in plan.faults):
        yield Exit.DENIED
    if plan.counts["stale"] or plan.counts["conflicts"]:
        yield Exit.CONFLICT
    if plan.counts["problems"]:
        yield Exit.PROBLEMS
    if detailed and len(plan):
        yield Exit.CHANGES


def status_of_report(report: Report) -> Exit:
    """Return the exit status of a push: the first that applies to any of its rows."""
    return first(_of_report(report))


def _of_report(report: Report) -> Iterator[Exit]:
    rows = report.frame()
    outcomes = set(rows["outcome"])
    refused = rows.loc[rows["outcome"].isin(("failed", "unsent")), "status"].isin(_DENIED)
    if refused.any() or any(problem.denied for problem in report.plan.faults):
        yield Exit.DENIED
    if "unsent" in outcomes:
        yield Exit.SERVER
    if "failed" in outcomes:
        yield Exit.FAILED
    if "conflict" in outcomes or any(outcome.overwrites for outcome in report.outcomes):
        yield Exit.CONFLICT
    if "problem" in outcomes:
        yield Exit.PROBLEMS

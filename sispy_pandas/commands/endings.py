"""How a command that plans or pushes ends: its exit status, and the ways on and back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from sispy.cli.exits import Exit, first
from sispy.remedies import Argument, Call, Message
from sispy_pandas.pushing.journal import called
from sispy_pandas.values.blocks import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.workflow.objects import Report
    from sispy_pandas.workflow.series import PartsReport

_DENIED = (401, 403)


def status_of_plan(plan: ChangeSet, *, detailed: bool = False) -> Exit:
    """Return the exit status of a plan that was only shown."""
    return first(_of_plan(plan, detailed=detailed))


def _of_plan(plan: ChangeSet, *, detailed: bool) -> Iterator[Exit]:
    if any(problem.denied for problem in plan.problem_list):
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
    if refused.any() or any(problem.denied for problem in report.plan.problem_list):
        yield Exit.DENIED
    if "unsent" in outcomes:
        yield Exit.SERVER
    if "failed" in outcomes:
        yield Exit.FAILED
    if "conflict" in outcomes or any(outcome.overwrites for outcome in report.outcomes):
        yield Exit.CONFLICT
    if "problem" in outcomes:
        yield Exit.PROBLEMS


def next_steps(reports: Sequence[Report], *, stopped: bool) -> tuple[list[Message], Exit]:
    """Return how to go on after a push, or back, and its exit status."""
    from sispy_pandas.pushing.record import read
    from sispy_pandas.pushing.verify import too_many

    journals = [report.journal for report in reports if report.journal is not None]
    name = _name(journals[0] if journals else None)
    counts = Counter(outcome.word for report in reports for outcome in report.outcomes)
    why = next((report.stopped for report in reports if report.stopped), None)
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    resume = Call("sp.resume(report.journal)", "goes on", ("resume", name))
    undo = Call("sp.undo(report)", "puts the old values back", ("undo", name))
    if not journals and why:
        return [Message(f"nothing was pushed: {why}")], Exit.INTERRUPTED
    if stopped and counts["unsent"]:
        back = replace(undo, does="goes back")
        written = any(read(journal).wrote for journal in journals)
        said = Message("interrupted", resume, back) if written else Message("interrupted: nothing was sent")
        return [said], Exit.INTERRUPTED
    ways: list[Message] = []
    if counts["unsent"] and why and not any(read(journal).open for journal in journals):
        who = Call("", "shows whose token it is", ("whoami",))
        ways.append(Message("nothing was pushed", who))
    elif counts["unsent"]:
        ways.append(Message("not all rows were sent", resume))
    elif any(outcome.overwrites for outcome in outcomes):
        both = replace(undo, does="gives theirs back, and the old values")
        ways.append(Message("values of others were replaced", both))
    elif any(outcome.written for outcome in outcomes):
        ways.append(Message(undo))
    if any(outcome.unverified == too_many() for outcome in outcomes):
        does = "looks up whether values of others were replaced"
        ways.append(Message(Call("report.verify()", does, ("verify", name))))
    if (maybe := sum(outcome.ambiguous for outcome in outcomes)) and name:
        does = "looks again, and with --again sends what remains in doubt"
        ways.append(Message(f"{count(maybe, 'new row')} may have been created", replace(resume, does=does)))
    if counts["conflict"]:
        mine = Argument("on_conflict", "writes over them", "mine")
        ways.append(Message("cells in conflict are left as others wrote them", mine))
    return ways, first(map(status_of_report, reports))


def steps_of_parts(report: PartsReport, *, stopped: bool) -> tuple[list[Message], Exit]:
    """Return how to go on after a push in parts, or back, and its exit status."""
    name = _name(report.journal)
    undo = Call("sp.undo(report)", "puts the old values back", ("undo", name))
    if report.stopped is None or not name:
        ways, status = next_steps(report.reports, stopped=stopped)
        return [*ways, *([Message(undo)] if name and report.counts["done"] and not ways else [])], status
    rest = Call("sp.resume(report.journal)", "finishes the part under way", ("resume", name))
    said = Message("not all parts were sent", rest, replace(undo, does="goes back"))
    status = Exit.INTERRUPTED if stopped else first(map(status_of_report, report.reports)) or Exit.SERVER
    return [said, Message("then the same command does the rest")], status


def _name(path: Path | None) -> str:
    """Return what `sispy undo` and `sispy resume` know a journal by."""
    return "" if path is None else called(path)

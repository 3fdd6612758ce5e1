"""A plan as lines, one per changed cell, and the plan that is left after some of them were decided."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..values.blocks import show
from ..values.changes import Create, Delete, Update, action_of, row_of
from ..values.schema import RECEIPT
from . import cells

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..values.changes import Change
    from ..workflow.objects import Plan

CellId = tuple[Hashable, str]
"""Row of the plan and path of the field; `""` for a whole row."""
_WHOLE = 10_000
"""Characters of a value that is no field's, such as the owners of a row."""
UNDONE = "undone"
"""The outcome of a cell that was written and taken back."""


class Line(NamedTuple):
    """One changed cell, or a row that is to be deleted, or a problem of a row without changes."""

    row: Hashable
    path: str
    key: str
    action: str
    before: Any = None
    """JSON values, as is `after`."""
    after: Any = None
    theirs: Any = None
    outcome: str = ""
    reason: str = ""
    """Why the cell cannot be sent, or was not written."""
    final: bool = False
    """Whether nothing is left to send."""

    @property
    def cell(self) -> CellId:
        """What names the line."""
        return self.row, self.path


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a cell that was pushed."""

    outcome: str
    reason: str = ""
    theirs: Any = None
    final: bool = False


def lines_of(plan: Plan, told: Mapping[CellId, Told] | None = None) -> list[Line]:
    """Return the cells of a plan, problems first, with what became of those that were pushed."""
    problems = {(problem.row, problem.column or ""): problem.reason for problem in plan.problem_list}
    row_problems = {problem.row: problem for problem in plan.problem_list}
    lines = []
    for change in plan.changes:
        row = row_of(change)
        key, action = _name(change, row), action_of(change)
        if isinstance(change, Delete):
            reason = row_problems[row].reason if row in row_problems else ""
            lines.append(Line(row, "", key, action, "(the whole row)", reason=reason))
            continue
        before = change.before if isinstance(change, Update) else {}
        after = change.values if isinstance(change, Create) else change.after
        for path, value in after.items():
            reason = problems.pop((row, path), "")
            lines.append(Line(row, path, key, action, before.get(path), value, reason=reason))
    shown = {line.row for line in lines if line.action == "delete"}
    lines += [
        Line(
            row=problem.row,
            path=problem.column or "",
            key=str(problem.key or problem.row),
            action="problem",
            after=problem.value,
            reason=problem.reason,
        )
        for problem in plan.problem_list
        if (problem.row, problem.column or "") in problems and problem.row not in shown
    ]
    if told:
        lines = [_with_outcome(line, told[line.cell]) if line.cell in told else line for line in lines]
    return sorted(lines, key=lambda line: not line.reason)  # stable: problems come first


def decided(plan: Plan, *, rejected: Collection[CellId], values: Mapping[CellId, Any]) -> Plan:
    """Return the plan without the rejected cells and with new values for others.

    A problem goes with its cell, or with the value that it was about; `Plan.check` looks at the rest again.

    Args:
        plan: The plan as it was shown.
        rejected: Cells that are not to be sent; a path of `""` stands for the whole row.
        values: Cell -> JSON value to send instead.
    """
    changes: list[Change] = []
    for change in plan.changes:
        row = row_of(change)
        if (row, "") in rejected:
            continue
        if isinstance(change, Delete):
            changes.append(change)
            continue
        before = change.values if isinstance(change, Create) else change.after
        after = {
            path: values.get((row, path), value)
            for path, value in before.items()
            if (row, path) not in rejected
        }
        if not after:
            continue
        if isinstance(change, Create):
            changes.append(replace(change, values=after))
        else:
            changes.append(replace(change, before={path: change.before[path] for path in after}, after=after))
    left = {row_of(change) for change in changes}
    problems = tuple(
        problem
        for problem in plan.problem_list
        if problem.row in left
        and (problem.row, problem.column) not in rejected
        and (problem.row, problem.column) not in values
    )
    return replace(plan, changes=tuple(changes), problem_list=problems)


def as_text(plan: Plan, path: str, value: Any) -> str:
    """Write a JSON value of a field as the text that `cells.parse` reads."""
    if not path or path not in (*plan.schema.columns, RECEIPT.path):
        return show(value, _WHOLE)
    shown = cells.show(plan.schema.field(path), value)
    return "" if shown is None else str(shown).lower() if isinstance(shown, bool) else shown


def _name(change: Any, row: Hashable) -> str:
    if change.key is not None:
        return str(change.key)
    return "new row" if isinstance(change, Create) else str(row)


def _with_outcome(line: Line, told: Told) -> Line:
    return line._replace(outcome=told.outcome, reason=told.reason, theirs=told.theirs, final=told.final)

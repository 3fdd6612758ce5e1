"""What a review is about: all cells of a plan, what became of them in the pushes so far, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..planning.rebase import rebase
from ..pushing.verify import NOT_ENDED, too_many
from ..values.changes import Create, Delete, Update, counts_of, row_of
from ..values.entity import stored
from .review_lines import UNDONE, Told, as_text, decided

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping

    from ..values.changes import Change, Conflict, Outcome
    from ..workflow.objects import Plan, Report
    from .review_lines import CellId


_CHANGED = "changed by somebody else"


@dataclass(frozen=True)
class ReviewState:
    """A plan under review; `after` is the state that a push leaves."""

    plan: Plan
    """All cells, also those that were rejected or are written; with the values that were corrected."""
    left: Plan
    """The cells that are not written. One in conflict is in it as "mine", over exactly what was seen."""
    told: Mapping[CellId, Told] = field(default_factory=dict)
    ids: Mapping[Hashable, str] = field(default_factory=dict)
    """New row -> the `_id` under which `left` knows it, once it exists."""
    outcomes: Mapping[Hashable, Outcome] = field(default_factory=dict)
    """Row -> what became of it in the last push that it was part of."""
    reports: tuple[Report, ...] = ()
    """Of all pushes that sent something, the oldest first; a resumed push counts as one."""

    @classmethod
    def of(cls, plan: Plan) -> ReviewState:
        """Begin to review a plan; conflicts that it knows of are as those that a push finds."""
        known = _by_row(plan.conflict_list)
        told: dict[CellId, Told] = {}
        conflicts: list[Conflict] = []
        for change in plan.changes:
            there = known.get(row_of(change), {})
            if isinstance(change, Delete) and there:
                told[change.id, ""] = Told("conflict", _CHANGED, _in_words(plan, there))
                conflicts += there.values()
            elif isinstance(change, Update):
                found = [there[path] for path in change.after if path in there]
                told |= {(one.id, one.field): Told("conflict", _CHANGED, one.theirs) for one in found}
                conflicts += found
        return cls(plan, rebase(plan, conflicts, (), keep="mine"), told) if told else cls(plan, plan)

    def chosen(self, *, rejected: Collection[CellId], values: Mapping[CellId, Any]) -> Plan:
        """Return the plan of what is left, without the rejected cells and with corrected values."""
        return decided(
            self.left,
            rejected={self._in_left(cell) for cell in rejected},
            values={self._in_left(cell): value for cell, value in values.items()},
        )

    def corrected(self, values: Mapping[CellId, Any]) -> ReviewState:
        """Return the state with other values in some cells."""
        left = {self._in_left(cell): value for cell, value in values.items()}
        return replace(self, plan=_with_values(self.plan, values), left=_with_values(self.left, left))

    def after(self, report: Report, *, given_way: Collection[CellId] = ()) -> ReviewState:
        """Return the state after a push.

        Args:
            report: Of the push of a part of `left`, or of the resumption of one.
            given_way: Conflicts in which the other's value was chosen: they are no more.
        """
        shown: dict[Hashable, Hashable] = {id_: row for row, id_ in self.ids.items()}
        outcomes = {outcome.row: outcome for outcome in report.outcomes}
        sent = {row_of(change): change for change in report.plan.changes if row_of(change) in outcomes}
        conflicts = _by_row(report.conflict_list)
        told, ids = dict(self.told), dict(self.ids)
        for row, change in sent.items():
            outcome = outcomes[row]
            there = conflicts.get(outcome.id or row, {})
            for path in _paths(change):
                told[shown.get(row, row), path] = _told(report, outcome, there, path)
            if isinstance(change, Create) and outcome.id:
                ids[row] = outcome.id
        for cell in given_way:
            told[cell] = Told("unchanged", "left as others made it", final=True)
        ended = {**self.outcomes, **{shown.get(row, row): one for row, one in outcomes.items()}}
        in_conflict = {row for (row, _), one in told.items() if one.outcome == "conflict"}
        for row in {row for row, _ in given_way} - in_conflict:
            if row in ended and ended[row].word == "conflict":
                ended[row] = replace(ended[row], word="done" if ended[row].written else "unchanged")
        rest = rebase(report.plan, report.conflict_list, report.outcomes, keep="mine")
        again: dict[Hashable | None, Change] = {row_of(change): change for change in rest.changes}
        changes: list[Change] = []
        for change in self.left.changes:
            row = row_of(change)
            if row not in sent:
                changes.append(change)
            elif "_id" not in conflicts.get(row, {}):
                new = again.get(row, again.get(ids.get(row)))
                changes += _merged(change, sent[row], new, report, ids.get(row))
        problems = (
            *self.left.problem_list,
            *(f for f in report.plan.problem_list if f not in self.left.problem_list),
        )
        earlier = tuple(old for old in self.reports if old.journal is None or old.journal != report.journal)
        return replace(
            self,
            left=replace(self.left, changes=tuple(changes), problem_list=problems),
            told=told,
            ids=ids,
            outcomes=ended,
            reports=(*earlier, report) if len(report) else self.reports,
        )

    def verified(self, report: Report) -> ReviewState:
        """Return the state after the commits of a push, or of one that was resumed, were read once more."""
        shown: dict[Hashable, Hashable] = {id_: row for row, id_ in self.ids.items()}
        found = {shown.get(outcome.row, outcome.row): outcome for outcome in report.outcomes}
        told = {
            cell: _told(report, found[cell[0]], {}, cell[1])
            if one.outcome == "done" and cell[0] in found
            else one
            for cell, one in self.told.items()
        }
        outcomes = {
            row: replace(one, overwrites=found[row].overwrites, unverified=found[row].unverified)
            if row in found
            else one
            for row, one in self.outcomes.items()
        }
        reports = tuple(report if one.journal == report.journal else one for one in self.reports)
        return replace(self, told=told, outcomes=outcomes, reports=reports)

    def taken_back(self, cells: Collection[CellId]) -> ReviewState:
        """Return the state where these cells, and no others, are as they were before the pushes.

        A new row is gone with the cell `""` of its `_id`; one that was deleted is there again with any of its
        old `_id`, as undo calls it.
        """
        rows = {row for row, _ in cells}
        told = dict(self.told)
        for (row, path), one in self.told.items():
            if one.outcome in ("done", UNDONE):
                id_ = self.ids.get(row, row)
                is_back = (id_, path) in cells or (id_, "") in cells or (not path and id_ in rows)
                told[row, path] = replace(one, outcome=UNDONE if is_back else "done")
        return replace(self, told=told)

    @property
    def in_force(self) -> set[CellId]:
        """The cells that were written and not taken back."""
        return {cell for cell, one in self.told.items() if one.outcome == "done"}

    @property
    def is_unread(self) -> bool:
        """Return whether the commits of what was written were not read, or not to the end."""
        why = {outcome.unverified for outcome in self.outcomes.values()}
        return any(one.broken_off for one in self.reports) or not why.isdisjoint((NOT_ENDED, too_many()))

    @property
    def counts(self) -> dict[str, int]:
        """Rows by outcome over all pushes, as in `Report.counts`, those undone, and those not verified."""
        outcomes = tuple(self.outcomes.values())
        unverified = sum(bool(outcome.unverified) for outcome in outcomes)
        undone = len({row for (row, _), one in self.told.items() if one.outcome == UNDONE})
        return {**counts_of(outcomes), UNDONE: undone, "not verified": unverified}

    def _in_left(self, cell: CellId) -> CellId:
        return self.ids.get(cell[0], cell[0]), cell[1]


def _paths(change: Change) -> Collection[str]:
    if isinstance(change, Delete):
        return ("",)
    return change.values.keys() if isinstance(change, Create) else change.after.keys()


def _by_row(conflicts: Iterable[Conflict]) -> dict[Hashable, dict[str, Conflict]]:
    found: dict[Hashable, dict[str, Conflict]] = {}
    for conflict in conflicts:
        found.setdefault(conflict.id, {})[conflict.field] = conflict
    return found


def _in_words(plan: Plan, conflicts: Mapping[str, Conflict]) -> str:
    """Return in words what others wrote into the cells of a row that is to be deleted."""
    return ", ".join(
        f"{path}: {as_text(plan, path, conflict.theirs) or 'blank'}" for path, conflict in conflicts.items()
    )


def _told(report: Report, outcome: Outcome, conflicts: Mapping[str, Conflict], path: str) -> Told:
    replaced = {cell.field: cell.theirs for cell in outcome.overwrites}
    if path in replaced:
        return Told("done", "it replaced somebody's value", replaced[path], final=True)
    if path in outcome.written or outcome.word == "done":
        why = f"not verified: {outcome.unverified}" if report.broken_off and outcome.unverified else ""
        return Told("done", why, final=True)
    if "_id" in conflicts and outcome.action == "update":
        return Told("conflict", outcome.reason, final=True)
    if path in conflicts:
        return Told("conflict", _CHANGED, conflicts[path].theirs)
    if outcome.word == "conflict" and not path:
        return Told("conflict", outcome.reason, _in_words(report.plan, conflicts))
    if outcome.word in ("unchanged", "conflict"):
        return Told("unchanged", final=True)
    return Told(outcome.word, outcome.reason)


def _merged(old: Change, sent: Change, new: Change | None, report: Report, id_: str | None) -> list[Change]:
    """Return what is left of a row: what its push left, with the cells that had no part in it."""
    if isinstance(old, Delete):
        return [new] if new else []
    held = {path: value for path, value in _values(old).items() if path not in _paths(sent)}
    if isinstance(old, Create) and id_ is None:  # it was not created
        return [replace(old, values={**held, **(_values(new) if new else {})})]
    entity = report.entities.get(id_ or "", {})
    schema = report.plan.schema
    known = old.before if isinstance(old, Update) else {p: stored(schema.field(p), entity) for p in held}
    before = {path: known.get(path) for path in held}
    if isinstance(new, Update):
        before, held = {**before, **new.before}, {**held, **new.after}
    row = old.id if isinstance(old, Update) else str(id_)
    receipt = old.receipt if isinstance(old, Update) else None
    return [Update(row, before, held, old.key, receipt)] if held else []


def _values(change: Change) -> Mapping[str, Any]:
    if isinstance(change, Delete):
        return {}
    return change.values if isinstance(change, Create) else change.after


def _with_values(plan: Plan, values: Mapping[CellId, Any]) -> Plan:
    """Return a plan with other values in some cells; their problems were about the old ones."""
    changes: list[Change] = []
    for change in plan.changes:
        row = row_of(change)
        new = {path: values[row, path] for path in _values(change) if (row, path) in values}
        if new and isinstance(change, Create):
            changes.append(replace(change, values={**change.values, **new}))
        elif new and isinstance(change, Update):
            changes.append(replace(change, after={**change.after, **new}))
        else:
            changes.append(change)
    problems = tuple(problem for problem in plan.problem_list if (problem.row, problem.column) not in values)
    return replace(plan, changes=tuple(changes), problem_list=problems)

"""The plan that puts back what somebody changed, and spares what others changed later."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .changes import Change, Conflict, Create, Delete, Problem, Update
from .past.replay import edits, key_of
from .plan import Plan
from .planning.plan_text import count
from .planning.validate import refused
from .planning.waves import swaps
from .values.entity import receipt, stored, values_of
from .values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .past.edits import Changes
    from .past.replay import Edit, Step
    from .schema import Schema


Cell = tuple[str, int]
"""Field and time of one change of a cell: what tells it from the others of its row."""


def revert(changes: Changes) -> Plan:
    """Return the plan that gives cells the values they had before these changes.

    A cell that was changed again since, by a change that is not among these, is a conflict: `plan.conflicts`
    names it, and a push leaves it alone unless `on_conflict="mine"` says otherwise. A cell that somebody else
    changed between two of these changes gets that person's value. Rows that these changes created are
    deleted, and rows that they deleted are created again, with a new `_id`; unless only some of their fields
    are meant: then they are left as they are.

    Nothing is written: read the plan, push it; its push can be undone like any other.

    Args:
        changes: From `sp.changes`, perhaps narrowed by `.only(...)`.

    Example:
        >>> found = changes(client.entities("host"), since="2001-01-01T00:00Z", by="nobody", progress=False)
        >>> len(revert(found))
        0
    """
    schema = changes.schema
    chosen: dict[str, set[Cell]] = defaultdict(set)
    for edit in changes.edits:
        chosen[edit.id].add((edit.field, edit.at))
    rows = [_row(schema, id_, changes.history[id_], wanted) for id_, wanted in chosen.items()]
    made = tuple(row.change for row in rows if row.change is not None)
    again = sum(isinstance(change, Create) for change in made)
    notes = (
        ["takes back changes of " + ", ".join(sorted({edit.by for edit in changes.edits}))] if made else []
    )
    if again:
        notes.append(
            f"back with a new _id: {count(again, 'deleted row')}; what referred to them has to be re-pointed"
        )
    if parts := sum(row.in_part for row in rows):
        notes.append(
            f"left as it is: {count(parts, 'new or deleted row')}, of which only some fields are meant"
        )
    faults = [fault for row in rows for fault in row.faults]
    return Plan(
        changes.endpoint,
        schema,
        made,
        faults=(*faults, *refused(schema, made), *swaps(schema, made)),
        clashes=tuple(clash for row in rows for clash in row.clashes),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """What becomes of one row."""

    change: Change | None = None
    clashes: tuple[Conflict, ...] = ()
    faults: tuple[Problem, ...] = ()
    in_part: bool = False


def _row(schema: Schema, id_: str, steps: Sequence[Step], wanted: set[Cell]) -> _Row:
    newest = steps[0]
    times = {at for _, at in wanted}
    ends = [step for step in steps if step.at in times and step.action != "update"]
    whole = [s for s in ends if all((edit.field, edit.at) in wanted for edit in edits(schema, s))]
    if any(step.action == "insert" for step in whole):
        if newest.after is None:
            return _Row()
        last = next(step for step in steps if step.at in times)
        values = {field.path: stored(field, last.after or {}) for field in schema.fields}
        known = receipt(newest.after) if last is newest else None
        return _Row(Delete(id_, values, key_of(schema, newest), known))
    if whole:
        gone = whole[0]
        return _Row(Create(id_, _before_deletion(schema, steps, gone, wanted), key_of(schema, gone)))
    row = _cells(schema, id_, steps, {cell for cell in wanted if cell[1] not in {s.at for s in ends}})
    return replace(row, in_part=bool(ends))


def _before_deletion(schema: Schema, steps: Sequence[Step], gone: Step, wanted: set[Cell]) -> dict[str, Any]:
    """Return the values that a deleted row had before it was deleted, and before the other changes meant."""
    values = values_of(schema, gone.before or {})
    for path, chain in _chains(schema, [step for step in steps if step.at < gone.at]).items():
        if (path, chain[0].at) in wanted and chain[0].known:
            values[path] = chain[_end(chain, 0, path, wanted)].before
    return {path: value for path, value in values.items() if value is not None and value != []}


def _cells(schema: Schema, id_: str, steps: Sequence[Step], wanted: set[Cell]) -> _Row:
    chains = _chains(schema, steps)
    key = key_of(schema, steps[0])
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    clashes: list[Conflict] = []
    faults: list[Problem] = []
    for path in dict.fromkeys(path for path, _ in sorted(wanted)):
        chain = chains[path]
        if not all(edit.known for edit in chain):
            faults.append(Problem(id_, "the schema has lost this field since", path, None, key))
            continue
        start = next(i for i, edit in enumerate(chain) if (path, edit.at) in wanted)
        end = _end(chain, start, path, wanted)
        base, target, theirs = chain[start].after, chain[end].before, chain[0].after
        field = schema.field(path)
        if equal(field, target, theirs):
            continue
        before[path], after[path] = base, target
        if not equal(field, base, theirs):
            clashes.append(Conflict(id_, path, base, target, theirs, key))
    if steps[0].after is None and after:
        gone = Conflict(id_, "_id", id_, id_, None, key)
        return _Row(clashes=(gone,), faults=tuple(faults))
    change = Update(id_, before, after, key, receipt(steps[0].after or {})) if after else None
    return _Row(change, tuple(clashes), tuple(faults))


def _chains(schema: Schema, steps: Sequence[Step]) -> dict[str, list[Edit]]:
    """Return the changes of every cell of a row, the newest first."""
    chains: dict[str, list[Edit]] = defaultdict(list)
    for step in steps:
        for edit in edits(schema, step):
            chains[edit.field].append(edit)
    return chains


def _end(chain: Sequence[Edit], start: int, path: str, wanted: set[Cell]) -> int:
    """Return where a run of meant changes that begins at `start` ends, on the way back in time."""
    end = start
    while end + 1 < len(chain) and (path, chain[end + 1].at) in wanted:
        end += 1
    return end

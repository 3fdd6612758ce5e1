"""The plan that puts back what somebody changed, and spares what others changed later."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

from ..planning.order import swaps
from ..planning.validate import refused
from ..pushing.earlier import brought_back, came_back
from ..reading.commits import edits, key_of
from ..reading.lookup import missing
from ..values.blocks import count
from ..values.changes import Change, Conflict, Create, Delete, Problem, Update, row_of
from ..values.entity import EDITABLE_META, as_created, receipt, stored, values_of
from ..values.schema import RECEIPT
from ..values.types.equality import equal
from ..workflow.objects import Plan
from ..workflow.parts import Plans
from ..workflow.rest import at_today
from .back import lacking, without_gone
from .edits import Changes
from .spared import spared
from .together import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..reading.commits import Edit, Step
    from ..values.schema import Schema


Cell = tuple[str, str]
"""Field and commit of one change of a cell: what tells it from the others of its row."""


@overload
def revert(changes: Changes) -> Plan: ...


@overload
def revert(changes: Sequence[Changes]) -> Plans: ...


def revert(changes: Changes | Sequence[Changes]) -> Plan | Plans:
    """Return the plan that gives cells the values they had before these changes; of several tables, Plans.

    A cell that was changed again since, by a change that is not among these, is a conflict, also where it
    holds the same value again: `plan.conflicts` names it, and a push leaves it alone unless
    `on_conflict="mine"` says otherwise. A cell that somebody else changed between two of these changes gets
    that person's value. Rows that these changes created are deleted, unless they were written to by changes
    that are not among these: such a row is in conflict as a whole, and stays. Rows that they deleted are
    created again, with a new `_id`. Where only some fields of a new or deleted row are meant, it is left as
    it is. The plan has its rows in the order of `_id`, as a fetch does.

    Nothing is written: read the plan, push it; its push can be undone like any other.

    Args:
        changes: From `sp.changes`, perhaps narrowed by `.only(...)`; of several tables a list of them.

    Raises:
        sispy.Error: The server could not be asked about rows that come back.

    Example:
        >>> found = changes(client.entities("host"), since="2001-01-01T00:00Z", by="nobody", progress=False)
        >>> len(revert(found))
        0
    """
    if not isinstance(changes, Changes):
        return Plans.of(*map(_reverted, changes))
    return _reverted(changes)


def _reverted(changes: Changes) -> Plan:
    schema, rows = changes.schema, _rows(changes)
    made, conflicts, told, completes = _with_what_came_back(changes, rows)
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
    problems = [problem for row in rows for problem in row.problem_list]
    refusals, left = refused(schema, made)
    return Plan(
        changes.endpoint,
        schema,
        tuple(made),
        problem_list=(*problems, *refusals, *swaps(schema, made)),
        conflict_list=(*(conflict for row in rows for conflict in row.conflict_list), *conflicts),
        notes=(*notes, *told, *left),
        completes=completes,
    )


def _rows(changes: Changes) -> list[_Row]:
    """Return what becomes of the rows, in the order of `_id`; one that was deleted and came back is one row.

    Where both its deletion and its return are taken back, it stays. Where several of its deletions are, it
    comes back once, as it was before all that is meant.
    """
    schema, url = changes.schema, changes.endpoint.client.url
    back, latest = brought_back(url), came_back(url)
    chosen: dict[str, set[Cell]] = defaultdict(set)
    for edit in changes.edits:
        chosen[edit.id].add((edit.field, edit.commit))
    found: dict[str, _Row] = {}
    returned: set[str] = set()
    lives: dict[str, str] = {}
    for id_ in sorted(chosen, key=lambda one: changes.history[one][-1].at):
        steps, wanted = changes.history[id_], chosen[id_]
        if id_ in returned:
            inserts = {step.commit for step in steps if step.action == "insert"}
            wanted = {cell for cell in wanted if cell[1] not in inserts}
        row = _row(schema, id_, steps, wanted)
        if isinstance(row.change, Create):
            life = latest[id_].id if id_ in latest else id_
            if life in lives:
                row = _once(schema, found.pop(lives[life]), row, row.change)
            lives[life] = id_
            returned.update([back[id_].id] if id_ in back else [])
        found[id_] = row
    return [found[id_] for id_ in sorted(found)]


def _once(schema: Schema, older: _Row, newer: _Row, made: Create) -> _Row:
    """Return what becomes of a row that was deleted twice, and came back between with what it had."""
    earlier = {
        path: (newer.before[path][0] if path in newer.before else deleted, old)
        for path, (deleted, old) in older.before.items()
        if equal(schema.field(path), made.values.get(path), deleted)
    }
    values = as_created(schema, {**made.values, **{path: old for path, (_, old) in earlier.items()}})
    return replace(newer, change=replace(made, values=values), before={**newer.before, **earlier})


def _with_what_came_back(
    changes: Changes, rows: Sequence[_Row]
) -> tuple[list[Change], tuple[Conflict, ...], list[str], tuple[str, ...]]:
    """Leave out deleted rows that are back already; references to them get their new `_id`s."""
    endpoint, schema = changes.endpoint, changes.schema
    made = [row.change for row in rows if row.change is not None]
    again = {str(row.change.row): row.before for row in rows if isinstance(row.change, Create)}
    ids = {old: back.id for old, back in came_back(endpoint.client.url).items() if old in again}
    gone = missing(endpoint.client, schema.name, set(ids.values()))
    there = {old: again[old] for old, id_ in ids.items() if id_ not in gone}
    found, renamed = at_today(endpoint, schema, [change for change in made if row_of(change) not in there])
    found, left_out = without_gone(endpoint, schema, found, again="another revert of these changes")
    completed, put_in, completes = lacking(endpoint, schema, there)
    completed, written = spared(endpoint, schema, completed, None)
    alone = {cell for row in rows for cell in row.alone}
    others = [conflict for conflict in written if (conflict.id, conflict.field) not in alone]
    found, conflicts = joined(schema, completed, others, found)
    back = [f"back already: {count(len(there), 'deleted row')}"] if there else []
    return found, conflicts, [*renamed, *back, *left_out, *put_in], completes


@dataclass(frozen=True, slots=True)
class _Row:
    """What becomes of one row."""

    change: Change | None = None
    conflict_list: tuple[Conflict, ...] = ()
    problem_list: tuple[Problem, ...] = ()
    in_part: bool = False
    alone: frozenset[tuple[str, str]] = frozenset()
    """Row and field of cells that nothing but these changes wrote to since the row was made."""
    before: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Of a deleted row: cells that other changes meant wrote before, with what was deleted and what was there
    before them."""


def _row(schema: Schema, id_: str, steps: Sequence[Step], wanted: set[Cell]) -> _Row:
    commits = {commit for _, commit in wanted}
    ends = [step for step in steps if step.commit in commits and step.action != "update"]
    whole = [s for s in ends if all((edit.field, edit.commit) in wanted for edit in edits(schema, s))]
    made = next((step for step in whole if step.action == "insert"), None)
    if made is not None:
        return _Row() if steps[0].now is None else _without(schema, id_, steps, made, wanted)
    updates = {cell for cell in wanted if cell[1] not in {s.commit for s in ends}}
    if whole:
        gone = whole[0]
        values = values_of(schema, gone.before or {})
        before = {
            path: (values.get(path), chain[_end(chain, 0, path, updates)].before)
            for path, chain in _chains(schema, steps[steps.index(gone) + 1 :]).items()
            if (path, chain[0].commit) in updates and chain[0].known
        }
        values = as_created(schema, values | {path: old for path, (_, old) in before.items()})
        return _Row(Create(id_, values, key_of(schema, gone)), before=before)
    return replace(_cells(schema, id_, steps, updates), in_part=bool(ends))


def _without(schema: Schema, id_: str, steps: Sequence[Step], made: Step, wanted: set[Cell]) -> _Row:
    """Return the deletion of a row that one of the changes created; what others wrote to it is in conflict.

    The plan shows a row in conflict as it was before the others wrote. Where a cell holds the same value
    again, the guard of the push sees their writes by the row's receipt alone: so that is in conflict, too,
    and who decides for the delete knows all that the guard will find.
    """
    newest = steps[0]
    now = newest.now or {}
    values = {column.path: stored(column, now) for column in schema.fields}
    others: dict[str, Any] = {}
    chains = _chains(schema, steps[: steps.index(made) + 1])
    for path, chain in chains.items():
        foreign = [edit for edit in chain if edit.known and (path, edit.commit) not in wanted]
        if foreign:
            others[path] = foreign[-1].before
    for column in (*schema.fields, *(schema.field(path) for path in EDITABLE_META)):
        # owners, tags and locks have no history, nor has what was written while tracking was off
        told_by = chains.get(column.path)
        told = told_by[0].after if told_by else stored(column, made.after or {})
        found = stored(column, now)
        if not (equal(column, told, found) or (column.default is not None and found == column.default)):
            others.setdefault(column.path, told)
    key = key_of(schema, newest)
    conflicts = [
        Conflict(id_, path, base, None, stored(schema.field(path), now), key) for path, base in others.items()
    ]
    known = receipt(now)
    if any(equal(schema.field(one.field), one.base, one.theirs) for one in conflicts):
        conflicts.append(Conflict(id_, RECEIPT.path, made.at, None, known, key))
        known = made.at
    return _Row(Delete(id_, values | others, key, known), tuple(conflicts))


def _cells(schema: Schema, id_: str, steps: Sequence[Step], wanted: set[Cell]) -> _Row:
    chains = _chains(schema, steps)
    key = key_of(schema, steps[0])
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    problems: list[Problem] = []
    alone: set[tuple[str, str]] = set()
    for path in dict.fromkeys(path for path, _ in sorted(wanted)):
        chain = chains[path]
        if not all(edit.known for edit in chain):
            problems.append(Problem(id_, "the schema has lost this field since", path, None, key))
            continue
        start = next(i for i, edit in enumerate(chain) if (path, edit.commit) in wanted)
        end = _end(chain, start, path, wanted)
        base, target, theirs = chain[start].after, chain[end].before, chain[0].after
        if all(edit.action == "insert" for edit in (*chain[:start], *chain[end + 1 :])):
            alone.add((id_, path))
        column = schema.field(path)
        if equal(column, target, theirs):
            continue
        if start and equal(column, base, theirs):
            base = chain[start - 1].after  # written since, and back: only so does the guard see it
        before[path], after[path] = base, target
        if start:
            conflicts.append(Conflict(id_, path, base, target, theirs, key))
    if steps[0].now is None and after:
        gone = Conflict(id_, "_id", id_, id_, None, key)
        return _Row(conflict_list=(gone,), problem_list=tuple(problems))
    change = Update(id_, before, after, key, receipt(steps[0].now or {})) if after else None
    return _Row(change, tuple(conflicts), tuple(problems), alone=frozenset(alone))


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
    while end + 1 < len(chain) and (path, chain[end + 1].commit) in wanted:
        end += 1
    return end

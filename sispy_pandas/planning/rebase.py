"""What is left of a plan: after a push, and after others have written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..reading.lookup import read
from ..values.blocks import count
from ..values.changes import Change, Conflict, Create, Delete, Outcome, Update, row_of
from ..values.entity import as_created
from ..values.progress import BRIEF, bar
from ..values.schema import RECEIPT
from ..values.types.equality import equal
from .change_set import ChangeSet, new_rows_of
from .merge import foreign_edits, merge
from .validate import refused

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from ..values.schema import Schema

C = TypeVar("C", bound=ChangeSet)
U = TypeVar("U", bound=Update | Delete)


def refresh(plan: C, *, progress: Any = False) -> C:
    """Compare a plan with what the server holds now; see `Plan.refresh`."""
    ids = [change.id for change in plan.changes if not isinstance(change, Create)]
    with bar(progress, total=None, unit=" rows", desc=f"compare {plan.schema.name}", delay=BRIEF) as shown:
        entities = {entity["_id"]: entity for entity in read(plan.endpoint, "_id", ids, shown=shown)}
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    there = 0
    for change in plan.changes:
        if isinstance(change, Create):
            changes.append(change)
            continue
        entity = entities.get(change.id)
        if entity is None:
            if isinstance(change, Update):
                conflicts.append(_gone(change))
                changes.append(change)
        elif isinstance(change, Delete):
            conflicts += foreign_edits(plan.schema, change, entity)
            changes.append(change)
        else:
            merged = merge(plan.schema, change, entity)
            conflicts += merged.conflicts
            left = {path: value for path, value in change.after.items() if path not in merged.there}
            if left:
                changes.append(_narrowed(change, left))
            there += not left and not merged.conflicts
    told = (f"left out: {count(there, 'row')} that the server holds as planned already",) if there else ()
    return replace(
        plan,
        changes=tuple(changes),
        conflict_list=tuple(conflicts),
        notes=tuple(dict.fromkeys((*plan.notes, *told))),
    )


def rebase(
    plan: C, conflicts: Iterable[Conflict], outcomes: Iterable[Outcome], *, keep: Literal["mine", "theirs"]
) -> C:
    """Return what is left of a plan, with its conflicts decided; see `Plan.rebase`.

    Args:
        plan: What was pushed, or compared with what the server holds.
        conflicts: That were found.
        outcomes: Of the push; none of a comparison.
        keep: Whose value a cell in conflict gets.

    Raises:
        ValueError: `keep` is neither "mine" nor "theirs".
    """
    if keep not in ("mine", "theirs"):
        raise ValueError(f"keep={keep!r}: 'mine' or 'theirs'")
    by_row: dict[Hashable, dict[str, Conflict]] = {}
    for conflict in conflicts:
        by_row.setdefault(conflict.id, {})[conflict.field] = conflict
    ended = {outcome.row: outcome for outcome in outcomes}
    changes: list[Change] = []
    given_back: list[Change] = []
    for change in plan.changes:
        row = row_of(change)
        outcome = ended.get(row)
        back = _put_back(plan.schema, outcome) if outcome and outcome.overwrites and keep == "theirs" else []
        given_back += back
        if outcome and outcome.word in ("done", "unchanged"):
            changes += back
            continue
        if isinstance(change, Create):
            in_the_way = outcome is not None and outcome.word == "conflict"
            changes += _as_update(change, outcome.id, by_row, keep) if in_the_way and outcome else [change]
        elif isinstance(change, Delete):
            changes += _deleted(change, by_row.get(row, {}), keep)
        else:
            written = {
                path
                for path, (_, after) in (outcome.written if outcome else {}).items()
                if path in change.after and equal(plan.schema.field(path), after, change.after[path])
            }
            updates = _updated(change, by_row.get(row, {}), keep, written=written)
            changes += _joined(updates, back)
    left = {row_of(change) for change in changes}
    known = {row_of(change) for change in plan.changes}
    problems, notes = refused(plan.schema, given_back)
    return replace(
        plan,
        changes=tuple(changes),
        notes=(*plan.notes, *notes),
        problem_list=(
            *(problem for problem in plan.problem_list if problem.row in left or problem.row not in known),
            *problems,
        ),
        conflict_list=(),
        journal=None,
        made_with=new_rows_of(plan),
    )


def seen_with(change: U, values: Mapping[str, Any]) -> U:
    """Return a change as if it had been made of a row that held these values, by path."""
    before = {**change.before, **values}
    receipt = before.pop(RECEIPT.path, change.receipt)
    return replace(change, before=before, receipt=receipt)


def _updated(
    change: Update, conflicts: Mapping[str, Conflict], keep: str, *, written: Iterable[str]
) -> list[Change]:
    if "_id" in conflicts:  # the row was deleted: there is nothing left to write to
        return []
    before, after = dict(change.before), dict(change.after)
    for path in written:
        after.pop(path, None)
    for path, conflict in conflicts.items():
        if keep == "mine":
            before[path] = conflict.theirs
        else:
            after.pop(path, None)
    return [replace(change, before={path: before.get(path) for path in after}, after=after)] if after else []


def _put_back(schema: Schema, outcome: Outcome) -> list[Change]:
    """Return the change that gives back to others what a push replaced; a row that it deleted is created."""
    theirs = {cell.field: cell.theirs for cell in outcome.overwrites}
    if outcome.action == "delete":
        values = {path: old for path, (old, _) in outcome.written.items()} | theirs
        return [Create(outcome.row, as_created(schema, values), outcome.key)]
    mine = {cell.field: cell.mine for cell in outcome.overwrites}
    return [Update(str(outcome.id), mine, theirs, outcome.key, outcome.receipt)]


def _joined(updates: list[Change], back: list[Change]) -> list[Change]:
    """Make one change of two of the same row."""
    match updates, back:
        case [Update() as one], [Update() as other]:
            return [replace(one, before={**one.before, **other.before}, after={**one.after, **other.after})]
    return updates or back


def _deleted(change: Delete, conflicts: Mapping[str, Conflict], keep: str) -> list[Change]:
    if conflicts and keep == "theirs":
        return []
    return [seen_with(change, {path: conflict.theirs for path, conflict in conflicts.items()})]


def _as_update(
    change: Create, id_: str | None, by_row: Mapping[Hashable, Mapping[str, Conflict]], keep: str
) -> list[Change]:
    """Turn the creation of a row that exists by now into an update of the cells that differ."""
    cells = by_row.get(id_, {})
    if id_ is None or not cells or keep == "theirs":
        return []
    before = {path: conflict.theirs for path, conflict in cells.items()}
    after = {path: conflict.mine for path, conflict in cells.items()}
    return [Update(id_, before, after, change.key)]


def _narrowed(change: Update, after: Mapping[str, Any]) -> Update:
    return replace(change, before={path: change.before.get(path) for path in after}, after=after)


def _gone(change: Update) -> Conflict:
    return Conflict(change.id, "_id", change.id, change.id, None, change.key)

"""The undos of two pushes as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..values.changes import Change, Conflict, Create, Delete, Update, row_of
from ..values.entity import as_created
from ..values.types.equality import equal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..values.schema import Schema
    from ..workflow.objects import Plan


def together(older: Plan, newer: Plan) -> Plan:
    """Return the plan that takes back two pushes to one table, from their undos.

    A cell that both have written gets what it held before the older one, unless somebody else wrote to it
    between the two: then that person's value. A row that the older one created and the newer one deleted
    needs nothing.
    """
    changes, conflicts = joined(older.schema, older.changes, older.conflict_list, newer.changes)
    return replace(
        older,
        changes=tuple(changes),
        conflict_list=(*conflicts, *newer.conflict_list),
        notes=tuple(dict.fromkeys([*newer.notes, *older.notes])),
        undoes=(*older.undoes, *newer.undoes),
        completes=(*older.completes, *newer.completes),
        snapshot=newer.snapshot,
    )


def joined(
    schema: Schema, older: Sequence[Change], conflicts: Iterable[Conflict], newer: Iterable[Change]
) -> tuple[list[Change], tuple[Conflict, ...]]:
    """Return the changes that take back what an older and a newer write did, and the older ones' conflicts.

    Args:
        schema: Of the table.
        older: What takes back the older one alone.
        conflicts: Cells of `older` that others wrote to since.
        newer: What takes back the newer one.
    """
    conflicts = tuple(conflicts)
    foreign = {(conflict.id, conflict.field) for conflict in conflicts}
    last = {row_of(change): change for change in newer}
    taken = {(c.id, path) for c in last.values() if isinstance(c, Update) for path in c.after}
    changes: list[Change] = []
    for change in older:
        later = last.pop(row_of(change), None)
        both = change if later is None else _both(schema, change, later, foreign)
        changes += [both] if both is not None else []
    return [*changes, *last.values()], tuple(c for c in conflicts if (c.id, c.field) not in taken)


def _both(schema: Schema, older: Change, newer: Change, foreign: set[tuple[str, str]]) -> Change | None:
    if isinstance(older, Update) and isinstance(newer, Update):
        after = {p: _before_both(schema, older, p, value, foreign) for p, value in newer.after.items()}
        return replace(
            newer,
            before={**older.before, **newer.before},
            after={**older.after, **after},
            lacks={**older.lacks, **newer.lacks},
        )
    if isinstance(older, Update) and isinstance(newer, Create):
        back = {p: _before_both(schema, older, p, newer.values.get(p), foreign) for p in older.after}
        return replace(newer, values=as_created(schema, {**newer.values, **back}))
    if isinstance(older, Delete) and isinstance(newer, Update):
        between = any(id_ == older.id for id_, _ in foreign)
        # what the newer push left is what is compared, if the history tells that nobody wrote before it
        known = older.receipt if between or not schema.track_history else newer.receipt
        return replace(older, before={**older.before, **newer.before}, receipt=known)
    if isinstance(older, Delete) and isinstance(newer, Create):
        return None
    return newer


def _before_both(
    schema: Schema, older: Update, path: str, between: Any, foreign: set[tuple[str, str]]
) -> Any:
    """Return what a cell held before the older push, or what it held between the two if others wrote that."""
    if path not in older.after or (older.id, path) in foreign:
        return between
    return older.after[path] if equal(schema.field(path), older.before[path], between) else between

"""The order of a push: a row that takes a unique value goes after the row that gives it up.

A row that refers to a new row goes after it where it can; rows that refer to each other are completed later.
"""

from __future__ import annotations

from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..values.changes import Change, Create, Problem, row_of
from ..values.references import aimed, ids_in, reference_fields, sent_by
from ..values.types.convert import is_blank
from .validate import hashable, new_value, old_value, unique_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

    from ..values.schema import Schema


_NONE: Mapping[str, Hashable] = MappingProxyType({})
GENERATIONS = 6
"""Requests one after the other that are worth it to create rows whole; the rows of a longer chain are created
without these references, and completed together."""


def batches(
    schema: Schema, changes: Sequence[Change], to_come: Mapping[str, Hashable] = _NONE
) -> list[list[Change]]:
    """Return the changes in groups to be sent one after the other; rows that swap values come last.

    Args:
        schema: Of the rows.
        changes: Of one plan.
        to_come: New rows that others refer to, by the ids that they do so by.
    """
    waits: dict[Hashable, set[Hashable]] = {
        row: set(providers) for row, providers in _waits_for(schema, changes).items()
    }
    wishes: dict[Hashable, set[Hashable]] = {}
    paths = [path for path, _ in reference_fields(schema)]
    for change in changes if to_come else ():
        meant = {id_ for path in paths for id_ in ids_in(sent_by(change), path)}
        targets = {to_come[id_] for id_ in meant & to_come.keys()} - {row_of(change)}
        can_be_completed = isinstance(change, Create) and not _needs_references(schema, change, to_come)
        (wishes if can_be_completed else waits).setdefault(row_of(change), set()).update(targets)
    granted = _levels(_both(waits, wishes))
    free = {row for level in granted for row in level} if len(granted) <= GENERATIONS else set()
    waits = _both(waits, {row: targets for row, targets in wishes.items() if row in free})
    levels = _levels(waits)
    depth = {row: number for number, level in enumerate(levels) for row in level}
    last = max(len(levels), 1)
    found: list[list[Change]] = [[] for _ in range(last + 1)]
    for change in changes:
        row = row_of(change)
        found[depth.get(row, last if row in waits else 0)].append(change)
    return [batch for batch in found if batch]


def _both(
    waits: Mapping[Hashable, Collection[Hashable]], wishes: Mapping[Hashable, Collection[Hashable]]
) -> dict[Hashable, set[Hashable]]:
    return {row: {*waits.get(row, ()), *wishes.get(row, ())} for row in {**waits, **wishes}}


def _needs_references(schema: Schema, create: Create, to_come: Collection[str]) -> bool:
    """Return whether a new row cannot be created without its references to rows that are not there yet."""
    without = aimed(schema, create.values, dict.fromkeys(to_come))
    return any(
        schema.field(path).required and is_blank(value) and not is_blank(create.values[path])
        for path, value in without.items()
    )


def swaps(schema: Schema, changes: Sequence[Change]) -> list[Problem]:
    """Return the rows that wait for each other, such as two rows that swap their names."""
    waits = _waits_for(schema, changes)
    free = {row for level in _levels(waits) for row in level}
    waited: dict[Hashable, set[Hashable]] = {}
    for row, providers in waits.items():
        for provider in providers:
            if row not in free and provider not in free:
                waited.setdefault(provider, set()).add(row)
    # those that only wait for a swap are no part of it
    outside = {row for level in _levels(waited) for row in level}
    found = []
    for change in changes:
        row = row_of(change)
        others = [other for other in waits.get(row, ()) if row in waited and other not in free | outside]
        if others and row not in outside:
            path = waits[row][others[0]]
            reason = (
                f"swaps unique values with row {', '.join(map(str, others))}: push an interim value first"
            )
            found.append(Problem(row, reason, path, new_value(change, path), change.key))
    return found


def _waits_for(schema: Schema, changes: Sequence[Change]) -> dict[Hashable, dict[Hashable, str]]:
    """Return which rows have to be written before which, and the field whose value they give up."""
    waits: dict[Hashable, dict[Hashable, str]] = {}
    for field in unique_fields(schema):
        freed = {
            hashable(value): row_of(change)
            for change in changes
            if (value := old_value(change, field.path)) is not None
        }
        for change in changes:
            value = new_value(change, field.path)
            provider = None if value is None else freed.get(hashable(value))
            if provider is not None and provider != row_of(change):
                waits.setdefault(row_of(change), {})[provider] = field.path
    return waits


def _levels(waits: Mapping[Hashable, Collection[Hashable]]) -> list[tuple[Hashable, ...]]:
    """Return rows in groups, each after all that its rows wait for; in none are those that wait for ever."""
    sorter = TopologicalSorter(waits)
    with suppress(CycleError):
        sorter.prepare()
    found = []
    while ready := sorter.get_ready():
        found.append(ready)
        sorter.done(*ready)
    return found

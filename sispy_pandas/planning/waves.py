"""The order of a push: a row that takes a unique value goes after the row that gives it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import Change, Problem, row_of
from .validate import hashable, new_value, old_value, unique_fields

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from ..schema import Schema


def waves(schema: Schema, changes: Sequence[Change]) -> list[list[Change]]:
    """Return the changes in groups to be sent one after the other."""
    waits = _waits_for(schema, changes)
    depth: dict[Hashable, int] = {}
    for change in changes:
        chain = [row_of(change)]
        while chain[-1] in waits and waits[chain[-1]] not in chain:
            chain.append(waits[chain[-1]])
        depth[chain[0]] = len(chain) - 1
    found: list[list[Change]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for change in changes:
        found[depth[row_of(change)]].append(change)
    return [wave for wave in found if wave]


def swaps(schema: Schema, changes: Sequence[Change]) -> list[Problem]:
    """Return the rows that wait for each other, such as two rows that swap their names."""
    waits = _waits_for(schema, changes)
    found = []
    for change in changes:
        row = row_of(change)
        chain = [row]
        while chain[-1] in waits and waits[chain[-1]] not in chain:
            chain.append(waits[chain[-1]])
        if waits.get(chain[-1]) == row:
            others = ", ".join(str(other) for other in chain[1:])
            reason = f"swaps unique values with row {others}: push an interim value first"
            path = next(f.path for f in unique_fields(schema) if new_value(change, f.path) is not None)
            found.append(Problem(row, reason, path, new_value(change, path), change.key))
    return found


def _waits_for(schema: Schema, changes: Sequence[Change]) -> dict[Hashable, Hashable]:
    """Return which row has to be written before which; a row waits for one other at most (the last found)."""
    waits: dict[Hashable, Hashable] = {}
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
                waits[row_of(change)] = provider
    return waits

"""References within rows: where a schema has them, which ids stand there, and other ids in their place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from .changes import Change, Create, Update
from .schema import Schema
from .types.object_id import is_object_id

C = TypeVar("C", bound=Change)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from .types.base import Field

    Targets = Mapping[str, str | None]
    """Old `_id` -> new `_id`; None takes the reference away."""


def reference_fields(schema: Schema) -> list[tuple[str, str]]:
    """Return (path, name of the schema referred to) of every reference, in arrays and their members too."""
    found = []
    for field in schema.fields:
        if field.ref:
            found.append((field.path, field.ref))
        if field.item and field.item.ref:
            found.append((field.path, field.item.ref))
        found += [(f"{field.path}.{path}", ref) for path, ref in _member_references(field)]
    return found


def _member_references(field: Field) -> list[tuple[str, str]]:
    inner = Schema("", field.fields, "_id", {})
    return reference_fields(inner) if field.fields else []


def ids_at(entity: Any, path: str) -> set[str]:
    """Return the ids at a path, through arrays on the way."""
    if isinstance(entity, list | tuple):
        return set().union(*(ids_at(member, path) for member in entity))
    if not path:
        return {entity} if isinstance(entity, str) else set()
    head, _, rest = path.partition(".")
    return ids_at(entity.get(head), rest) if isinstance(entity, Mapping) else set()


def ids_in(values: Mapping[str, Any], path: str) -> set[str]:
    """Return the ids that a change puts at a reference path."""
    column = next((name for name in values if path == name or path.startswith(f"{name}.")), None)
    return set() if column is None else ids_at(values[column], path[len(column) + 1 :])


def sent_by(change: Change) -> Mapping[str, Any]:
    """Return the values that a change puts into its row; none for a deletion."""
    if isinstance(change, Create):
        return change.values
    return change.after if isinstance(change, Update) else {}


def stand_in(table: str, key: Any) -> str:
    """Return the id that stands for a new row, by its key, until it has one of its own."""
    return hashlib.sha256(json.dumps([table, key]).encode()).hexdigest()[:24]


def new_rows(table: str, changes: Iterable[Change]) -> dict[str, Hashable]:
    """Return the new rows among changes by the ids that others may refer to them by.

    Those are the `_id`s of deleted rows that come back, and what stands for rows with a key.
    """
    found: dict[str, Hashable] = {}
    for change in changes:
        if isinstance(change, Create):
            if is_object_id(change.row):
                found[str(change.row)] = change.row
            if change.key is not None:
                found[stand_in(table, change.key)] = change.row
    return found


def with_targets(schema: Schema, change: C, targets: Targets) -> C:
    """Return a change that sends other ids in place of some."""
    if isinstance(change, Create):
        return replace(change, values=aimed(schema, change.values, targets))
    if isinstance(change, Update):
        return replace(change, after=aimed(schema, change.after, targets))
    return change


def aimed(schema: Schema, cells: Mapping[str, Any], targets: Targets) -> dict[str, Any]:
    """Return column -> value with other ids in place of some."""
    paths = [path for path, _ in reference_fields(schema)]
    return {column: redirected(column, value, paths, targets) for column, value in cells.items()}


def redirected(column: str, value: Any, paths: Iterable[str], targets: Targets) -> Any:
    """Return the value of a column with the ids at these reference paths replaced."""
    for path in paths:
        if path == column or path.startswith(f"{column}."):
            value = _replaced(value, path[len(column) + 1 :], targets)
    return value


def _replaced(value: Any, path: str, targets: Targets) -> Any:
    """Copy a column's value with the ids at a path replaced."""
    if isinstance(value, list):
        members = [_replaced(one, path, targets) for one in value]
        return members if path else _without_doubles(value, members)
    if not path:
        return targets.get(value, value) if isinstance(value, str) else value
    if not isinstance(value, dict):
        return value
    name, _, rest = path.partition(".")
    return {**value, name: _replaced(value[name], rest, targets)} if name in value else value


def _without_doubles(before: list[Any], after: list[Any]) -> list[Any]:
    """Leave out ids that were taken away, and those that stand there twice now."""
    stayed = {new for one, new in zip(before, after, strict=True) if one == new}
    kept: list[Any] = []
    for one, new in zip(before, after, strict=True):
        if one == new or (new is not None and new not in stayed and new not in kept):
            kept.append(new)
    return kept

"""What can be told without the server about rows that change: bad values, and unique values taken twice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import message_of

from ..values.changes import Change, Create, Delete, Problem, Update, row_of
from ..values.entity import EDITABLE_META
from ..values.types.convert import cast, check
from ..values.types.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from ..values.schema import Schema
    from ..values.types.base import Field


def check_values(
    schema: Schema, change: Create | Update, stored: Mapping[str, Any], patterns: Patterns
) -> list[Problem]:
    """Return why the server would refuse a row: it validates all of it, not only what was sent.

    Args:
        schema: Of the row.
        change: What is sent.
        stored: The row's other values, as far as they are known.
        patterns: Of the whole plan.
    """
    sent = change.values if isinstance(change, Create) else change.after
    row, found = row_of(change), []
    for field in schema.fields:
        if field.path in sent:
            reason = check(field, sent[field.path], sent=True, patterns=patterns)
        elif isinstance(change, Create):
            reason = "a value is required" if field.required and field.default is None else None
        elif field.path in stored:
            reason = check(field, stored[field.path], patterns=patterns)
            reason = reason and f"the stored value stands in the way of every change to this row: {reason}"
        else:
            continue
        if reason:
            value = sent.get(field.path, stored.get(field.path))
            found.append(Problem(row, reason, field.path, value, change.key))
    found += [
        Problem(row, "a value is required", path, None, change.key)
        for path in EDITABLE_META
        if path in sent and sent[path] is None
    ]
    return found


def refused(schema: Schema, changes: Iterable[Change]) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Return the problems of values that a plan sends, where nothing else is known of its rows; and notes.

    The notes say what only the server can check.
    """
    found: list[Problem] = []
    patterns = Patterns()
    for change in changes:
        if isinstance(change, Delete):
            continue
        sent = change.values if isinstance(change, Create) else change.after
        bad = {path: reason for path, value in sent.items() if (reason := _uncastable(schema, path, value))}
        found += [Problem(row_of(change), why, path, sent[path], change.key) for path, why in bad.items()]
        fit = {path: value for path, value in sent.items() if path not in bad}
        rest = replace(change, values=fit) if isinstance(change, Create) else replace(change, after=fit)
        found += [
            problem for problem in check_values(schema, rest, {}, patterns) if problem.column not in bad
        ]
    return tuple(found), patterns.notes


def _uncastable(schema: Schema, path: str, value: Any) -> str | None:
    """Return why a stored value fits its field no more: the definition has another type by now."""
    field = schema.field(path)
    if value is None or isinstance(value, field.kind.json_types):  # whatever `cast` says: it was stored
        return None
    try:
        cast(field, value)
    except ValueError as error:
        return message_of(error)
    return None


def constrained(schema: Schema) -> tuple[Field, ...]:
    """Return the fields that `check` can say something about."""
    return tuple(
        field
        for field in schema.fields
        if field.required
        or field.enum
        or field.match
        or field.fields
        or (field.item is not None and (field.item.enum or field.item.match))
        or any(limit is not None for limit in (field.min, field.max, field.minlength, field.maxlength))
    )


def unique_fields(schema: Schema) -> tuple[Field, ...]:
    """Return the scalar fields of which every row has a value of its own."""
    return tuple(
        field
        for field in schema.fields
        if (field.unique or field.path == schema.id_field) and field.kind.is_scalar
    )


def identity(schema: Schema, create: Create) -> Field | None:
    """Return the unique field by which a new row can be found again; None if it has none."""
    unique = sorted(unique_fields(schema), key=lambda field: field.path != schema.key)
    return next((field for field in unique if create.values.get(field.path) is not None), None)


def taken_twice(
    schema: Schema, changes: Sequence[Change], stored: Mapping[str, Iterable[tuple[str, Any]]]
) -> list[Problem]:
    """Return the new values of unique fields that another row has or gets as well.

    Args:
        schema: Of the rows.
        changes: Of one plan.
        stored: Unique field -> (`_id`, value) of all rows that are known.
    """
    leaving = {change.id for change in changes if isinstance(change, Delete)}
    found = []
    for field in unique_fields(schema):
        path = field.path
        new = [(change, value) for change in changes if (value := new_value(change, path)) is not None]
        if not new:
            continue
        moved = leaving.union(c.id for c in changes if isinstance(c, Update) and path in c.after)
        owners: dict[str, Hashable] = {
            hashable(value): id_
            for id_, value in stored.get(path, ())
            if value is not None and id_ not in moved
        }
        named = path != schema.key  # two rows that get one name are not told apart by it
        rows: dict[str, list[Change]] = {}
        for change, value in new:
            rows.setdefault(hashable(value), []).append(change)
        for change, value in new:
            row, text = row_of(change), hashable(value)
            others = [
                other.key if named and other.key is not None else row_of(other)
                for other in rows[text]
                if row_of(other) != row
            ]
            if text in owners:
                reason = f"row {owners[text]} has this value already, and it must be unique"
            elif others:
                reason = f"row {others[0]} gets the same value, and it must be unique"
            else:
                continue
            found.append(Problem(row, reason, path, value, change.key))
    return found


def new_value(change: Change, path: str) -> Any:
    """Return the value that a change gives to a field, None if it gives none."""
    if isinstance(change, Create):
        return change.values.get(path)
    return change.after.get(path) if isinstance(change, Update) else None


def old_value(change: Change, path: str) -> Any:
    """Return the value of a field that a change frees for other rows, None if it frees none."""
    if isinstance(change, Update):
        return change.before.get(path) if path in change.after else None
    return change.before.get(path) if isinstance(change, Delete) else None


def hashable(value: Any) -> str:
    """Return a JSON value as something to look up by; 1 and 1.0 are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)

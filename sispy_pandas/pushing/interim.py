"""Values that a new row cannot be created with: it begins with something else, and gets them by a PUT.

A POST refuses keys that a PUT takes (SIS-API 4.3), and references to rows that are not there yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values.references import aimed
from ..values.types.equality import hollow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..values.schema import Schema
    from ..values.types.base import Field

STAND_IN = "(to be completed)"
"""Stands in a required Mixed field of which nothing is left."""


def interim(schema: Schema, values: Mapping[str, Any], to_come: Collection[str] = ()) -> dict[str, Any]:
    """Return what a new row begins with in the cells that a POST refuses: null where that is allowed.

    Args:
        schema: Of the row.
        values: That it shall have.
        to_come: `_id`s of rows that are not there yet.

    >>> from sispy_pandas.values.schema import parse_schema
    >>> schema = parse_schema({"name": "node", "definition": {"name": "String", "labels": "Mixed"}})
    >>> interim(schema, {"name": "n1", "labels": {"example.com/os": "linux"}})
    {'labels': None}
    """
    found = {}
    there = aimed(schema, values, dict.fromkeys(to_come)) if to_come else values
    for path, value in values.items():
        if not path.startswith("_sis.") and (_is_barred(value) or there[path] != value):
            field = schema.field(path)
            found[path] = field.kind.mapped(_allowed, there[path]) if field.required else None
    return found


def _is_barred(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_bad(key) or _is_barred(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_is_barred, value))


def _is_bad(key: str) -> bool:
    return "." in key or key.startswith("$")


def _allowed(_: Field, value: Any) -> Any:
    """Return a value without the keys that a POST refuses."""
    kept = _without_bad_keys(value)
    return STAND_IN if hollow(kept) else kept


def _without_bad_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_bad_keys(inner) for key, inner in value.items() if not _is_bad(key)}
    return [_without_bad_keys(inner) for inner in value] if isinstance(value, list) else value

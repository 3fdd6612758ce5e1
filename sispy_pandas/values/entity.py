"""Entities of the server and the values of a plan: reading one out of the other, and bodies for writes.

A plan's values are those of `records.to_json`, by dotted path; an entity is the nested object of the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cast import cast, get_path, set_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schema import Field, Schema

EDITABLE_META = ("_sis.owner", "_sis.tags", "_sis.locked")
"""What a frame with `meta=True` may change beside the fields of the definition."""


def stored(field: Field, entity: Mapping[str, Any]) -> Any:
    """Return an entity's value of a field in the form of plans; one that breaks its type as it is."""
    value = get_path(entity, field.path)
    try:
        return cast(field, value)
    except ValueError:
        return value


def sorted_as_stored(field: Field, value: Any) -> Any:
    """Return a value in the order that the server gives it: owners are sorted (SIS-API 2.3)."""
    return sorted(value) if field.path == "_sis.owner" and isinstance(value, list) else value


def receipt(entity: Mapping[str, Any]) -> int | None:
    """Return the time of an entity's last write in ms, None if the server sent no such thing."""
    found = get_path(entity, "_sis._updated_at")
    return int(found) if isinstance(found, int | float) else None


def body(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted paths and values as the nested object that a write sends."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        set_path(found, path, value)
    return found


def values_of(schema: Schema, entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values of an entity that are set, by path, with the part of `_sis` that a user may write."""
    fields = (*schema.fields, *(schema.field(path) for path in EDITABLE_META))
    found = {field.path: stored(field, entity) for field in fields}
    return {path: value for path, value in found.items() if value is not None and value != []}


def key_of(schema: Schema, entity: Mapping[str, Any]) -> Any:
    """Return the value by which people know an entity."""
    return get_path(entity, schema.key) if schema.key else None

"""Entities of the server and the values of a plan: reading one out of the other, and bodies for writes.

A plan's values are those of `to_json`, by dotted path; an entity is the nested object of the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .times import LATEST
from .types.cells import get_path, set_path
from .types.convert import cast, is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schema import Schema
    from .types.base import Field

EDITABLE_META = ("_sis.owner", "_sis.tags", "_sis.locked")
"""What a frame with `meta=True` may change beside the fields of the definition."""

FLAGS = ("_sis.immutable", "_sis.any_owner_can_modify")
"""What else a create may say in `_sis`: a row that is brought back gets it again."""


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
    """Return the time of an entity's last write in ms, None if the server sent none."""
    sis = entity.get("_sis")
    return moment(sis.get("_updated_at")) if isinstance(sis, dict) else None


def moment(found: Any) -> int | None:
    """Return a time of the server in ms; None if it is no time, or beyond the calendar.

    >>> moment(1700000000000.0), moment(float("inf")), moment("now")
    (1700000000000, None, None)
    """
    is_time = isinstance(found, (int, float)) and not isinstance(found, bool) and abs(found) <= LATEST
    return int(found) if is_time else None


def body(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted paths and values as the nested object that a write sends."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        set_path(found, path, value)
    return found


def values_of(schema: Schema, entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values of an entity that are set, by path, with what a create may say in `_sis`."""
    fields = (*schema.fields, *(schema.field(path) for path in EDITABLE_META))
    found = {field.path: value for field in fields if not is_blank(value := stored(field, entity), field)}
    return found | {path: True for path in FLAGS if get_path(entity, path) is True}


def as_created(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to send so that a new row is stored with just these values: some blanks are sent as null.

    A blank cell of a field with a default would get the default (SIS-API 4.2), and a row without any value is
    refused.

    >>> from sispy_pandas.values.schema import parse_schema
    >>> definition = {"x": "Number", "y": {"type": "Number", "default": 5}}
    >>> schema = parse_schema({"name": "a", "definition": definition})
    >>> as_created(schema, {"x": 1, "y": None})
    {'x': 1, 'y': None}
    """
    found = {path: value for path, value in values.items() if not is_blank(value, schema.field(path))}
    clearable = [f for f in schema.fields if f.can_be_cleared and f.path not in found]
    found |= {field.path: cast(field, None) for field in clearable if field.default is not None}
    if all(path.startswith("_sis.") for path in found):
        found |= {field.path: cast(field, None) for field in clearable[:1]}
    return found


def key_of(schema: Schema, entity: Mapping[str, Any]) -> Any:
    """Return the value by which people know an entity."""
    return get_path(entity, schema.key) if schema.key else None

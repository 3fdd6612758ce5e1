"""The columns of the grid: what a field allows, in the words its JavaScript reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..formats.table import field_of
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Container

    import pandas as pd

    from ..values.schema import Schema
    from ..values.types.base import Field

_WIDTHS = {
    "text": 150,
    "number": 90,
    "boolean": 80,
    "date": 165,
    "choice": 110,
    "reference": 150,
    "json": 180,
}
_LONGEST = 320  # px; a wider column is the user's choice, by its handle


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its field, and whether its cells can be edited."""

    field: Field
    readonly: bool = False


def ref_of(field: Field) -> str | None:
    """Return the schema that a field's values, or the members of its lists, refer to."""
    return field.ref or (field.item.ref if field.item else None)


def columns_of(schema: Schema, frame: pd.DataFrame, *, readonly: Container[str] = ()) -> tuple[Column, ...]:
    """Return the grid's columns: the key first, then the frame's fields, then what only the server writes.

    Raises:
        ValueError: A column that is to be edited is no field of the schema.
    """
    known = set(schema.columns)
    paths = [path for path in frame.columns if not path.startswith("_")]
    fields = [
        field_of(path, frame[path]) if path in readonly and path not in known else schema.field(path)
        for path in paths
    ]
    fields.sort(key=lambda field: field.path != schema.key)  # stable: only the key moves
    written_by_server = [ID]
    written_by_server += [field_of(path, frame[path]) for path in frame.columns if path.startswith("_")]
    return tuple(Column(field, field.path in readonly) for field in fields) + tuple(
        Column(field, readonly=True) for field in written_by_server
    )


def wire(column: Column, *, frozen: bool, sample: pd.Series[Any] | None = None) -> dict[str, Any]:
    """Describe a column to the JavaScript, with a width that fits its name and a sample of its cells."""
    field = column.field
    return {
        "name": field.path,
        "kind": field.kind.presentation,
        "type": field.type if field.item is None else f"{field.item.type}[]",
        "readonly": column.readonly,
        "required": field.required,
        "unique": field.unique,
        "enum": list(field.enum),
        "min": field.min if field.kind.presentation == "number" else None,
        "max": field.max if field.kind.presentation == "number" else None,
        "ref": ref_of(field),
        "description": field.description,
        "frozen": frozen,
        "width": _width(column, sample),
    }


def _width(column: Column, sample: pd.Series[Any] | None) -> int:
    title = 9 * len(column.field.path) + 54  # room for the sort mark and the menu button
    shown_as, cells = column.field.kind.presentation, 0
    texts = None if sample is None else sample.dropna().astype(str)
    if texts is not None and shown_as in ("text", "json") and len(texts) and not ref_of(column.field):
        cells = 8 * int(texts.str.len().quantile(0.95)) + 24
    return min(_LONGEST, max(title, cells, _WIDTHS[shown_as] if not cells else 60))

"""The columns of an edited frame: which may change, and which are there for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values.entity import EDITABLE_META
from ..values.schema import META, RECEIPT
from ..values.types.base import nearest

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from ..values.schema import Schema
    from ..values.types.base import Field

READ_ONLY = frozenset(field.path for field in META) - frozenset(EDITABLE_META)
"""Columns of `_sis` that the server alone writes."""
REASON = "_reason"
"""The column of a retry file that says why a row was not written; nobody reads it again."""
APART = "its keys have columns of their own, as of json_normalize: leave the column out, or fill it"


def editable(
    schema: Schema, frame: pd.DataFrame, base: pd.DataFrame, *, leave: Collection[str | None]
) -> tuple[list[Field], list[str]]:
    """Return the fields that a frame may change, and notes about columns that it has beside them.

    Args:
        schema: Of the rows.
        frame: The edited one.
        base: The one it was made from.
        leave: Columns that mean something else.
    """
    fields: list[Field] = []
    notes: list[str] = []
    for name in map(str, frame.columns):
        if name in leave or name in (RECEIPT.path, REASON) or name in READ_ONLY:
            continue
        if name in schema.columns or name in EDITABLE_META:
            field = schema.field(name)
            if field.unknown:
                notes.append(f"column {name!r} is left alone: its type {field.unknown!r} is not known here")
            else:
                fields.append(field)
        elif name not in base.columns:
            inner = [path for path in schema.columns if path.startswith(f"{name}.")]
            why = f"schema {schema.name!r} has no such field{nearest(name, schema.columns)}"
            why = f"its fields are columns of their own: {', '.join(inner)}" if inner else why
            notes.append(f"column {name!r} is left alone: {why}")
    index = frame.index.name
    if index in schema.columns and index not in leave and index not in frame.columns:
        notes.append(f"the index {index!r} is left alone: frame.reset_index() makes a column of it")
    return fields, notes


def taken_apart(field: Field, frame: pd.DataFrame) -> Any:
    """Return in which rows of a frame keys of a Mixed field have columns of their own; None for nowhere."""
    keys = [name for name in frame.columns if str(name).startswith(f"{field.path}.")]
    return frame[keys].notna().any(axis=1).to_numpy() if keys and field.type == "Mixed" else None

"""The columns of an edited frame: which may change, and which are there for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schema import META, RECEIPT, nearest
from ..values.entity import EDITABLE_META

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from ..schema import Field, Schema

READ_ONLY = frozenset(field.path for field in META) - frozenset(EDITABLE_META)
"""Columns of `_sis` that the server alone writes."""
REASON = "_reason"
"""The column of a retry file that says why a row was not written; nobody reads it again."""


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
            notes.append(
                f"column {name!r} is left alone: schema {schema.name!r} has no such field"
                f"{nearest(name, schema.columns)}"
            )
    return fields, notes

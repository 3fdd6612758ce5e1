"""The new rows of an edited frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..values.changes import Create, Problem
from ..values.entity import sorted_as_stored
from ..values.types.base import cast, is_blank, json_values
from ..values.types.cells import is_missing
from ..values.types.equality import as_edited, equal
from .compare import shown
from .validate import unique_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .matching import Matched


def new_rows(
    schema: Schema,
    frame: pd.DataFrame,
    rows: Matched,
    fields: Sequence[Field],
    *,
    key_column: str | None,
    is_arrow: bool = False,
) -> tuple[list[Create], list[Problem]]:
    """Return the rows to be created, and their cells that cannot be cast.

    Blank cells are left out, so that the server's defaults apply; a row without any value is no row. In a
    table of Arrow that goes for the keys of objects, too: every object there has those of all others.
    """
    if not rows.new:
        return [], []
    part = frame.iloc[np.array(rows.new, dtype=np.intp)]
    if key_column:
        fields = [*fields, schema.field(key_column)]
    cells = {
        field.path: (part[field.path] if field.path in part.columns else part.index).tolist()
        for field in fields
    }
    creates: list[Create] = []
    problems: list[Problem] = []
    for i, position in enumerate(rows.new):
        values: dict[str, Any] = {}
        faults: list[tuple[str, Any, str]] = []
        for field in fields:
            cell = cells[field.path][i]
            if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
                continue
            try:
                value = sorted_as_stored(field, cast(field, cell))
                value = as_edited(None, value) if is_arrow else value
            except ValueError as error:
                value = shown(field, cell)
                faults.append((field.path, value, str(error)))
            if not is_blank(value, field):
                values[field.path] = value
        if values:
            create = Create(rows.labels[position], values, values.get(schema.key) if schema.key else None)
            creates.append(create)
            problems += [
                Problem(create.row, reason, path, value, create.key) for path, value, reason in faults
            ]
    return creates, problems


def not_there(schema: Schema, base: pd.DataFrame, creates: list[Create]) -> list[Create]:
    """Leave out the new rows that the snapshot has just so: the same frame was pushed before."""
    for field in unique_fields(schema):
        if field.path not in base.columns or not creates:
            continue
        known = {
            value: at for at, value in enumerate(json_values(field, base[field.path])) if value is not None
        }
        creates = [
            create
            for create in creates
            if (at := known.get(create.values.get(field.path))) is None
            or not _holds(schema, base.iloc[[at]], create)
        ]
    return creates


def _holds(schema: Schema, row: pd.DataFrame, create: Create) -> bool:
    for path, value in create.values.items():
        field = schema.field(path)
        if path not in row.columns or not equal(field, json_values(field, row[path])[0], value):
            return False
    return True

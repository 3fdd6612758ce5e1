"""Values of unique fields that two rows of a grid would have: told at once, without the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..planning.validate import hashable
from ..values.records import DELETE
from ..values.types.convert import json_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ..values.types.base import Field
    from .cells import Edit


def owners_of(field: Field, cells: pd.Series[Any]) -> dict[str, int]:
    """Return value -> row of the frame that has it."""
    values = json_values(field, cells)
    return {_key(value): row for row, value in enumerate(values) if value is not None}


def duplicates(
    edits: Mapping[int, Mapping[str, Edit]], path: str, owners: Mapping[str, int]
) -> dict[int, str]:
    """Return the rows whose edited cell holds a value that another row has or gets, each with a sentence.

    Args:
        edits: Row -> path -> edit; a row that is marked for deletion has no value.
        path: Of the unique field.
        owners: As `owners_of` returns them.
    """
    rows: dict[str, list[int]] = {}
    for row, by_path in edits.items():
        edit = by_path.get(path)
        if edit is not None and edit.reason is None and edit.value is not None and DELETE not in by_path:
            rows.setdefault(_key(edit.value), []).append(row)
    found: dict[int, str] = {}
    for value, sharing in rows.items():
        owner = owners.get(value)
        moved = edits.get(owner, {}) if owner is not None else {}
        if owner is not None and path not in moved and DELETE not in moved:
            found |= dict.fromkeys(sharing, "another row has this value already, and it must be unique")
        elif len(sharing) > 1:
            found |= dict.fromkeys(sharing, "another row gets the same value, and it must be unique")
    return found


def _key(value: Any) -> str:
    return value if isinstance(value, str) else f"\0{hashable(value)}"  # no text of a cell begins so

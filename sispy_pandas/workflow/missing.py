"""What a list from elsewhere does not have: the rows of a table that no row of a frame names."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..planning.matching import ids_in
from ..values.row_set import RowSet
from ..values.types.convert import cast, json_values

if TYPE_CHECKING:
    import pandas as pd

    from .objects import Snapshot


def missing(snapshot: Snapshot, frame: pd.DataFrame, *, key: str | None = None) -> Snapshot:
    """Return the rows of a snapshot that a frame, such as a list from elsewhere, does not have.

    They are a snapshot as well: write them to a file for those who know, mark what is to go in a column
    `_delete`, and push it.

    Args:
        snapshot: What there is, or the part of it that the list is about.
        frame: The list.
        key: The field that names a row in both; by default `_id`.

    Raises:
        ValueError: The schema has no such field, or the frame no such column.

    Example:
        >>> audit = live.frame().iloc[2:]
        >>> len(missing(live, audit)), len(missing(live, audit, key="name"))
        (2, 2)
    """
    rows = RowSet.frame(snapshot, meta=True)  # with ids, whatever it shows
    if key is None:
        there: set[Any] = set(ids_in(frame).values())
        names = rows.index.tolist()
    else:
        field = snapshot.schema.field(key)
        if key not in (frame.index.name, *frame.columns):
            raise ValueError(f"there is no column {key!r} to match by, only {list(map(str, frame.columns))}")
        there = set()
        for cell in (frame[key] if key in frame.columns else frame.index).tolist():
            with suppress(ValueError):  # it names no row
                there.add(cast(field, cell))
        names = json_values(field, rows[key])
    return replace(snapshot, _frame=rows[[name not in there for name in names]])

"""Edited rows that are no changes: their problems, or what made them stale, hold what is left to push."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ..values.changes import Change, Problem, Stale, row_of
from ..values.records import edited_row

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pandas as pd

    from ..values.schema import Schema
    from .matching import Matched

Left = TypeVar("Left", Problem, Stale)


class LeftOut:
    """The rows of a frame that a diff did not make changes of.

    Args:
        schema: Of the table.
        frame: The edited rows.
        rows: Which of them is which.
        ids: Of the snapshot.
        changes: What the diff made.
    """

    def __init__(
        self,
        schema: Schema,
        frame: pd.DataFrame,
        rows: Matched,
        ids: pd.Index[Any],
        changes: Sequence[Change],
    ) -> None:
        self._schema, self._frame, self._rows, self._ids = schema, frame, rows, ids
        self._changes = changes
        self._columns = [name for name in frame.columns if name != "_id"]

    def told(self, left: Left) -> Left:
        """Return a problem or a stale row with the rows that it keeps out, where these are no changes."""
        row = left.id if isinstance(left, Stale) else left.row
        if left.rows or row in self._changed:
            return left
        positions = self._rows.left.get(row) or self._known.get(row, ())
        return replace(left, rows=tuple(map(self._cells, positions)))

    @cached_property
    def _changed(self) -> set[Hashable]:
        return {row_of(change) for change in self._changes}

    @cached_property
    def _known(self) -> dict[Hashable, tuple[int, ...]]:
        ids = self._ids[self._rows.base]
        return {id_: (at,) for id_, at in zip(ids, self._rows.at.tolist(), strict=True)}

    def _cells(self, position: int) -> dict[str, Any]:
        cells = {name: self._frame[name].iloc[position] for name in self._columns}
        ids = self._frame.index if self._frame.index.name == "_id" else self._frame.get("_id", ())
        id_ = list(ids)[position] if len(ids) else None
        return edited_row(self._schema, {"_id": id_, **cells})

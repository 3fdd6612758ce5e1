"""Decoded pages gathered to a frame, and its rows sorted: those are then fetched by key, completely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.errors import BadAnswer

from ..values.columns import Column
from ..values.extras import no_collection
from ..values.schema import RECEIPT
from ..values.types.cells import STRINGS
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .decode import Body, Rows
    from .query import Query

WARNINGS = ("_id", "column", "value", "reason")
"""Columns of the frame that lists what was odd."""


class Table:
    """Gather pages in any order, each in its slot, and build the frame at the end.

    Args:
        fields: The columns beside `_id` and the receipt, in their order.
        stream: See `Column`.
        shifts: Pages follow by offset, so that a row may come twice while others come and go: one is kept.
    """

    def __init__(self, fields: Sequence[Field], *, stream: bool = False, shifts: bool = False) -> None:
        self._ids = Column(ID)
        self._columns = [Column(field, stream=stream) for field in (*fields, RECEIPT)]
        self._invalid: list[str] = []
        self._shifts = shifts
        self.rows = 0

    def add(self, page: Body, slot: Any = None) -> None:
        """Take a page; the order of slots is the order of rows.

        Raises:
            NotJSON: Rows are no JSON objects.
        """
        slot = self.rows if slot is None else slot
        with no_collection():
            for rows in page.blocks():
                self._add(rows, slot)
        self.rows += len(page)

    def _add(self, rows: Rows, slot: Any) -> None:
        ids = rows.columns["_id"]
        self._ids.add(ids, slot=slot)
        for column in self._columns:
            column.add(rows.columns[column.field.path], slot=slot, checked=rows.checked)
        self._invalid += [ids[i] for i in rows.invalid]

    def finish(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the frame and its warnings; what was gathered is gone afterwards.

        Raises:
            BadAnswer: The server sent a row more than once, and no page can have shifted.
        """
        odd = {column.field: column.odd for column in self._columns}
        index = pd.Index(self._ids.series(), name="_id", dtype=STRINGS)
        frame = pd.DataFrame({c.field.path: c.series() for c in self._columns}, copy=False)
        frame.index = index
        found: list[tuple[Any, ...]] = [
            (index[position], field.path, value, field.kind.why_odd(value))
            for field, pairs in odd.items()
            for position, value in pairs
        ]
        found += [
            (id_, None, None, "bytes that are not UTF-8: U+FFFD stands for them") for id_ in self._invalid
        ]
        if (index[:-1] < index[1:]).all() or index.is_unique:  # most ascend, which is told at a glance
            return frame, warnings_frame(found)
        twice = index[index.duplicated()].unique()
        if not self._shifts:
            raise BadAnswer(
                f"the server sent {len(twice)} rows more than once, such as the one of _id {twice[0]}"
            )
        found += [(id_, None, None, "it came more than once while the list shifted") for id_ in twice]
        return frame[~index.duplicated()], warnings_frame(found)


def warnings_frame(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return the frame that lists what was odd."""
    return pd.DataFrame(list(rows), columns=list(WARNINGS), dtype=object)


def sorts_here(schema: Schema, query: Query) -> bool:
    """Return whether the order can be made here: by scalar fields, whose order is that of the server."""
    known = {field.path for field in schema.fields if field.kind.is_scalar}
    return all(path in known or path in ("_id", f"_sis.{RECEIPT.path}") for path, _ in query.sort)


def sort_frame(frame: pd.DataFrame, sort: Sequence[tuple[str, bool]]) -> pd.DataFrame:
    """Return the rows in the order that the server would give them: no value first, then ascending.

    Args:
        frame: Indexed by `_id`, in its order, which breaks ties.
        sort: Pairs of path and whether it descends.
    """
    keys = {}
    for path, _ in sort:
        if path == "_id":
            keys[path] = frame.index.to_series().reset_index(drop=True)
        else:
            column = frame[RECEIPT.path if path == f"_sis.{RECEIPT.path}" else path].reset_index(drop=True)
            keys[path] = column.astype("str") if isinstance(column.dtype, pd.CategoricalDtype) else column
    order = pd.DataFrame(keys)
    for path, descends in reversed(sort):  # one by one: each keeps the order of the ones after it
        order = order.sort_values(
            path, ascending=not descends, na_position="last" if descends else "first", kind="stable"
        )
    return frame.iloc[order.index]

"""A table as a file has it: columns of cells, with their fields as far as a schema knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from ..values.schema import META, RECEIPT, Schema
from ..values.types.base import Field
from ..values.types.cells import values_of
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.row_set import RowSet

Columns: TypeAlias = "list[tuple[Field, pd.Series[Any]]]"
"""The columns of a frame in their order, each with its field."""
Values: TypeAlias = "list[Any] | pd.Series[Any]"
"""JSON values of a column, `Refused` for those that are none; or the finished column at once."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file: names of columns, the cells of each; row numbers as people see them."""

    header: tuple[str, ...]
    columns: tuple[Any, ...]
    """Lists of cells, or the arrays of a library: `cells_in` makes a list of each."""
    rows: tuple[int, ...]
    places: tuple[int, ...] = ()
    """Numbers of the columns in the file, from 1."""
    given: frozenset[str] = frozenset()
    """Names in the file that the header has no more, as those that were told take their place."""


def cells_in(column: Sequence[Any] | pd.Series[Any]) -> Sequence[Any]:
    """Return the cells of a column as Python's values, None for missing ones; some formats have arrays."""
    if isinstance(column, pd.Series):
        return values_of(column)
    found: Sequence[Any] = column.to_pylist() if hasattr(column, "to_pylist") else column
    return found


def as_table(source: RowSet | pd.DataFrame, *, schema: Schema | None = None, meta: bool = False) -> Columns:
    """Return the columns of a snapshot or frame in a file's order, each with its field."""
    if isinstance(source, pd.DataFrame):
        frame = source
    else:
        frame, schema = source.frame(meta=meta), source.schema
    known = {f.path: f for f in (*schema.fields, *META, RECEIPT)} if schema else {RECEIPT.path: RECEIPT}
    table = [(known.get(str(label)) or field_of(str(label), frame[label]), frame[label]) for label in frame]
    if frame.index.name == "_id":
        table.insert(0, (ID, frame.index.to_series()))
    return table


def field_of(path: str, cells: pd.Series[Any]) -> Field:
    """Return a field made of a column's dtype, for a frame whose schema is not known."""
    if path == "_id":
        return ID
    kind = cells.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return Field(path, "String")
    if kind.kind in "biufM":
        return Field(path, "Boolean" if kind.kind == "b" else "Date" if kind.kind == "M" else "Number")
    if not pd.api.types.is_object_dtype(kind):
        return Field(path, "String")
    kinds = {type(cell) for cell in cells.tolist() if cell is not None and cell is not pd.NA}
    if kinds and kinds <= {tuple, list}:
        return Field(path, "Array", item=Field("", "Mixed"))
    return Field(path, "String" if kinds <= {str, float} else "Mixed")

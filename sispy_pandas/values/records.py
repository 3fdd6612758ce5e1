"""Rows as JSON records and as frames: the module that knows both worlds.

| field | JSON | cell | no value |
|---|---|---|---|
| String, ObjectId | text | str; enum: category | NaN |
| Number | number | Int64, or Float64 | NA |
| Boolean | true, false | boolean | NA |
| Date | `2020-01-02T03:04:05.000Z` | datetime64[ms, UTC] | NaT |
| IpAddress | an object of six keys | `10.1.2.3/24` as str | NaN |
| Array | list | tuple | () |
| Documents | list of objects | tuple of FrozenDict | () |
| Mixed | any | FrozenDict, tuple, scalar | None |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .columns import Column
from .entity import EDITABLE_META
from .extras import no_collection
from .schema import META, RECEIPT, Schema
from .times import milliseconds
from .types.base import Field
from .types.cells import STRINGS, Refused, is_missing
from .types.convert import cast, json_values, to_json
from .types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


DELETE = "_delete"
"""The column in which rows of a frame or a file are marked for deletion."""
HOW = "mark rows to be deleted with x"

_AT_ONCE = 8_000
"""Rows whose records are made together, column after column: few enough for the cache of a processor."""
_MARKS = {"": False, "0": False, "false": False, "no": False}
_MARKS |= {"1": True, "true": True, "yes": True, "x": True, "delete": True}


def frame_of(
    schema: Schema, columns: Mapping[str, Sequence[Any]], ids: Sequence[str], receipts: Sequence[Any]
) -> pd.DataFrame:
    """Build the frame of some rows out of their JSON values.

    Args:
        schema: Names the types; columns come in its order, those of `_sis` after them.
        columns: JSON values by dotted path, each as many as there are ids.
        ids: The rows' `_id`.
        receipts: The rows' `_sis._updated_at` in ms, None where not known.
    """
    built: dict[str, Any] = {}
    for field in (*schema.fields, *META):
        if field.path in columns:
            column = Column(field)
            column.add(columns[field.path])
            built[field.path] = column.series()
    column = Column(RECEIPT)
    column.add(receipts)
    built[RECEIPT.path] = column.series()
    frame = pd.DataFrame(built, copy=False)
    frame.index = pd.Index(list(ids), name="_id", dtype=STRINGS)
    return frame


@no_collection()  # records hold no cycles, but there may be many of them
def records_of(schema: Schema, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as nested JSON records, with `_id` and, as far as the frame has it, `_sis`.

    Columns that the schema does not have are left out, and so are keys without a value; arrays are `[]`.
    """
    starts = range(0, len(frame), _AT_ONCE)
    return [one for start in starts for one in _records(schema, frame.iloc[start : start + _AT_ONCE])]


def _records(schema: Schema, frame: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = [{"_id": id_} for id_ in frame.index.tolist()]
    for field in (*schema.fields, *META, RECEIPT):
        if field.path not in frame.columns:
            continue
        path = f"_sis.{RECEIPT.path}" if field is RECEIPT else field.path
        *parents, last = path.split(".")
        if last.startswith("_") and field.kind.presentation == "date":  # in `_sis` times are numbers
            values: list[Any] = receipts_of(frame[field.path])
        else:
            values = json_values(field, frame[field.path])
        nodes = records
        for part in parents:
            nodes = [
                {} if value is None else node.setdefault(part, {})
                for node, value in zip(nodes, values, strict=True)
            ]
        for node, value in zip(nodes, values, strict=True):
            if value is not None:
                node[last] = value
    return records


def edited_row(schema: Schema, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of an edited row that a push may need, as JSON or, where that fails, as text."""
    known = {name: schema.field(name) for name in (*schema.columns, *EDITABLE_META, RECEIPT.path)}
    known |= {"_id": ID, DELETE: Field(DELETE, "Mixed")}
    return {name: _json(known[name], cell) for name, cell in cells.items() if name in known}


def _json(field: Field, cell: Any) -> Any:
    if isinstance(cell, Refused):
        return cell
    try:
        return to_json(field, cell)
    except ValueError:
        return str(cell)


def receipts_of(times: pd.Series[Any]) -> list[int | None]:
    """Return times as ms since 1970; None for a blank or for what is not a time."""
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        stored = times.to_numpy(dtype="datetime64[ms]")
        return [
            None if blank else ms
            for ms, blank in zip(stored.astype(np.int64).tolist(), np.isnat(stored).tolist(), strict=True)
        ]
    found: list[int | None] = []
    for cell in times.tolist():
        try:
            text = cast(RECEIPT, cell)
        except ValueError:
            text = None
        found.append(None if text is None else milliseconds(text))
    return found


def is_marked(cell: Any) -> bool | None:
    """Return whether a cell of the column says yes; None if it says neither yes nor no.

    >>> is_marked("X"), is_marked(None), is_marked("perhaps")
    (True, False, None)
    """
    if is_missing(cell):
        return False
    if isinstance(cell, str):
        return _MARKS.get(cell.strip().lower())
    return bool(cell) if isinstance(cell, int | float | np.generic) and cell in (0, 1) else None


def table(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame of dtype object with these rows and columns."""
    rows = list(rows)
    return pd.DataFrame(
        {name: pd.Series([row[i] for row in rows], dtype=object) for i, name in enumerate(columns)},
        columns=list(columns),
    )

"""JSON records and frames: the module that knows both worlds.

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

from .cast import cast, get_path, is_blank, is_missing, plain, set_path
from .check import check
from .columns import Column
from .dates import milliseconds
from .entity import EDITABLE_META
from .kinds import STRINGS, dtype, from_json
from .marked import DELETE
from .refused import Refused
from .schema import META, RECEIPT, Field, Schema
from .types.equality import equal
from .types.frozen import FrozenDict, freeze, thaw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "FrozenDict",
    "cast",
    "check",
    "dtype",
    "equal",
    "frame_of",
    "freeze",
    "from_json",
    "get_path",
    "is_blank",
    "is_missing",
    "json_values",
    "records_of",
    "set_path",
    "thaw",
    "to_json",
]


def to_json(field: Field, cell: Any) -> Any:
    """Return the JSON value of a cell exactly as it is: nothing is cast, trimmed or checked.

    Raises:
        ValueError: The cell cannot be written as JSON; the message names its column.
    """
    if is_missing(cell):
        return [] if field.type in ("Array", "Documents") else None
    try:
        value = plain(cell)
    except ValueError as error:
        raise ValueError(f"column {field.path!r}: {error}") from None
    if isinstance(value, float) and field.type == "Number" and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    return None if value == {} else value


def json_values(field: Field, cells: pd.Series[Any]) -> list[Any]:
    """Return the JSON values of a column as a list: `to_json` for many cells at once."""
    kind = cells.dtype
    if pd.api.types.is_object_dtype(kind):
        return [to_json(field, cell) for cell in cells]
    if isinstance(kind, pd.DatetimeTZDtype | np.dtype) and kind.kind == "M":
        utc = cells if isinstance(kind, pd.DatetimeTZDtype) else cells.dt.tz_localize("UTC")
        data = utc.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ms]")
        texts = np.char.add(np.datetime_as_string(data), "Z").tolist()
        return [None if text == "NaTZ" else text for text in texts]
    values = [None if is_missing(cell) else cell for cell in cells.tolist()]
    return [to_json(field, value) for value in values] if field.type == "Number" else values


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


def records_of(schema: Schema, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as nested JSON records, with `_id` and, as far as the frame has it, `_sis`.

    Columns that the schema does not have are left out, and so are keys without a value; arrays are `[]`.
    """
    records: list[dict[str, Any]] = [{"_id": id_} for id_ in frame.index.tolist()]
    times = ("_sis._created_at", RECEIPT.path)
    for field in (*schema.fields, *META, RECEIPT):
        if field.path not in frame.columns:
            continue
        path = f"_sis.{RECEIPT.path}" if field is RECEIPT else field.path
        parents, _, last = path.rpartition(".")
        for record, value in zip(records, json_values(field, frame[field.path]), strict=True):
            if value is None:
                continue
            stored = milliseconds(value) if field.path in times and isinstance(value, str) else value
            if parents:
                set_path(record, path, stored)
            else:
                record[last] = stored
    return records


def edited_row(schema: Schema, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a row that can be pushed, or tell which it is, in the JSON form; else as text."""
    known = {name: schema.field(name) for name in (*schema.columns, *EDITABLE_META, RECEIPT.path)}
    known |= {"_id": Field("_id", "ObjectId"), DELETE: Field(DELETE, "Mixed")}
    return {name: _json(known[name], cell) for name, cell in cells.items() if name in known}


def _json(field: Field, cell: Any) -> Any:
    if isinstance(cell, Refused):
        return cell
    try:
        return to_json(field, cell)
    except ValueError:
        return str(cell)

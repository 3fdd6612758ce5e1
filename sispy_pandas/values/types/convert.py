"""Cells to JSON and back, cast and checked, whatever the type: also where there is no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .base import Field, Type
from .cells import USUAL, Refused, is_missing, of_python, plain, values_of
from .patterns import Patterns

if TYPE_CHECKING:
    from .base import Fits


def is_blank(cell: Any, field: Field | None = None) -> bool:
    """Return whether a cell holds no value: missing, an empty list or an empty dict.

    An empty list is a value in a Mixed column: name the field where that may matter.
    """
    if isinstance(cell, (tuple, list)):
        return not cell and (field is None or not field.kind.is_untyped)
    return is_missing(cell) or (isinstance(cell, dict) and not cell)


def cast(field: Field, cell: Any) -> Any:
    """Return the JSON value that the server would store for a cell; None for no value, `[]` for arrays.

    Stricter than the server where it would guess (SIS-API 4.3): it takes "no" for true, wraps a scalar for an
    array, makes an ObjectId of any twelve letters and drops what it does not know.

    >>> cast(Field("cpus", "Number"), " 8 ")
    8

    Raises:
        ValueError: The server would refuse the cell, or guess; the message is the reason alone.
    """
    if is_missing(cell):
        return [] if field.kind.is_array else None
    if isinstance(cell, Refused):
        raise ValueError(cell.reason)
    return field.kind.cast(cell if type(cell) in USUAL else of_python(cell))


def check(field: Field, value: Any, *, sent: bool = False, patterns: Patterns | None = None) -> str | None:
    """Return why the server would refuse a JSON value, already cast (SIS-API 4.2); None if it would take it.

    Uniqueness and references need the server: they are not looked at.

    Args:
        field: The field that holds the value.
        value: What `cast` returned.
        sent: The value is part of a request. The server refuses an explicit null for an enum, though the
            same field may be missing from a stored row.
        patterns: Of the plan that the value belongs to: they share the time that matching may take, and
            count the cells that were left to the server.
    """
    patterns = patterns or Patterns()
    undecided = False

    def fits(match: str, text: str) -> bool:
        nonlocal undecided
        found = patterns.fits(match, text, field.path)
        undecided |= found is None
        return found is not False

    reason = refusal(field, value, fits, sent=sent)
    patterns.left[field.path] += undecided and reason is None
    return reason


def refusal(field: Field, value: Any, fits: Fits, *, sent: bool = False) -> str | None:
    """Return why the server would refuse a value, for `check` and for members of arrays."""
    if field.unknown:
        return f"its type {field.unknown!r} is not known here" if sent else None
    if value is None or value == [] or (value == "" and field.kind.has_empty):
        if field.required:
            return "a value is required"
        if value is None:
            return "an enum cannot be cleared: the server refuses null" if sent and field.enum else None
    return field.kind.check(value, fits)


def from_json(field: Field, value: Any) -> Any:
    """Return the cell that a frame shows for a JSON value; no value is None, for arrays an empty tuple."""
    if value is None or value == {}:
        return () if field.kind.is_array else None
    return field.kind.cell_of(value)


def is_declared(field: Field, value: Any) -> bool:
    """Return whether a JSON value has the declared type, so that the column's dtype can hold it."""
    return value is None or field.kind.holds(value)


def to_json(field: Field, cell: Any) -> Any:
    """Return the JSON value of a cell exactly as it is: nothing is cast, trimmed or checked.

    Raises:
        ValueError: The cell cannot be written as JSON; the message names its column.
    """
    if is_missing(cell):
        return [] if field.kind.is_array else None
    try:
        value = plain(cell)
    except ValueError as error:
        raise ValueError(f"column {field.path!r}: {error}") from None
    return None if value == {} else field.kind.json_of(value)


def json_values(field: Field, cells: pd.Series[Any]) -> list[Any]:
    """Return the JSON values of a column as a list: `to_json` for many cells at once."""
    kind = cells.dtype
    if pd.api.types.is_object_dtype(kind):
        return [to_json(field, cell) for cell in cells]
    if isinstance(kind, (pd.DatetimeTZDtype, np.dtype)) and kind.kind == "M":
        utc = cells if isinstance(kind, pd.DatetimeTZDtype) else cells.dt.tz_localize("UTC")
        data = utc.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ms]")
        texts = np.char.add(np.datetime_as_string(data), "Z").tolist()
        return [None if text == "NaTZ" else text for text in texts]
    values = values_of(cells)
    kept = kind.kind in "iub" or type(field.kind).json_of is Type.json_of  # as they are: none is asked
    return values if kept else list(map(field.kind.json_of, values))

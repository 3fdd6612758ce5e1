"""Two columns compared: which cells differ once they are stored. No cell is read that does not have to be."""

from __future__ import annotations

import ast
import json
import operator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import message_of

from ..values.entity import sorted_as_stored
from ..values.types.cells import is_missing, listed
from ..values.types.convert import cast, json_values, to_json
from ..values.types.equality import as_edited, equal

if TYPE_CHECKING:
    from ..values.types.base import Field


TEXT = "the text of an object or a list, not the value: leave the column out, or parse its cells"


def candidates(base: pd.Series[Any], mine: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return the positions at which two columns may differ; everywhere else they are equal for sure."""
    if base.dtype == mine.dtype:
        if isinstance(base.dtype, pd.CategoricalDtype):
            if not base.cat.categories.equals(mine.cat.categories):  # the same ones in another order
                mine = mine.cat.set_categories(base.cat.categories)
            return np.flatnonzero(base.cat.codes.to_numpy() != mine.cat.codes.to_numpy())
        if base.dtype != object:
            return np.flatnonzero(_unlike(base, mine))
    elif _is_number(base) and _is_number(mine):
        a, b = (column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (base, mine))
        return np.flatnonzero((a != b) & ~(np.isnan(a) & np.isnan(b)))
    a, b = (_cells(column) for column in (base, mine))
    if a.__array_interface__ == b.__array_interface__:  # the same memory: the column was never touched
        return np.array([], dtype=np.intp)
    other = np.fromiter(map(operator.is_not, a, b), dtype=bool, count=len(a))
    return np.array([i for i in np.flatnonzero(other).tolist() if not _alike(a[i], b[i])], dtype=np.intp)


def changed(
    field: Field, base: pd.Series[Any], mine: pd.Series[Any]
) -> list[tuple[int, Any, Any, str | None]]:
    """Return (position, before, after, None) for every cell that differs once it is stored.

    Values are in the JSON form. A cell that cannot be cast, or that is the text of an object, gives
    (position, before, cell as JSON or text, reason).
    """
    at = candidates(base, mine)
    if not len(at):
        return []
    old = json_values(field, base.iloc[at])
    new = mine.iloc[at].tolist()
    found: list[tuple[int, Any, Any, str | None]] = []
    for position, before, cell in zip(at.tolist(), old, new, strict=True):
        if _says_the_same(field, before, cell):
            continue
        if field.kind.is_untyped and before is None and isinstance(cell, str) and cell.strip() == "null":
            continue  # as json.dumps writes nothing
        parsed = _parsed(cell) if field.kind.is_untyped or isinstance(before, dict | list) else None
        try:
            if parsed is not None and equal(field, before, as_edited(before, cast(field, parsed))):
                continue  # the text of what is stored
        except ValueError:
            parsed = None
        try:
            after = sorted_as_stored(field, as_edited(before, cast(field, cell)))
        except ValueError as error:
            raw = as_edited(before, shown(field, cell))
            if not equal(field, before, raw):  # what is stored may itself break the definition
                found.append((position, before, raw, message_of(error)))
            continue
        if not equal(field, before, after):
            is_text = isinstance(before, dict | list) and isinstance(parsed, dict | list | tuple)
            found.append((position, before, after, TEXT if is_text else None))
    return found


def _says_the_same(field: Field, before: Any, cell: Any) -> bool:
    """Return whether the cell says the same, without writing it as stored; False for what is not JSON."""
    try:
        return equal(field, before, cell)
    except (TypeError, ValueError, RecursionError):  # arrays and pandas' NA have no truth of their own
        return False


def _parsed(cell: Any) -> Any:
    """Return what a text is the text of: as JSON, or as Python writes it, which astype(str) and files do."""
    if not isinstance(cell, str):
        return None
    with suppress(ValueError, RecursionError):
        found = json.loads(cell)
        return None if is_missing(found) else found  # the text NaN is one
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        found = ast.literal_eval(cell)
        return found if isinstance(found, dict | list | tuple | bool) else None
    return None


def shown(field: Field, cell: Any) -> Any:
    """Return any cell as a JSON value, for showing; as text where it cannot be one."""
    try:
        return to_json(field, cell)
    except ValueError:
        with suppress(RecursionError, NotImplementedError):  # pandas: of a time beyond the year 9999
            return str(cell)
        return f"{type(cell).__name__} that cannot be shown"


def _unlike(base: pd.Series[Any], mine: pd.Series[Any]) -> Any:
    a, b = base.array, mine.array
    differ = a != b
    if isinstance(differ, np.ndarray):
        return differ & ~(a.isna() & b.isna()) if differ.any() else differ
    missing_a, missing_b = a.isna(), b.isna()
    return differ.to_numpy(dtype=bool, na_value=False) | (missing_a != missing_b)


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _cells(column: pd.Series[Any]) -> Any:
    return column.to_numpy() if column.dtype == object else column.astype(object).to_numpy()


def _alike(a: Any, b: Any) -> bool:
    """Return at a glance whether two cells hold the same; if not, only a cast can tell.

    It may be Arrow's way to hold it: lists as arrays, 1 as 1.0, nulls under the keys of other rows.
    """
    kind, other = type(a), type(b)
    if (kind is other or (kind in _NUMBERS and other in _NUMBERS)) and kind in _SCALARS and a == b:
        return True
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and a.keys() <= b.keys()
            and all(_alike(value, b[key]) for key, value in a.items())
            and (len(a) == len(b) or all(_alike(None, b[key]) for key in b.keys() - a.keys()))
        )
    if isinstance(a, tuple | list):
        if type(a) is type(b) and a == b and _TEXTS.issuperset(map(type, a)):
            return True
        b = listed(b)
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(b, dict) and b and is_missing(a):
        return all(_alike(None, value) for value in b.values())
    return is_missing(a) and is_missing(b)


_NUMBERS = frozenset((int, float))
_TEXTS = frozenset((str,))
_SCALARS = frozenset((str, int, float, bool, pd.Timestamp))

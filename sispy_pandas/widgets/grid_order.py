"""Which rows of a grid are shown, in which order, and where a text is found."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.types.convert import cast, from_json, is_blank
from ..values.types.object_id import is_object_id
from .grid_names import named, named_column, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .grid_model import GridModel, View

Mask = np.ndarray[Any, np.dtype[np.bool_]]
_ENCODE = json.JSONEncoder(ensure_ascii=False, default=str).encode  # json.dumps makes one for every call
_SIGN = re.compile(r"<=|>=|!=|=|<|>|!|")
_ORDERED = {"<": "lt", ">": "gt", "<=": "le", ">=": "ge"}


def look(model: GridModel, view: View) -> None:
    """Sort and filter the rows that are shown; edits afterwards do not move a row until the next look.

    Raises:
        ValueError: A filter cannot be understood; the view stays as it was.
    """
    model.view, model.order = view, order(model, view)


def order(model: GridModel, view: View) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Number the rows to show, in their order; new rows come last and pass every filter.

    Raises:
        ValueError: A filter compares with something that is no value of its column.
    """
    shown = np.ones(len(model.base), dtype=bool)
    for path, text in view.filters.items():
        shown &= _matches(model, path, text)
    rows = np.flatnonzero(shown)
    if view.sort is not None:
        keys = _shown(model, view.sort).iloc[rows]
        rows = rows[_argsort(keys, descending=view.descending)]
    if view.show != "all":
        wanted = {
            row
            for row, edits in model.edits.items()
            if view.show == "changed" or any(edit.reason for edit in edits.values())
        } | set(model.notes)
        rows = rows[np.isin(rows, list(wanted))]
    return np.concatenate([rows, np.array(model.new_rows(), dtype=np.int64)])


def values(model: GridModel, path: str) -> pd.Series[Any]:
    """Return one column of the frame's rows as edited; cells with refused input hold no value."""
    if path == "_id":
        return pd.Series(model.base.index, dtype="str")
    series = model.base[path].reset_index(drop=True)
    column = model.column(path).field
    edited = {
        row: None if edits[path].reason else from_json(column, edits[path].value)
        for row, edits in model.edits.items()
        if path in edits and not model.is_new(row)
    }
    return with_cells(series, edited)


def with_cells(series: pd.Series[Any], edited: Mapping[int, Any]) -> pd.Series[Any]:
    """Return the series with cells set by position; its dtype widens only where a value does not fit."""
    for dtype in (series.dtype, "Float64", object):
        try:
            array = series.array.astype(dtype, copy=True)
            for position, cell in edited.items():
                array[position] = cell
        except (TypeError, ValueError):
            continue  # the next one is wider; object takes everything
        return pd.Series(array, dtype=dtype, index=series.index, name=series.name)
    raise AssertionError("an object array takes every value")


class Finder:
    """Positions of a text in the view, kept until the view or the edits change.

    Example:
        `Finder(model, "web").next(0, 0)` is (position, column number, which of them, how many), or None.
    """

    def __init__(self, model: GridModel, text: str) -> None:
        hits = []
        needle = text.casefold()
        for number, column in enumerate(model.columns):
            path = column.field.path
            seen = _contains(_texts(_shown(model, path)), needle)
            edited = {row: str(model.text(row, path)) for row, edits in model.edits.items() if path in edits}
            names = names_of(model.labels, column.field, edited.values())
            mask = np.concatenate([seen, np.zeros(max(model.order.max(initial=0) + 1 - len(seen), 0), bool)])
            for row, text in edited.items():
                if row < len(mask):
                    mask[row] = needle in named(names, column.field, text).casefold()
            positions = np.flatnonzero(mask[model.order])
            hits.append(positions * len(model.columns) + number)
        self._width = len(model.columns)
        self._hits = np.sort(np.concatenate(hits)) if hits else np.array([], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._hits)

    def next(self, position: int, column: int, *, back: bool = False) -> tuple[int, int, int, int] | None:
        """Return the next hit after a cell, around the end; None if the text is nowhere."""
        if not len(self._hits):
            return None
        here = position * self._width + column
        after = int(np.searchsorted(self._hits, here, "right"))
        at = (int(np.searchsorted(self._hits, here, "left")) - 1 if back else after) % len(self._hits)
        hit = int(self._hits[at])
        return hit // self._width, hit % self._width, at + 1, len(self._hits)


def _shown(model: GridModel, path: str) -> pd.Series[Any]:
    """Return one column as edited, with names in place of ids."""
    return named_column(model.labels, model.column(path).field, values(model, path))


def _matches(model: GridModel, path: str, text: str) -> Mask:
    sign = _SIGN.findall(text.strip())[0]
    operand = text.strip().removeprefix(sign).strip()
    column = model.column(path).field
    series = values(model, path) if is_object_id(operand) else _shown(model, path)
    blank = _blank(series)
    if not operand and sign in ("=", "!="):
        return blank if sign == "=" else ~blank
    if not operand:
        return np.ones(len(series), dtype=bool)
    if sign in ("", "!"):
        seen = _contains(_texts(series), operand.casefold())
        return ~seen if sign else seen
    if sign in ("=", "!="):
        same = (_texts(series).str.casefold() == operand.casefold()).to_numpy(dtype=bool, na_value=False)
        if column.kind.presentation in ("number", "boolean", "date"):
            same = _compare(series, "eq", from_json(column, cast(column, operand)))
        return same if sign == "=" else ~same
    if not column.kind.is_ordered:
        raise ValueError(f"{path} has no order: filter it by a text, = or !=")
    return _compare(series, _ORDERED[sign], from_json(column, cast(column, operand)))


def _compare(series: pd.Series[Any], operator: str, value: Any) -> Mask:
    result: Mask = getattr(series, operator)(value).to_numpy(dtype=bool, na_value=False)
    return result


def _blank(series: pd.Series[Any]) -> Mask:
    if series.dtype == object:
        return np.fromiter((is_blank(cell) for cell in series), dtype=bool, count=len(series))
    return series.isna().to_numpy(dtype=bool)


def _texts(series: pd.Series[Any]) -> pd.Series[Any]:
    """Write the cells about as the grid shows them; exact enough to search in."""
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.strftime("%Y-%m-%d %H:%M:%S")
    elif series.dtype == object:
        series = pd.Series([_json_text(cell) for cell in series], index=series.index, dtype="str")
    return pd.Series(series, dtype="str")


def _json_text(cell: Any) -> str | None:
    if is_blank(cell):
        return None
    return cell if isinstance(cell, str) else _ENCODE(cell)


def _contains(texts: pd.Series[Any], needle: str) -> Mask:
    found = texts.str.casefold().str.contains(needle, regex=False)
    return found.to_numpy(dtype=bool, na_value=False)


def _argsort(keys: pd.Series[Any], *, descending: bool) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Sort stably, without regard to case, cells without a value last in both directions."""
    if keys.dtype == object:
        keys = _texts(keys)
    if pd.api.types.is_string_dtype(keys.dtype):
        keys = keys.str.casefold()
    return (
        keys.reset_index(drop=True)
        .sort_values(ascending=not descending, kind="stable", na_position="last")
        .index.to_numpy(dtype=np.int64)
    )

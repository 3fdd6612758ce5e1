"""Which rows of a grid are shown, and in which order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.types.convert import cast, from_json, is_blank
from ..values.types.object_id import is_object_id
from .grid_names import named_column
from .grid_texts import Mask, contains, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..values.types.base import Field
    from .grid_model import GridModel, View

_SIGN = re.compile(r"<=|>=|!=|=|<|>|!|")
_ORDERED = {"<": "lt", ">": "gt", "<=": "le", ">=": "ge"}


def look(model: GridModel, view: View) -> None:
    """Sort and filter the rows that are shown; edits afterwards do not move a row until the next look.

    Raises:
        ValueError: A filter cannot be understood, or no column would be left; the view stays as it was.
    """
    columns = tuple(column for column in model.all_columns if column.field.path not in view.hidden)
    if not columns:
        raise ValueError("the last column cannot be hidden")
    model.view, model.order, model.columns = view, order(model, view), columns


def order(model: GridModel, view: View) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Number the rows to show, in their order; new rows keep their places and pass every filter.

    Raises:
        ValueError: A filter compares with something that is no value of its column.
    """
    shown = np.ones(len(model.base), dtype=bool)
    for path, filter_ in view.filters.items():
        if isinstance(filter_, str):
            shown &= _matches(model, path, filter_)
        else:
            shown &= _is_one(shown_texts(model, path), filter_)
    rows = np.flatnonzero(shown)
    for path, descending in reversed(view.sorts):
        keys = _shown(model, path).iloc[rows]
        rows = rows[_argsort(model.column(path).field, keys, descending=descending)]
    if view.show != "all":
        wanted = {
            row
            for row, edits in model.edits.items()
            if view.show == "changed" or any(model.reason(row, path) for path in edits)
        } | set(model.notes)
        rows = rows[np.isin(rows, list(wanted))]
    return model.with_new_rows(rows)


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


def shown_texts(model: GridModel, path: str) -> pd.Series[Any]:
    """Return the texts of a column as edited; those with refused input have none."""
    return texts_of(model.column(path).field, _shown(model, path))


def _shown(model: GridModel, path: str) -> pd.Series[Any]:
    """Return one column as edited, with names in place of ids."""
    return named_column(model.labels, model.column(path).field, values(model, path))


def _is_one(texts: pd.Series[Any], wanted: tuple[str | None, ...]) -> Mask:
    found = texts.isin([text for text in wanted if text is not None])
    if None in wanted:
        found |= texts.isna()
    return found.to_numpy(dtype=bool)


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
        seen = contains(texts_of(column, series), operand)
        return ~seen if sign else seen
    if sign in ("=", "!="):
        same = (texts_of(column, series).str.casefold() == operand.casefold()).to_numpy(
            dtype=bool, na_value=False
        )
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


def _argsort(field: Field, keys: pd.Series[Any], *, descending: bool) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Sort stably, without regard to case, cells without a value last in both directions."""
    if keys.dtype == object:
        keys = texts_of(field, keys)
    if pd.api.types.is_string_dtype(keys.dtype):
        keys = keys.str.casefold()
    return (
        keys.reset_index(drop=True)
        .sort_values(ascending=not descending, kind="stable", na_position="last")
        .index.to_numpy(dtype=np.int64)
    )

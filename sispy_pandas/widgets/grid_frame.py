"""Between the grid's edits and DataFrames: what was edited before it was opened, and the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.blocks import count
from ..values.types.convert import from_json, is_blank, to_json
from ..values.types.equality import equal
from . import cells
from .cells import Edit
from .grid_model import NEW, GridModel
from .grid_order import with_cells

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..values.schema import Schema


def split(
    schema: Schema, base: pd.DataFrame, frame: pd.DataFrame
) -> tuple[pd.DataFrame, dict[int, dict[str, Edit]]]:
    """Take an edited frame apart: the base's rows in the frame's order, and the edits on top of them.

    Args:
        schema: What the columns are.
        base: What the server said, index `_id`.
        frame: Some of the base's rows and columns, edited; rows with a blank id are new ones.

    Raises:
        ValueError: The frame has no `_id`, an id twice, or ids that the base does not know.
    """
    frame = frame.set_index("_id") if "_id" in frame.columns else frame
    if frame.index.name != "_id":
        raise ValueError("the frame has no _id: keep snapshot.frame()'s index, or df.set_index('_id')")
    blank = frame.index.isna() | (frame.index == "")
    kept, new = frame[~blank], frame[blank]
    if not kept.index.is_unique:
        raise ValueError(f"the _id {kept.index[kept.index.duplicated()][0]} stands in more than one row")
    strange = kept.index.difference(base.index)
    if len(strange):
        are = "is" if len(strange) == 1 else "are"
        raise ValueError(
            f"{count(len(strange), 'row')} {are} not in the snapshot, the first is _id {strange[0]}"
        )
    fields = set(schema.columns)
    paths = [path for path in base.columns if path in frame.columns]
    opened = base.loc[kept.index, paths]
    edits: dict[int, dict[str, Edit]] = {}
    for path in (path for path in paths if path in fields):
        field = schema.field(path)
        for row in np.flatnonzero(_differs(opened[path], kept[path])):
            edit = cells.parse(field, kept[path].array[row])
            before = to_json(field, opened[path].array[row])
            if edit.reason is not None or not equal(field, edit.value, before):
                edits.setdefault(int(row), {})[path] = edit
        for offset, cell in enumerate(new[path].array):
            row_edits = edits.setdefault(len(opened) + offset, {NEW: Edit(True)})
            if not is_blank(cell, field):
                row_edits[path] = cells.parse(field, cell)
    return opened, edits


def joined(model: GridModel) -> pd.DataFrame:
    """Return the frame as edited: rows marked for deletion left out, new rows last with a blank id.

    A cell with refused input holds that input (its column then is an object column), so that a diff of the
    frame names it as a problem.
    """
    edited = model.changed()
    base_rows = {row: edits for row, edits in edited.items() if not model.is_new(row)}
    frame = model.base.copy()
    for path in {path for edits in base_rows.values() for path in edits}:
        column = {row: _cell(model, path, edits[path]) for row, edits in base_rows.items() if path in edits}
        frame[path] = with_cells(frame[path], column)
    frame = frame.drop(index=model.deleted_ids)
    new_rows = model.new_rows()
    if not new_rows:
        return frame
    created = pd.DataFrame(
        {path: _new_column(model, path, new_rows) for path in frame.columns},
        index=pd.Index([None] * len(new_rows), name="_id", dtype=frame.index.dtype),
    )
    return pd.concat([frame, created])


def _new_column(model: GridModel, path: str, rows: list[int]) -> pd.Series[Any]:
    blank = pd.Series([None] * len(rows), dtype=object)
    if not path.startswith("_"):
        edits = {n: model.edits[row][path] for n, row in enumerate(rows) if path in model.edits[row]}
        field = model.column(path).field
        blanks = [from_json(field, None)] * len(rows)
        given = {number: _cell(model, path, edit) for number, edit in edits.items()}
        blank = with_cells(_series(blanks, model.base[path].dtype), given)
    else:
        blank = blank.astype(model.base[path].dtype)
    blank.index = pd.Index([None] * len(rows), dtype=model.base.index.dtype)
    return blank


def _series(values: list[Any], dtype: Hashable) -> pd.Series[Any]:
    array = np.fromiter(values, dtype=object, count=len(values))  # tuples stay cells
    result: pd.Series[Any] = pd.Series(array, dtype=object).astype(dtype)  # type: ignore[call-overload]  # stubs want a literal
    return result


def _cell(model: GridModel, path: str, edit: Edit) -> Any:
    return edit.value if edit.reason else from_json(model.column(path).field, edit.value)


def _differs(before: pd.Series[Any], after: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Find the cells that may differ, fast; `records.equal` has the last word."""
    if before.dtype != object and before.dtype == after.dtype:
        same = (before == after) | (before.isna() & after.isna())
        return ~same.to_numpy(dtype=bool, na_value=False)
    pairs = zip(before.array, after.array, strict=True)
    return np.fromiter((not (a is b or _same(a, b)) for a, b in pairs), dtype=bool, count=len(before))


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)

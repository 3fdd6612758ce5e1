"""The part of a grid that is in sight, as the JSON that its JavaScript draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sispy.text import shorten

from ..values.records import DELETE
from . import cells
from .grid_model import NEW, GridModel

if TYPE_CHECKING:
    from collections.abc import Collection

    from .grid_model import Slot

REASON = 300
"""Characters of a reason that are shown: a proxy's page may have several kB."""
TO_DELETE = "the row is to be deleted"


def window(model: GridModel, start: int, stop: int) -> dict[str, Any]:
    """Read the rows at positions start to stop of the view.

    Returns:
        `start`; `cells`: one list per column of text, booleans or None; `marks`: only what is out of the
        ordinary, {offset: {"row": mark, "cells": {column number: {"is", "was", "theirs", "why"}}}}.
    """
    rows = model.order[max(start, 0) : stop].tolist()
    return {
        "start": max(start, 0),
        "cells": [[model.text(row, column.field.path) for row in rows] for column in model.columns],
        "marks": {offset: marks for offset, row in enumerate(rows) if (marks := _marks(model, row))},
    }


def patches(model: GridModel, touched: Collection[Slot]) -> list[dict[str, Any]]:
    """Read those rows of the view in which something was edited: of new rows all cells, of others the edited.

    Returns:
        One dict per row: `row`, its position; `cells`, {column number: text}; `marks`, as in a window.
    """
    paths: dict[int, set[str]] = {}
    for row, path in touched:
        paths.setdefault(row, set()).add(path)
    positions = np.flatnonzero(np.isin(model.order, list(paths)))
    return [
        {
            "row": int(position),
            "cells": {
                number: model.text(row, column.field.path)
                for number, column in enumerate(model.columns)
                if NEW in paths[row] or column.field.path in paths[row]
            },
            "marks": _marks(model, row),
        }
        for position, row in zip(positions, model.order[positions].tolist(), strict=True)
    ]


def _marks(model: GridModel, row: int) -> dict[str, Any]:
    edits, notes = model.edits.get(row, {}), model.notes.get(row, {})
    marks: dict[str, Any] = {}
    if NEW in edits:
        marks["row"] = "new"
    elif DELETE in edits and (theirs := model.conflicts(row)):
        marks["row"], marks["why"] = "conflict", shorten(f"somebody else changed {', '.join(theirs)}", REASON)
    elif DELETE in edits:
        marks["row"] = "deleted"
    elif row in model.fixed:
        marks["row"], marks["why"] = "fixed", shorten(model.fixed[row], REASON)
    elif row in model.kept:
        marks["row"], marks["why"] = "locked", shorten(model.kept[row], REASON)
    if "" in notes:
        marks["row"], marks["why"] = notes[""].kind, shorten(notes[""].reason, REASON)
    by_column = {
        number: mark
        for number, column in enumerate(model.columns)
        if (edits or notes) and (mark := _cell_mark(model, row, column.field.path))
    }
    if by_column:
        marks["cells"] = by_column
    return marks


def _cell_mark(model: GridModel, row: int, path: str) -> dict[str, Any]:
    edit = model.edits.get(row, {}).get(path)
    note = model.notes.get(row, {}).get(path)
    if note is not None and note.kind == "conflict" and path not in model.conflicts(row):
        note = None
    if edit is None and note is None:
        return {}
    field = model.column(path).field
    mark: dict[str, Any] = {"is": "changed", "was": cells.show(field, model.before(row, path))}
    if (reason := model.reason(row, path)) is not None:
        mark |= {"is": "invalid", "why": shorten(reason, REASON)}
    if note is not None:
        mark |= {"is": note.kind, "why": shorten(note.reason, REASON)}
        if note.kind == "conflict":
            mark |= {"was": cells.show(field, note.base), "theirs": cells.show(field, note.theirs)}
            if note.mine is not None:
                mark["mine"] = note.mine
            elif DELETE in model.edits[row]:
                mark["mine"] = TO_DELETE
    return mark

"""Blocks of cells: pasted, filled down, and written for a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .grid_texts import named_texts, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field
    from .grid_model import GridModel

_QUOTED = '\t\n\r"'


def block_edits(
    model: GridModel, block: Sequence[Sequence[Any]], *, top: int, left: int, rows: int = 1, columns: int = 1
) -> list[tuple[int, str, Any]]:
    """Lay a pasted block on the grid, as `GridModel.edit` takes it.

    The block is repeated when the selection (`rows` x `columns`) is a multiple of it, as spreadsheets do.
    What would stand right of the last column is left out.
    """
    height, width = len(block), max(map(len, block), default=0)
    if not width:
        return []
    down = rows if rows % height == 0 else height
    across = columns if columns % width == 0 else width
    paths = [column.field.path for column in model.columns]
    return [
        (top + i, paths[left + j], block[i % height][j % width])
        for i in range(max(down, height))
        for j in range(max(across, width))
        if left + j < len(paths) and j % width < len(block[i % height])
    ]


def fill_edits(
    model: GridModel, *, top: int, left: int, rows: int, columns: int
) -> list[tuple[int, str, Any]]:
    """Copy the first row of a selection into its other rows, as `GridModel.edit` takes it."""
    paths = [column.field.path for column in model.columns[left : left + columns]]
    source = {path: model.value(int(model.order[top]), path) for path in paths}
    return [(top + i, path, source[path]) for i in range(1, rows) for path in paths]


def tsv(model: GridModel, *, top: int, left: int, rows: int, columns: int) -> str:
    """Write cells as spreadsheets exchange them: quoted where a cell holds a tab, line end or quote."""
    numbers = model.order[top : top + rows]
    fields = [column.field for column in model.columns[left : left + columns]]
    return "\n".join(
        map("\t".join, zip(*(_tsv_column(model, field, numbers) for field in fields), strict=True))
    )


def _tsv_column(model: GridModel, field: Field, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
    old = numbers < len(model.base)
    found = np.full(len(numbers), "", dtype=object)
    texts = texts_of(field, model.cells(field.path).take(numbers[old]))
    found[old] = named_texts(model.labels, field, texts).fillna("")
    edited = model.edited_texts(field.path)
    for at in np.flatnonzero(np.isin(numbers, list(edited))) if edited else ():
        found[at] = edited[int(numbers[at])]
    written: list[str] = found.tolist()
    if field.kind.presentation == "boolean":
        return [text.upper() if text in ("true", "false") else text for text in written]
    if not any(sign in "".join(written) for sign in _QUOTED):
        return written
    return [_quoted(text) if any(sign in text for sign in _QUOTED) else text for text in written]


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'

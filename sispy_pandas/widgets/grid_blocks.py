"""Blocks of cells: pasted, filled down, and written for a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .grid_names import named, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field
    from .grid_model import GridModel


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
    numbers = model.order[top : top + rows].tolist()
    texts = [_shown(model, column.field, numbers) for column in model.columns[left : left + columns]]
    return "\n".join("\t".join(map(_tsv_cell, line)) for line in zip(*texts, strict=True))


def _shown(model: GridModel, field: Field, rows: Sequence[int]) -> list[str | bool | None]:
    texts = [model.text(row, field.path) for row in rows]
    names = names_of(model.labels, field, texts)
    return [named(names, field, text) if isinstance(text, str) else text for text in texts]


def _tsv_cell(text: str | bool | None) -> str:
    if isinstance(text, bool):
        return str(text).upper()
    if text is None:
        return ""
    if any(sign in text for sign in '\t\n\r"'):
        return '"' + text.replace('"', '""') + '"'
    return text

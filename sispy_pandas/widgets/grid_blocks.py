"""Blocks of cells: pasted, and written for a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .grid_texts import named_texts, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field
    from .grid_fill import Area
    from .grid_model import GridModel

_QUOTED = '\t\n\r"'


def block_edits(model: GridModel, block: Sequence[Sequence[Any]], area: Area) -> list[tuple[int, str, Any]]:
    """Lay a pasted block on the grid, as `GridModel.edit` takes it.

    The block is repeated when the area is a multiple of it, as spreadsheets do. What would stand right of the
    last column is left out.
    """
    height, width = len(block), max(map(len, block), default=0)
    if not width:
        return []
    down = area.rows if area.rows % height == 0 else height
    across = area.columns if area.columns % width == 0 else width
    paths = [column.field.path for column in model.columns]
    return [
        (area.top + i, paths[area.left + j], block[i % height][j % width])
        for i in range(max(down, height))
        for j in range(max(across, width))
        if area.left + j < len(paths) and j % width < len(block[i % height])
    ]


def tsv(
    model: GridModel,
    positions: np.ndarray[Any, np.dtype[np.int64]],
    columns: Sequence[int],
    *,
    headers: bool = False,
) -> str:
    """Write cells as spreadsheets exchange them: quoted where a cell holds a tab, line end or quote."""
    numbers = model.order[positions]
    fields = [model.columns[column].field for column in columns]
    texts = [_tsv_column(model, field, numbers) for field in fields]
    names = ["\t".join(_quoted(field.path) for field in fields)] if headers else []
    return "\n".join([*names, *map("\t".join, zip(*texts, strict=True))])


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
    return list(map(_quoted, written))


def _quoted(text: str) -> str:
    if not any(sign in text for sign in _QUOTED):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'

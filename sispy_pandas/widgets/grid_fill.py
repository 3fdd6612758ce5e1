"""Areas of cells that are filled from others: repeated, or counted on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..values.times import iso, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..values.types.base import Field
    from .grid_model import GridModel

_COUNTED = re.compile(r"(.*?)(\d{1,15})((?:/\d+)?\D*)", re.DOTALL | re.ASCII)
"""A text by its last number, which is not the length of a network's prefix."""
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells by positions in the view."""

    top: int
    left: int
    rows: int
    columns: int

    def holds(self, row: int, column: int) -> bool:
        """Return whether a cell is in it."""
        return 0 <= row - self.top < self.rows and 0 <= column - self.left < self.columns

    def cells(self) -> Iterator[tuple[int, int]]:
        """Go through its cells, row by row."""
        for row in range(self.top, self.top + self.rows):
            for column in range(self.left, self.left + self.columns):
                yield row, column


def cells_of(model: GridModel, areas: Iterable[Area]) -> list[tuple[int, str]]:
    """Return the cells of areas, each once: position and column path."""
    found = dict.fromkeys(cell for area in areas for cell in area.cells())
    return [(row, model.columns[column].field.path) for row, column in found]


def positions_in(model: GridModel, areas: Iterable[Area] | None) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Return for each column the positions in the view that areas hold, each once; None: all."""
    if areas is None:
        return [np.arange(len(model))] * len(model.columns)
    inside = np.zeros((len(model.columns), len(model)), dtype=bool)
    for area in areas:
        inside[area.left : area.left + area.columns, area.top : area.top + area.rows] = True
    return [np.flatnonzero(column) for column in inside]


def fill_edits(
    model: GridModel, source: Area, target: Area, *, count: bool = False
) -> list[tuple[int, str, Any]]:
    """Fill an area from a part of it, as `GridModel.edit` takes it.

    Args:
        model: Whose cells they are.
        source: What is repeated, in every direction.
        target: What is filled, apart from the source.
        count: Go on counting instead, downwards or, if the target is no higher than the source, to the
            right: numbers, days, and texts by their last number. The step is that of the source, or 1.
    """
    fields = [column.field for column in model.columns]
    held = {
        (row, column): model.value(int(model.order[row]), fields[column].path)
        for row, column in source.cells()
    }
    is_down = target.rows > source.rows
    edits = []
    for row, column in target.cells():
        if source.holds(row, column):
            continue
        down, across = (row - source.top) % source.rows, (column - source.left) % source.columns
        value = held[source.top + down, source.left + across]
        if count:
            line = (
                [held[at, source.left + across] for at in range(source.top, source.top + source.rows)]
                if is_down
                else [held[source.top + down, at] for at in range(source.left, source.left + source.columns)]
            )
            steps = row - source.top if is_down else column - source.left
            counted = _counted(fields[source.left + across], line, steps)
            value = value if counted is None else counted
        edits.append((row, fields[column].path, value))
    return edits


def _counted(field: Field, line: Sequence[Any], steps: int) -> Any:
    """Return the value so many steps after the first of a line; None if it does not count."""
    kind = field.kind.presentation
    if kind == "number" and all(isinstance(value, int | float) for value in line):
        return _going_on(line, steps, 1)
    if kind == "date" and all(isinstance(value, str) for value in line):
        moments = [milliseconds(value) for value in line]
        moment = None if None in moments else _going_on(moments, steps, _DAY)
        return None if moment is None else iso(moment)
    if kind != "text":
        return None
    parts = [_COUNTED.fullmatch(value) if isinstance(value, str) else None for value in line]
    found = [(part[1], part[2], part[3]) for part in parts if part is not None]
    if len(found) < len(line) or len({(before, after) for before, _, after in found}) > 1:
        return None
    number = _going_on([int(digits) for _, digits, _ in found], steps, 1)
    if number is None or number < 0:
        return None
    before, digits, after = found[0]
    return f"{before}{number:0{len(digits) if digits.startswith('0') else 1}}{after}"


def _going_on(line: Sequence[Any], steps: int, step: int) -> Any:
    """Return a member of an arithmetic series; None if the line is no such series."""
    if len(line) > 1:
        step = line[1] - line[0]
    if any(line[at] + step != line[at + 1] for at in range(len(line) - 1)):
        return None
    return line[0] + step * steps

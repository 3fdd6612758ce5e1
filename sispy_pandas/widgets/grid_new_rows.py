"""Where the new rows of a grid stand among those of its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    Rows = np.ndarray[Any, np.dtype[np.int64]]

_END = -1
"""What stands below all rows stands above this one."""


class NewRows:
    """Each new row stands above a row of the frame and goes where that goes, or below the last one.

    A row that was taken back keeps its place, so that it comes again where it was.

    Args:
        size: How many rows the frame has.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._above: dict[int, list[int]] = {}  # row of the frame -> new rows, in order
        self._stand: dict[int, int] = {}  # new row -> row of the frame

    def put(self, rows: Sequence[int], order: Rows, at: int) -> None:
        """Let new rows stand above what is at a position of an order; at its end, below everything."""
        below = int(order[at]) if at < len(order) else _END
        stand = self._stand.get(below, below)
        there = self._above.setdefault(stand, [])
        place = there.index(below) if below in self._stand else len(there)
        there[place:place] = rows
        self._stand.update(dict.fromkeys(rows, stand))

    def among(self, rows: Rows, there: Collection[int]) -> Rows:
        """Return rows of the frame in their order with those new ones that are there.

        What stands above a row that is left out comes after the others, before what is below everything.
        """
        stands = sorted(self._above, key=lambda row: row == _END)
        found = [(row, stand) for stand in stands for row in self._above[stand] if row in there]
        if not found:
            return rows
        position = np.full(self._size + 1, len(rows))  # the last is that of the end
        position[rows] = np.arange(len(rows))
        new, below = np.array(found, dtype=np.int64).T
        return np.insert(rows, position[below], new)

"""The column `_delete`, in which rows of a frame or a file are marked for deletion."""

from __future__ import annotations

from typing import Any

import numpy as np

from .types.cells import is_missing

DELETE = "_delete"
HOW = "mark rows to be deleted with x"

_MARKS = {"": False, "0": False, "false": False, "no": False}
_MARKS |= {"1": True, "true": True, "yes": True, "x": True, "delete": True}


def is_marked(cell: Any) -> bool | None:
    """Tell whether a cell of the column says yes; None if it says neither yes nor no.

    >>> is_marked("X"), is_marked(None), is_marked("perhaps")
    (True, False, None)
    """
    if is_missing(cell):
        return False
    if isinstance(cell, str):
        return _MARKS.get(cell.strip().lower())
    return bool(cell) if isinstance(cell, int | float | np.generic) and cell in (0, 1) else None

"""Edits of array columns: under a mask, without touching the arrays themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .types.cells import is_missing


def added(arrays: pd.Series[Any], value: Any) -> pd.Series[Any]:
    """Return arrays that hold a value; those that lack it get it at their end.

    Assigning a tuple under a mask spreads its members over the rows; this gives every row its own array:

    >>> frame = pd.DataFrame({"tags": [("a",), (), ("b",)]})
    >>> web = [True, True, False]
    >>> frame.loc[web, "tags"] = added(frame.loc[web, "tags"], "b")
    >>> frame["tags"].tolist()
    [('a', 'b'), ('b',), ('b',)]

    Raises:
        ValueError: A cell holds something else than an array.
    """
    return _mapped(arrays, lambda members: members if value in members else (*members, value))


def removed(arrays: pd.Series[Any], value: Any) -> pd.Series[Any]:
    """Return arrays without a value, wherever it stands in them.

    >>> removed(pd.Series([("a", "b"), ()]), "b").tolist()
    [('a',), ()]

    Raises:
        ValueError: A cell holds something else than an array.
    """
    return _mapped(arrays, lambda members: tuple(member for member in members if member != value))


def _mapped(arrays: pd.Series[Any], edit: Any) -> pd.Series[Any]:
    cells = [edit(_members(cell)) for cell in arrays.tolist()]
    data = np.fromiter(cells, dtype=object, count=len(cells))
    return pd.Series(data, index=arrays.index, name=arrays.name, dtype=object)


def _members(cell: Any) -> tuple[Any, ...]:
    if isinstance(cell, list | tuple | np.ndarray):
        return tuple(cell)
    if is_missing(cell):
        return ()
    raise ValueError(f"{cell!r} is no array: is this an array column?")

"""Small frames of objects, for showing: a cell is the value itself, never coerced by its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame of dtype object with these rows and columns."""
    rows = list(rows)
    return pd.DataFrame(
        {name: pd.Series([row[i] for row in rows], dtype=object) for i, name in enumerate(columns)},
        columns=list(columns),
    )

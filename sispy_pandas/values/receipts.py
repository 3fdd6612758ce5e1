"""Receipts of rows: when each was written last, whatever its column became on its way through a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .dates import milliseconds
from .schema import RECEIPT
from .types.base import cast


def milliseconds_of(times: pd.Series[Any]) -> list[int | None]:
    """Return times as ms since 1970; None for a blank or for what is no time."""
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        stored = times.to_numpy(dtype="datetime64[ms]")
        return [
            None if blank else ms
            for ms, blank in zip(stored.astype(np.int64).tolist(), np.isnat(stored).tolist(), strict=True)
        ]
    found: list[int | None] = []
    for cell in times.tolist():
        try:
            text = cast(RECEIPT, cell)
        except ValueError:
            text = None
        found.append(None if text is None else milliseconds(text))
    return found

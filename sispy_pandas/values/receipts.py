"""Receipts of rows: when each was written last, whatever its column became on its way through a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..schema import RECEIPT
from .cast import cast
from .dates import milliseconds

if TYPE_CHECKING:
    import pandas as pd


def milliseconds_of(times: pd.Series[Any]) -> list[int | None]:
    """Return times as ms since 1970; None for a blank or for what is no time."""
    found: list[int | None] = []
    for cell in times.tolist():
        try:
            text = cast(RECEIPT, cell)
        except ValueError:
            text = None
        found.append(None if text is None else milliseconds(text))
    return found

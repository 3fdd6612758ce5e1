"""Boolean: true or false."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Argument

from .base import Type
from .cell_text import masked, means_nothing, structure_or_refuse, write_cell
from .cells import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sispy.remedies import Remedy

    from .base import Style

_SPELT = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_WRITTEN = {"": None, "true": True, "false": False}
_CODES = {True: 1, False: 0, None: -1}


class Boolean(Type, name="Boolean"):
    """True or false, in files also as yes and no, 1 and 0."""

    is_scalar = True
    presentation = "boolean"
    json_types = (bool,)
    arrow = "bool_"
    sheet_types = frozenset(json_types)

    @staticmethod
    def is_spelt(text: str) -> bool:
        return text.lower() in ("true", "false")

    def cast(self, cell: Any) -> bool:
        if isinstance(cell, bool | np.bool_):
            return bool(cell)
        if isinstance(cell, int | float | np.number) and cell in (0, 1):
            return bool(cell)
        found = _SPELT.get(cell.strip().lower()) if isinstance(cell, str) else None
        if found is None:
            raise ValueError(f"{shown(cell)} is neither true nor false")
        return found

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return np.fromiter(map(_CODES.__getitem__, values), np.int8, len(values))

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        data = np.concatenate([np.empty(0, np.int8), *pages])
        return pd.arrays.BooleanArray(data == 1, data == -1)

    def text(self, value: Any, style: Style) -> str:
        return "true" if value else "false"

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        if not isinstance(cells.dtype, pd.BooleanDtype):
            return None
        return masked(
            ("true" if b else "false" for b in cells.to_numpy(bool, na_value=False).tolist()), cells
        )

    def read(self, text: str, style: Style) -> Any:
        word = text.strip().lower()
        found = True if word in style.true else False if word in style.false else _SPELT.get(word)
        return structure_or_refuse(text, "neither true nor false") if found is None else found

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        word = text.strip()
        both = (Argument(name, f"says that it is {name}", [word]) for name in ("true", "false"))
        return (*both, *means_nothing(text))

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        if style.true or style.false:
            return None
        try:
            return list(map(_WRITTEN.__getitem__, texts))
        except KeyError:
            return None

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        return [
            bool(cell) if isinstance(cell, bool | np.bool_) else write_cell(self.field, cell) or None
            for cell in cells.tolist()
        ]

    def from_boolean(self, cell: bool) -> Any:
        return cell

    def from_number(self, cell: float) -> Any:
        return bool(cell) if cell in (0, 1) else super().from_number(cell)

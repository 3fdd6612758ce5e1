"""Cells of a workbook: typed where a workbook has the type, else the same text as in a CSV file."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from sispy.remedies import message_of

from ..values.schema import RECEIPT
from ..values.times import duration_text
from ..values.types.cell_text import read_column, write_column
from ..values.types.cells import WHOLE, Refused
from ..values.types.convert import cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ..values.types.base import Field, Style

LONGEST_TEXT = 32_767
"""Characters in a cell of a workbook; programs cut what is longer."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_TOO_LONG = "too long for a workbook, import leaves it alone]"
_SHOWN = 200

TRUTHS = {"=TRUE()": True, "=FALSE()": False}
"""How LibreOffice writes booleans."""


class LongText(str):
    """What stands in a workbook for a text that does not fit into a cell: its beginning, and why no more.

    Attributes:
        whole: The text.
    """

    LIMIT = LONGEST_TEXT

    __slots__ = ("whole",)
    whole: str

    def __new__(cls, whole: str) -> LongText:
        """Take the text that is too long."""
        cell = super().__new__(cls, f"{whole[:_SHOWN]}… [{len(whole)} characters: {_TOO_LONG}")
        cell.whole = whole
        return cell


class Padded(int):
    """A whole number that is shown with zeros in front: its text is what people see.

    Attributes:
        width: Digits that are shown at least.
    """

    width: int

    def __new__(cls, number: float, width: int) -> Padded:
        """Take the number of a cell, and how many zeros its format has."""
        cell = super().__new__(cls, number)
        cell.width = width
        return cell

    def __str__(self) -> str:
        return f"{'-' * (self < 0)}{abs(self):0{self.width}}"


def excel_column(field: Field, cells: pd.Series[Any], style: Style) -> list[Any]:
    """Return what a workbook's cells hold: str, int, float (times too), bool, or None for a blank cell."""
    found = None if field == RECEIPT else field.kind.sheet_cells(cells, style)  # a receipt stays exact
    if found is None:
        found = [text or None for text in write_column(field, cells)]
    return [LongText(c) if type(c) is str and len(c) > LONGEST_TEXT else c for c in found]


def read_excel_column(field: Field, cells: Sequence[Any], style: Style) -> list[Any]:
    """Return the JSON values of a column of a workbook; other cells are `Refused`, with the reason."""
    kinds = set(map(type, cells)) - {type(None)}
    if kinds <= field.kind.sheet_types:
        return list(cells)
    truths = TRUTHS if field.kind.presentation == "boolean" else {}
    if kinds == {str} and not any("_x" in cell or cell in truths for cell in cells if cell):
        return read_column(field, [cell or "" for cell in cells], style)
    found: list[Any] = [None] * len(cells)
    texts: list[tuple[int, str]] = []
    for i, cell in enumerate(cells):
        if isinstance(cell, Refused):
            found[i] = cell
        elif cell is None or cell == "":
            continue
        elif cell in truths:
            found[i] = truths[cell]
        elif isinstance(cell, str):
            texts.append((i, cell.whole if isinstance(cell, LongText) else unescaped(cell)))
        else:
            found[i] = _typed(field, cell, style)
    values = read_column(field, [text for _, text in texts], style)
    for (i, _), value in zip(texts, values, strict=True):
        found[i] = value
    return found


def unescaped(text: str) -> str:
    """Return text with the control characters that a workbook writes as `_x000D_`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def escaped(text: str) -> str:
    """Return text as a workbook's file holds it; XlsxWriter does this by itself, openpyxl does not."""
    text = _LIKE_ESCAPED.sub("_x005F_", text)
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _typed(field: Field, cell: Any, style: Style) -> Any:
    try:
        if isinstance(cell, bool):
            return field.kind.from_boolean(cell)
        if isinstance(cell, int | float):
            is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) <= WHOLE
            value = field.kind.from_number(int(cell) if is_whole else cell, style)
            return int(value) if isinstance(value, Padded) else value
        if isinstance(cell, datetime.datetime):
            return field.kind.from_time(cell, style)
        if isinstance(cell, datetime.time):
            return cast(field, cell)
        if isinstance(cell, datetime.timedelta):
            seconds = round(cell.total_seconds())  # of a fraction of a day
            return cast(field, duration_text(datetime.timedelta(seconds=seconds)))
    except ValueError as error:
        return Refused(str(cell), message_of(error))
    return Refused(str(cell), f"a {type(cell).__name__} cannot be a value here: write it as text")

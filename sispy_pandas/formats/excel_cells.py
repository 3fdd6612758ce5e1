"""Cells of a workbook: typed where a workbook has the type, else the same text as in a CSV file."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.schema import RECEIPT
from ..values.times import iso, milliseconds
from ..values.types.cell_text import read_column, write_cell, write_column
from ..values.types.cells import Refused
from ..values.types.date import localised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field, Style

LONGEST_TEXT = 32_767
"""Characters in a cell of a workbook; programs cut what is longer."""
_DAY = 86_400_000
_EPOCH = 25_569
"""Days from the workbooks' day 0 to 1970-01-01."""
_FIRST_SAFE = -2_203_891_200_000
"""1900-03-01: before it, the programs disagree about the days."""
_LAST_SAFE = 253_402_300_799_999
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_TOO_LONG = "too long for a workbook, import leaves it alone]"
_SHOWN = 200


_AS_THEY_ARE: dict[str, set[type]] = {"Number": {int, float}, "Boolean": {bool}}
"""Types of a workbook's cells that are JSON values already."""
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


def excel_column(field: Field, cells: pd.Series[Any], style: Style) -> list[Any]:
    """Return what a workbook's cells hold: str, int, float (times too), bool, or None for a blank cell."""
    if field.type == "Number":
        return [_number(field, cell) for cell in cells.tolist()]
    if field.type == "Boolean":
        return [
            bool(c) if isinstance(c, bool | np.bool_) else write_cell(field, c) or None
            for c in cells.tolist()
        ]
    if field.type == "Date" and field != RECEIPT:
        return [_time(text, style) for text in write_column(field, cells)]
    texts = write_column(field, cells)
    return [None if not t else t if len(t) <= LONGEST_TEXT else LongText(t) for t in texts]


def _number(field: Field, cell: Any) -> Any:
    """A number, or its text where the workbook's 16 digits would not hold it."""
    if type(cell) is int and -(10**15) < cell < 10**15:
        return cell
    if type(cell) is float and cell == float(f"{cell:.15g}"):
        return cell
    return write_cell(field, cell) or None


def _time(text: str, style: Style) -> Any:
    """The days since day 0 by the clocks of the zone, or text where a workbook or the clocks would not do."""
    ms = milliseconds(text) if text else None
    if ms is None:
        return text or None
    shown = ms
    if style.zone is not datetime.UTC:
        local = pd.Timestamp(ms, unit="ms", tz="UTC").tz_convert(style.zone)
        shown = int(local.tz_localize(None).to_datetime64().astype("datetime64[ms]").astype(np.int64))
        try:
            localised(shown, style.zone)
        except ValueError:
            return local.isoformat(timespec="milliseconds")
    return shown / _DAY + _EPOCH if _FIRST_SAFE <= shown <= _LAST_SAFE else text


def read_excel_column(field: Field, cells: Sequence[Any], style: Style) -> list[Any]:
    """Return the JSON values of a column of a workbook; what is none is `Refused`, with the reason."""
    kinds = set(map(type, cells)) - {type(None)}
    if kinds <= _AS_THEY_ARE.get(field.type, set()):
        return list(cells)
    if kinds == {str} and field.type != "Boolean" and not any("_x" in cell for cell in cells if cell):
        return read_column(field, [cell or "" for cell in cells], style)
    found: list[Any] = [None] * len(cells)
    texts: list[tuple[int, str]] = []
    for i, cell in enumerate(cells):
        if isinstance(cell, Refused):
            found[i] = cell
        elif cell is None or cell == "":
            continue
        elif field.type == "Boolean" and cell in TRUTHS:
            found[i] = TRUTHS[cell]
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
            return _from_boolean(field, cell)
        if isinstance(cell, int | float):
            return _from_number(field, cell)
        if isinstance(cell, datetime.datetime):
            return _from_time(field, cell, style)
    except ValueError as error:
        return Refused(str(cell), str(error))
    return Refused(str(cell), f"a {type(cell).__name__} of the workbook is no value here: write it as text")


def _from_boolean(field: Field, cell: bool) -> Any:
    if field.type in ("Boolean", "Mixed"):
        return cell
    if field.type == "String":
        return str(cell).upper()
    raise ValueError(f"{str(cell).upper()} is a boolean")


def _from_number(field: Field, cell: float) -> Any:
    whole = int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) <= 2**53 else cell
    if field.type in ("Number", "Mixed"):
        return whole
    if field.type == "Boolean" and whole in (0, 1):
        return bool(whole)
    if field.type == "String" and abs(whole) < 10**15:
        return str(whole)
    if field.type == "Date":
        raise ValueError(f"{whole} is a number: format the cell as a date, or write 2020-01-31")
    raise ValueError(f"{whole} is a number: write it as text")


def _from_time(field: Field, cell: datetime.datetime, style: Style) -> Any:
    if field.type != "Date":
        raise ValueError(
            f"{cell.isoformat(' ')} is a date, as the program made it of a text: write it as text"
        )
    ms = round((cell - datetime.datetime(1970, 1, 1)) / datetime.timedelta(milliseconds=1))  # noqa: DTZ001 - the cell has no zone
    return iso(localised(ms, style.zone))

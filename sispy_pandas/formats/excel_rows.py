"""Rows of a sheet in the XML that a workbook consists of: XlsxWriter takes five times as long, cell by cell.

This module needs the extra `excel`. It relies on what XlsxWriter keeps for itself: tried with 3.2.0 to 3.3.1.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from .excel_cells import LongText, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_AS_IT_IS = re.compile(r"(?!\s)[^&<>_\x00-\x08\x0b-\x1f\ufffe\uffff]*(?<!\s)")
"""Texts that XML holds as they are."""


class RowSheet(Worksheet):  # type: ignore[misc] # XlsxWriter ships no types
    """A sheet of a workbook in constant memory that takes whole rows, too."""

    def write_rows(
        self, first: int, lines: Iterable[Sequence[Any]], formats: Sequence[Any] = (), dimmed: Any = None
    ) -> None:
        """Write rows below all that is written.

        Args:
            first: Number of the first one, from 0.
            lines: Cells of each: str, int, float, bool, or None for a blank one.
            formats: Of the columns.
            dimmed: Of cells that hold the beginning of a text.
        """
        names = [(xl_col_to_name(at), f' s="{shape._get_xf_index()}"') for at, shape in enumerate(formats)]
        grey = f' s="{dimmed._get_xf_index()}"' if dimmed is not None else ""
        number = first
        self._write_single_row(first)  # what was written cell by cell
        for number, line in enumerate(lines, start=first + 1):
            names += [(xl_col_to_name(at), "") for at in range(len(names), len(line))]
            cells = [
                f'<c r="{name}{number}"{grey if type(cell) is LongText else style}{_content(cell)}</c>'
                for (name, style), cell in zip(names, line, strict=False)
                if cell is not None
            ]
            self.fh.write(f'<row r="{number}">{"".join(cells)}</row>')
        for row, column in ((first, 0), (number - 1, len(names) - 1)) if number > first else ():
            self._check_dimensions(row, column)
        self.previous_row = number


class RowBook(Workbook):  # type: ignore[misc]
    """A workbook of such sheets."""

    worksheet_class = RowSheet


def _content(cell: Any) -> str:
    """Return the type of a cell and what is in it."""
    if cell is True or cell is False:
        return f' t="b"><v>{cell:d}</v>'
    if not isinstance(cell, str):
        if math.isfinite(cell):
            return f"><v>{cell:.16G}</v>"
        cell = str(cell)
    if _AS_IT_IS.fullmatch(cell):
        return f' t="inlineStr"><is><t>{cell}</t></is>'
    text = escaped(cell).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is>'

"""A workbook that is written to: the cells of a table's sheet by row and field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sispy.text import printable

from ..values.extras import optional
from ..values.types.cell_text import read_heading
from .excel_cells import unescaped
from .excel_find import find

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from ..values.schema import Schema
    from .bounds import InFile
    from .excel_find import Found

_ZONE = re.compile(r" \([A-Za-z0-9_+:/-]+\)$")
_AUTHOR = "sispy"


class EditableSheet:
    """The sheet of a table in an openpyxl workbook.

    Args:
        book: The workbook, loaded whole.
        file: Of it, for messages.
        schema: Of the table; None: not known.
        sheet: Its name, where it is known.
        rename: Name in the file -> name in the schema.
    """

    def __init__(
        self, book: Any, file: InFile, schema: Schema | None, *, sheet: str | None, rename: Mapping[str, str]
    ) -> None:
        self.found: Found = find(book, file, schema, sheet)
        self.sheet: Any = self.found.sheet
        self.key: str | None = schema.key if schema else None
        self.header: int = next(
            (n for n in range(1, self.sheet.max_row + 1) if any(c.value for c in self.sheet[n])), 0
        )
        if not self.header:
            raise ValueError(f"sheet {self.sheet.title!r} of {printable(file)} has no header")
        self.columns: dict[str, int] = {}
        for cell in self.sheet[self.header]:
            if cell.value is not None:
                title = read_heading(unescaped(str(cell.value)))
                self.columns[rename.get(title, _ZONE.sub("", title))] = cell.column
        self._rows: dict[str, int] = {}
        if "_id" in self.columns:
            for number in range(self.header + 1, self.sheet.max_row + 1):
                id_ = str(self.sheet.cell(number, self.columns["_id"]).value or "").lstrip("'")
                self._rows.setdefault(id_, number)
        styles = optional("openpyxl.styles", "excel")
        self._fill, self._comment = styles.PatternFill, optional("openpyxl.comments", "excel").Comment

    def row(self, row: Hashable) -> int | None:
        """Return the number of a row, given by its `_id` or by that number."""
        if isinstance(row, int):
            return row if self.header < row <= self.sheet.max_row else None
        return self._rows.get(str(row))

    def mark(self, row: Hashable, column: str | None, reason: str, colour: str) -> bool:
        """Colour a cell and say why; without a column that is there, the row's first visible cell."""
        number = self.row(row)
        if number is None:
            return False
        at = self.columns.get(column or "")
        if at is None or self._is_hidden(at):
            at = self.columns.get(self.key or "") or min(
                (c for c in self.columns.values() if not self._is_hidden(c)), default=1
            )
            reason = f"{column}: {reason}" if column else reason
        cell = self.sheet.cell(number, at)
        cell.fill = self._fill("solid", fgColor=colour)
        reason = printable(reason, lines=True)
        text = f"{cell.comment.text}\n{reason}" if cell.comment else reason
        cell.comment = self._comment(text, _AUTHOR, width=320, height=max(60, 18 * (1 + len(text) // 40)))
        return True

    def _is_hidden(self, column: int) -> bool:
        letter = self.sheet.cell(self.header, column).column_letter
        return letter in self.sheet.column_dimensions and bool(self.sheet.column_dimensions[letter].hidden)

"""Cells of a workbook that are not what they seem: formulas, errors, merged cells, zeros in front."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..values.types.cells import Refused
from .excel_cells import TRUTHS, Padded
from .excel_file import rows_of
from .excel_plain import PlainSheet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .excel_file import BookFile
    from .table import Table

Place = tuple[int, int]
"""Row and column, from 1."""

ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
_SUSPICIOUS = re.compile("^[=#]", re.MULTILINE)
_MOST_MERGED = 1 << 22
"""Cells of a table in merged ranges, those in several ranges counted as often."""


def not_values(
    file: BookFile, sheet: Any, table: Table, booleans: Collection[str] | None
) -> dict[Place, Any]:
    """Return what stands in place of the cells that are not as they seem; a plain sheet has none."""
    if isinstance(sheet, PlainSheet):
        return {}
    padded = _padded(file, sheet) if file.has_padded else {}
    return padded | formulas(file, sheet, table, booleans) | merged(file, sheet, table)


def formulas(file: BookFile, sheet: Any, table: Table, booleans: Collection[str] | None) -> dict[Place, Any]:
    """Return the results of the formulas of a sheet; `Refused` where there is none, and for errors.

    The cells are looked at a second time only if some text begins with `=` or is the name of an error.

    Args:
        file: Of the workbook.
        sheet: As openpyxl reads it, values and formulas.
        table: Its cells.
        booleans: Columns in which `=TRUE()` is how LibreOffice writes the value; None: in any.
    """
    formula_cells = {
        (table.rows[i], place)
        for name, place, cells in zip(table.header, table.places, table.columns, strict=True)
        for i in _suspicious(cells)
        if not ((booleans is None or name in booleans) and str(cells[i]) in TRUTHS)
    }
    if not formula_cells:
        return {}
    found = {}
    for cell in _cells(sheet, file):
        if (cell.row, cell.column) in formula_cells and cell.data_type in ("f", "e"):
            found[cell.row, cell.column] = cell.data_type
    return _results(file, sheet.title, found) if found else {}


def _cells(sheet: Any, file: BookFile) -> Iterator[Any]:
    rows = rows_of(sheet, file.file, values=False)
    return (cell for _, row in rows for cell in row if cell.value is not None)


def _padded(file: BookFile, sheet: Any) -> dict[Place, Padded]:
    """Return the whole numbers that are shown with zeros in front."""
    found = {}
    for cell in _cells(sheet, file):
        value, shape = cell.value, cell.number_format
        is_whole = type(value) in (int, float) and value == int(value)
        if is_whole and len(shape) > 1 and set(shape) == {"0"}:
            found[cell.row, cell.column] = Padded(value, len(shape))
    return found


def _suspicious(cells: Sequence[Any]) -> list[int]:
    """Return the positions of cells that may be formulas or errors."""
    kinds = set(map(type, cells))
    if str in kinds and _SUSPICIOUS.search("\n".join(cell for cell in cells if type(cell) is str)) is None:
        kinds.discard(str)
    unusual = {kind for kind in kinds if kind is str or kind.__module__.startswith("openpyxl")}
    if not unusual:
        return []
    return [
        i
        for i, cell in enumerate(cells)
        if type(cell) in unusual and (type(cell) is not str or cell.startswith("=") or cell in ERRORS)
    ]


def _results(file: BookFile, title: str, places: dict[Place, str]) -> dict[Place, Any]:
    results: dict[Place, Any] = {}
    with file.opened(read_only=True, data_only=True) as book:
        for cell in _cells(book[title], file):
            if (cell.row, cell.column) in places:
                bad = cell.data_type == "e"
                value = _error(str(cell.value)) if bad else cell.value
                results[cell.row, cell.column] = value
    for place in places:
        results.setdefault(place, Refused("(formula)", Message(_NEVER)))
    return results


_NEVER = "a formula without a result: open it in Excel or LibreOffice, save, try again"


def _error(text: str) -> Refused:
    nothing = Argument("na", "says that it means no value", [text])
    return Refused(text, Message("an error of the program", nothing))


def merged(file: BookFile, sheet: Any, table: Table) -> dict[Place, Refused]:
    """Return a refusal for every cell of the table that is merged with others: whose value is it?

    Raises:
        ValueError: There are more than any person makes.
    """
    refusal = Refused("(merged)", Message("merged cells have one value for all: undo the merge"))
    found: dict[Place, Refused] = {}
    taken = 0
    for rows, places in file.merged(sheet._worksheet_path):
        inside, across = _within(table.rows, rows), _within(table.places, places)
        taken += len(inside) * len(across)
        if taken > _MOST_MERGED:
            raise ValueError(f"{printable(file.file)} has more than {_MOST_MERGED:,} merged cells: undo that")
        found.update(((row, place), refusal) for row in inside for place in across)
    return found


def _within(numbers: tuple[int, ...], bounds: range) -> tuple[int, ...]:
    """Return the ascending numbers that lie in a range."""
    return numbers[bisect_left(numbers, bounds.start) : bisect_left(numbers, bounds.stop)]

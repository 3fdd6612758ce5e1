"""Cells of a workbook that are not what they seem: formulas, errors of the program, merged cells."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

from ..extras import optional
from ..values.refused import Refused
from .excel_cells import TRUTHS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from .assemble import Table

Place = tuple[int, int]
"""Row and column, from 1."""

_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
_BEGINS_ODD = re.compile("^[=#]", re.MULTILINE)
_MERGED = re.compile(rb'<mergeCell [^>]*ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_CHUNK = 1 << 20


def formulas(path: Path, sheet: Any, table: Table, booleans: Collection[str]) -> dict[Place, Any]:
    """Return the results of the formulas of a sheet; `Refused` where there is none, and for errors.

    The cells are looked at a second time only if some text begins with `=` or is the name of an error.

    Args:
        path: Of the workbook.
        sheet: As openpyxl reads it, values and formulas.
        table: Its cells.
        booleans: Columns in which `=TRUE()` is how LibreOffice writes the value.
    """
    odd = {
        (table.rows[i], place)
        for name, place, cells in zip(table.header, table.places, table.columns, strict=True)
        for i in _suspicious(cells)
        if not (name in booleans and str(cells[i]) in TRUTHS)
    }
    if not odd:
        return {}
    found = {}
    for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
        if (cell.row, cell.column) in odd and cell.data_type in ("f", "e"):
            found[cell.row, cell.column] = cell.data_type
    return _results(path, sheet.title, found) if found else {}


def _suspicious(cells: Sequence[Any]) -> list[int]:
    """Return the positions of cells that may be formulas or errors."""
    kinds = set(map(type, cells))
    if str in kinds and _BEGINS_ODD.search("\n".join(cell for cell in cells if type(cell) is str)) is None:
        kinds.discard(str)
    odd = {kind for kind in kinds if kind is str or kind.__module__.startswith("openpyxl")}
    if not odd:
        return []
    return [
        i
        for i, cell in enumerate(cells)
        if type(cell) in odd and (type(cell) is not str or cell.startswith("=") or cell in _ERRORS)
    ]


def _results(path: Path, title: str, places: dict[Place, str]) -> dict[Place, Any]:
    book = optional("openpyxl", "excel").load_workbook(path, read_only=True, data_only=True)
    results: dict[Place, Any] = {}
    try:
        sheet = book[title]
        sheet.reset_dimensions()
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
            if (cell.row, cell.column) in places:
                bad = cell.data_type == "e"
                value = Refused(str(cell.value), "an error of the program") if bad else cell.value
                results[cell.row, cell.column] = value
    finally:
        book.close()
    for place in places:
        results.setdefault(
            place, Refused("(formula)", "a formula that was never calculated: write its value")
        )
    return results


def merged(path: Path, sheet: Any) -> dict[Place, Refused]:
    """Return a refusal for every cell of a merged range: whose value is the others'?

    They are read from the file, because openpyxl leaves them out when it only reads.
    """
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as file:
        tail, ranges = b"", set()
        while chunk := file.read(_CHUNK):
            ranges.update(_MERGED.findall(tail + chunk))
            tail = chunk[-200:]
    refusal = Refused("(merged)", "merged cells have one value for all: undo the merge")
    return {
        (row, column): refusal
        for left, top, right, bottom in ranges
        for row in range(int(top), int(bottom) + 1)
        for column in range(_number(left), _number(right) + 1)
    }


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number

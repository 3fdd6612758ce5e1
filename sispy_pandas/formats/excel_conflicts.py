"""The sheet on which a person decides conflicts: base, mine, theirs, and which to keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ..values.extras import optional
from ..values.types.cell_text import escape, read_cell, unescape, write_cell
from ..values.types.convert import from_json
from .excel_cells import LongText, escaped, unescaped
from .excel_file import rows_of
from .excel_write import CONFLICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.changes import Conflict
    from ..values.schema import Schema
    from ..values.types.base import Field
    from .bounds import InFile
    from .excel_base import Base
    from .table import Table

_HEADER = ("_id", "key", "field", "base", "mine", "theirs", "keep")
_WIDTHS = (26, 28, 20, 28, 28, 28, 12)
_HINT = "mine: write my value over theirs. theirs: take their value. Empty: decide later."


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided about a cell."""

    id: str
    field: Field
    theirs: str
    """As a cell's text."""
    keep: Literal["mine", "theirs"]


def write_conflicts(book: Any, schema: Schema, conflicts: Sequence[Conflict]) -> None:
    """Add the sheet to an openpyxl workbook, in place of one that is there."""
    styles = optional("openpyxl.styles", "excel")
    validation = optional("openpyxl.worksheet.datavalidation", "excel")
    comments = optional("openpyxl.comments", "excel")
    if CONFLICTS in book.sheetnames:
        del book[CONFLICTS]
    sheet = book.create_sheet(CONFLICTS)
    sheet.append(_HEADER)
    for conflict in conflicts:
        field = schema.field(conflict.field)
        texts = [_text(field, value) for value in (conflict.base, conflict.mine, conflict.theirs)]
        sheet.append(
            [
                escape(conflict.id),
                None if conflict.key is None else escaped(escape(str(conflict.key))),
                escaped(escape(conflict.field)),
                *texts,
                None,
            ]
        )
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.number_format, cell.data_type = "@", "s" if cell.value is not None else "n"
    for cell in sheet[1]:
        cell.font = styles.Font(bold=True, color="FFFFFFFF")
        cell.fill = styles.PatternFill("solid", fgColor="FF44546A")
        sheet.column_dimensions[cell.column_letter].width = _WIDTHS[cell.column - 1]
    sheet.column_dimensions["A"].hidden = True
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation, sheet.sheet_properties.pageSetUpPr.fitToPage = "landscape", True
    sheet["G1"].comment = comments.Comment(_HINT, "sispy")
    rule = validation.DataValidation(type="list", formula1='"mine,theirs"', allow_blank=True)
    sheet.add_data_validation(rule)
    rule.add(f"G2:G{len(conflicts) + 1}")


def _text(field: Field, value: Any) -> str:
    text = write_cell(field, from_json(field, value))
    return escaped(str(LongText(text)) if len(text) > LongText.LIMIT else text)


def read_conflicts(book: Any, file: InFile, schema: Schema) -> list[Choice]:
    """Return the decisions of a workbook; rows without one are left out.

    Raises:
        ValueError: A decision is neither mine nor theirs.
    """
    if CONFLICTS not in book.sheetnames:
        return []
    found = []
    rows = rows_of(book[CONFLICTS], file)
    header = [str(name) for name in next(rows, (0, ()))[1]]
    for number, row in rows:
        cells = dict(zip(header, row, strict=False))
        keep = str(cells.get("keep") or "").strip().lower()
        name = unescape(unescaped(str(cells.get("field"))))
        if not keep or name not in schema.columns:
            continue
        if keep not in ("mine", "theirs"):
            raise ValueError(f"sheet {CONFLICTS!r}, row {number}: keep is mine or theirs, not {keep!r}")
        theirs = unescaped(str(cells.get("theirs") or ""))
        id_, field = unescape(str(cells["_id"])), schema.field(name)
        found.append(Choice(id_, field, theirs, "mine" if keep == "mine" else "theirs"))
    return found


def decided(table: Table, base: Base, choices: Sequence[Choice]) -> Table:
    """Return the cells with the decisions carried out.

    Their value becomes what the cell was edited from: mine is then an edit of it, theirs is none.
    """
    if "_id" not in table.header:
        return table
    rows = {str(cell).lstrip("'"): i for i, cell in enumerate(table.columns[table.header.index("_id")])}
    columns = {name: list(cells) for name, cells in zip(table.header, table.columns, strict=True)}
    for choice in choices:
        path = choice.field.path
        base.put(choice.id, path, read_cell(choice.field, choice.theirs))
        if choice.keep == "theirs" and choice.id in rows and path in columns:
            columns[path][rows[choice.id]] = choice.theirs
    return replace(table, columns=tuple(columns.values()))

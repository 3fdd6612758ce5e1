"""One table as a sheet: typed cells, dropdowns, bounds, comments, colours and widths."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sispy.text import printable, shorten

from ..values.entity import EDITABLE_META
from ..values.explode import MEMBER
from ..values.records import DELETE
from ..values.schema import META, RECEIPT
from ..values.types.base import Field, Style
from ..values.types.cell_text import escape, write_heading
from .excel_cells import LongText, excel_column

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from ..values.schema import Schema

_BELOW = 1000
"""Rows below the data that dropdowns and formats reach."""
_WIDTHS = range(9, 49)
_SAMPLE = 200
_HEADER = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#44546A", "valign": "vcenter", "border": 1}
_REQUIRED = {"bg_color": "#1F4E79"}
_GREY = {"bg_color": "#EDEDED", "font_color": "#7F7F7F"}
_HIDDEN = ("_id", MEMBER, RECEIPT.path)
_MARK = Field(DELETE, "String")
_TEXT = "@"
_BOOLEAN = '"TRUE";"TRUE";"FALSE"'
"""LibreOffice would show 1 and 0."""
_TIMES = (("yyyy-mm-dd", 1), ("yyyy-mm-dd hh:mm", 1_440), ("yyyy-mm-dd hh:mm:ss", 86_400))
_MILLISECONDS = "yyyy-mm-dd hh:mm:ss.000"


class Lists:
    """The values of dropdowns, gathered for a hidden sheet: an inline list would end at 255 characters."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._columns: dict[tuple[Any, ...], int] = {}

    def range_of(self, values: Sequence[Any]) -> str:
        """Return the formula of the cells that will hold these values."""
        column = self._columns.setdefault(tuple(values), len(self._columns))
        return f"={self.name}!{_cell(0, column)}:{_cell(len(values) - 1, column)}"

    def write(self, book: Any) -> None:
        """Add the hidden sheet, if there is anything to put into it."""
        if not self._columns:
            return
        sheet = book.add_worksheet(self.name)
        sheet.hide()
        text = book.add_format({"num_format": _TEXT})
        columns = [[escape(value) if isinstance(value, str) else value for value in c] for c in self._columns]
        sheet.write_rows(0, zip_longest(*columns), [text] * len(columns), text)  # as the cells have them


def _cell(row: int, column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"${letters}${row + 1}"


def write_sheet(
    book: Any,
    sheet: Any,
    table: Sequence[tuple[Field, pd.Series[Any]]],
    schema: Schema | None,
    zone: datetime.tzinfo,
    lists: Lists,
    choices: Mapping[str, Sequence[str]],
    *,
    grey: Collection[str] = (),
) -> list[tuple[str, str, str]]:
    """Write a table into an empty sheet of an XlsxWriter workbook.

    Returns:
        First cell of the row, column and text for every text that is too long for a cell.

    Args:
        book: The workbook.
        sheet: Its sheet, a `RowSheet`.
        table: Fields and their cells, as `table.as_table` returns them.
        schema: Names the read-only columns; without one, none is.
        zone: Of times.
        lists: Takes the values of dropdowns.
        choices: Column -> texts of its dropdown.
        grey: Columns for reading only, besides those that the schema tells.
    """
    style = Style(zone)
    fields = [field for field, _ in table]
    columns: list[Sequence[Any]] = [excel_column(field, cells, style) for field, cells in table]
    rows = len(columns[0]) if columns else 0
    if fields and fields[0].path == "_id" and not any(field.path == DELETE for field in fields):
        mark = len(fields) - (fields[-1].path == RECEIPT.path)
        fields.insert(mark, _MARK)
        columns.insert(mark, [None] * rows)
    dim = [field.path in grey or _is_read_only(field, schema) for field in fields]
    formats = [
        _format(book, field, cells, grey=is_dim)
        for field, cells, is_dim in zip(fields, columns, dim, strict=True)
    ]
    dimmed = book.add_format({"num_format": _TEXT, **_GREY})
    header, required = book.add_format(_HEADER), book.add_format(_HEADER | _REQUIRED)
    for at, (field, cells) in enumerate(zip(fields, columns, strict=True)):
        title = f"{field.path} ({zone})" if _presentation(field) == "date" else field.path
        hidden = {"hidden": True} if field.path in _HIDDEN else {}
        sheet.set_column(at, at, _width(title, field, cells), formats[at], hidden)
        sheet.write_string(0, at, write_heading(title), required if field.required else header)
        _dropdown(sheet, at, field, rows, lists, choices)
        if not hidden:
            sheet.write_comment(0, at, _explained(field, dim[at]), {"x_scale": 1.6, "y_scale": 1.2})
    sheet.set_row(0, 20)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    key = next((at for at, field in enumerate(fields) if schema and field.path == schema.key), None)
    sheet.freeze_panes(1, key + 1 if key is not None and key <= 1 else 0)
    sheet.write_rows(1, zip(*columns, strict=True), formats, dimmed)
    if fields:
        sheet.autofilter(0, 0, max(rows, 1), len(fields) - 1)
    return [
        (columns[0][row], field.path, cell.whole)
        for field, cells in zip(fields, columns, strict=True)
        for row, cell in enumerate(cells)
        if isinstance(cell, LongText)
    ]


def _is_read_only(field: Field, schema: Schema | None) -> bool:
    if schema is None or field.path in ("_id", DELETE, RECEIPT.path):
        return False
    if field in META:
        return field.path not in EDITABLE_META
    return field.path not in schema.columns or field.unknown is not None


def _presentation(field: Field) -> str:
    return "text" if field == RECEIPT else field.kind.presentation  # a receipt stays exact


def _format(book: Any, field: Field, cells: Sequence[Any], *, grey: bool) -> Any:
    shape: dict[str, Any] = {"num_format": _TEXT}
    match _presentation(field):
        case "date":
            shape = {"num_format": _time_format(cells), "align": "left"}
        case "number":
            shape = {"num_format": "General", "align": "right", "indent": 1}
        case "boolean":
            shape = {"num_format": _BOOLEAN, "align": "left"}
    return book.add_format(shape | (_GREY if grey else {}))


def _time_format(cells: Sequence[Any]) -> str:
    """Return the shortest format that hides nothing of any time in a column."""
    times = [cell for cell in cells if isinstance(cell, float)]
    for shown, per_day in _TIMES:
        if all(abs(time * per_day - round(time * per_day)) < 1e-5 * per_day / 86_400 for time in times):
            return shown if times else _TIMES[1][0]
    return _MILLISECONDS


def _width(title: str, field: Field, cells: Sequence[Any]) -> int:
    if field.kind.presentation == "date":
        return max(24, len(title) + 5)
    longest = max(
        (len(cell) if isinstance(cell, str) else 8 for cell in cells[:_SAMPLE] if cell is not None), default=8
    )
    return min(max(longest + 2, len(title) + 5, _WIDTHS[0]), _WIDTHS[-1])


def _dropdown(
    sheet: Any, at: int, field: Field, rows: int, lists: Lists, choices: Mapping[str, Sequence[str]]
) -> None:
    """Offer the values of an enum, a boolean or a reference; check the bounds of numbers and dates."""
    last = rows + _BELOW
    offered: Sequence[Any] = choices.get(field.path) or field.enum
    if field.kind.presentation == "boolean":
        offered = (True, False)
    if field is _MARK:
        offered = ("x",)
    if offered:
        sheet.data_validation(
            1,
            at,
            last,
            at,
            {
                "validate": "list",
                "source": lists.range_of(offered),
                "error_title": shorten(field.path, 24)[:32],
                "error_message": "Choose one of the list.",
            },
        )
    elif field.kind.presentation == "number" and (field.min is not None or field.max is not None):
        sheet.data_validation(1, at, last, at, _bounds(field))


def _bounds(field: Field) -> dict[str, Any]:
    rule: dict[str, Any] = {"validate": "decimal", "error_title": shorten(field.path, 24)[:32]}
    if field.min is not None and field.max is not None:
        rule |= {"criteria": "between", "minimum": field.min, "maximum": field.max}
        rule["error_message"] = f"A number from {field.min:g} to {field.max:g}."
    elif field.min is not None:
        rule |= {"criteria": ">=", "value": field.min, "error_message": f"A number from {field.min:g} on."}
    else:
        rule |= {"criteria": "<=", "value": field.max, "error_message": f"A number up to {field.max:g}."}
    return rule


_EXPLAINED = 1_000
"""Characters of a description, a pattern or a default in a comment: more would cover the sheet."""


def _explained(field: Field, read_only: bool) -> str:
    """Return what the header's comment says about a field."""
    if field is _MARK:
        return "An x deletes the row on import."
    lines = [field.description] if field.description else []
    kind = f"list of {field.item.type if field.item else 'objects'}" if field.kind.is_array else field.type
    lines.append(f"{kind} of {field.ref}" if field.ref else kind)
    lines += [word for word, true in (("required", field.required), ("unique", field.unique)) if true]
    if field.enum:
        lines.append(f"one of: {', '.join(field.enum)}"[:400])
    bounds = (("at least", field.min), ("at most", field.max))
    lengths = (("characters, at least", field.minlength), ("characters, at most", field.maxlength))
    lines += [f"{word} {limit:g}" for word, limit in (*bounds, *lengths) if limit is not None]
    lines += [f"matches {field.match}"] if field.match else []
    lines += [f"default: {field.default}"] if field.default is not None else []
    lines += ["for reading only"] if read_only else []
    return "\n".join(
        printable(t, lines=True) if len(t) <= _EXPLAINED else shorten(t, _EXPLAINED) for t in lines
    )

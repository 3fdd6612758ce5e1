"""Workbooks out: a table as a sheet that people like to edit, with what import needs hidden in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import metadata
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.text import printable

from ..values.extras import optional
from ..values.row_set import RowSet
from ..values.source import FORMAT, source_of
from ..values.types.cell_text import escape
from .excel_base import PREFIX, base_rows
from .excel_members import key_field, member_table
from .excel_sheet import Lists, write_sheet
from .note import origin
from .table import as_table

if TYPE_CHECKING:
    from ..values.schema import Schema
    from .atomic import OutFile
    from .base import Outgoing
    from .note import Note
    from .options import WriteOptions
    from .table import Columns

ABOUT = "About this workbook"
CONFLICTS = "Conflicts to decide"
"""Names that no schema can have."""
LISTS = "_lists"
MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_AS_TEXT = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def refuse_name(file: OutFile) -> None:
    """Raise if no workbook can be written there.

    Raises:
        ValueError: The name does not end like that of a workbook.
        ImportError: XlsxWriter is missing.
    """
    optional("xlsxwriter", "excel")
    if file.path is not None and file.path.suffix.lower() != ".xlsx":
        raise ValueError(
            f"{printable(file)}: the name of a workbook ends in .xlsx, by which programs know it"
        )


def write(file: OutFile, tables: Sequence[Outgoing], options: WriteOptions) -> int:
    """Write tables as a workbook, each on a sheet of its own; `to_excel` tells arguments and errors.

    Returns:
        The number of rows of the tables.
    """
    refuse_name(file)
    xlsxwriter = optional("xlsxwriter", "excel")
    from .excel_rows import RowBook

    sheets = [_sheet(table, options) for table in tables]
    for sheet, table in list(zip(sheets, tables, strict=True)):
        sheets += _exploded(sheet, table.source, options.explode)
    whole = BytesIO()  # on a full disk zipfile would complain on standard error, too
    with file.binary() as opened, ExitStack() as stack:
        book = RowBook(whole, _AS_TEXT)
        written = [book.add_worksheet(sheet.name) for sheet in sheets]
        for worksheet in written:  # their temporary files, should one of them fail
            stack.callback(worksheet.row_data_fh.close)
        lists = Lists(LISTS)
        for sheet, worksheet in zip(sheets, written, strict=True):
            long = write_sheet(
                book,
                worksheet,
                sheet.table,
                sheet.schema,
                options.zone,
                lists,
                sheet.choices,
                grey=sheet.grey,
            )
            if sheet.note is not None and long:
                sheet.note["long"] = [(id_.lstrip("'"), *rest) for id_, *rest in long]
        _about(book, sheets)
        lists.write(book)
        for number, sheet in enumerate(sheets, start=1):
            if sheet.note is not None:
                _base(book, f"{PREFIX}{number}", sheet)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:  # of its temporary files
            raise error.args[0] from None  # an OSError
        with whole.getbuffer() as content:  # what fails to be written may outlive it in a traceback
            opened.write(content)
    return sum(len(table.source) for table in tables if table.source is not None)


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    table: Columns
    schema: Schema | None
    note: Note | None
    """None: a plain frame, of which there is nothing to remember."""
    base: Columns
    """The rows as the server had them; empty for a frame that may have been edited."""
    choices: Mapping[str, Sequence[str]]
    grey: set[str] = field(default_factory=set)
    """Columns for reading only, besides those that the schema tells."""


def _sheet_name(name: str) -> str:
    name = name[:31]
    if (
        name in (ABOUT, CONFLICTS, LISTS)
        or name.startswith(PREFIX)
        or not name
        or set(name) & set("[]:*?/\\")
        or name.strip("'") != name
        or printable(name) != name
    ):
        raise ValueError(f"{name!r} cannot be the name of a sheet")
    return name


def _sheet(content: Outgoing, options: WriteOptions) -> _Sheet:
    name, source, schema = _sheet_name(content.name), content.source, content.schema
    choices, zone = content.choices, str(options.zone)
    if source is None:
        raise TypeError("a workbook is written from whole tables")
    table = as_table(source, schema=schema, meta=options.meta)
    rows = len(table[0][1]) if table else 0
    if rows + 1 > MOST_ROWS or len(table) + 1 > _MOST_COLUMNS:
        raise ValueError(
            f"a sheet holds {MOST_ROWS - 1:,} rows and {_MOST_COLUMNS:,} columns, not {rows:,} and"
            f" {len(table):,}: fetch a part, or write CSV or Parquet"
        )
    if isinstance(source, RowSet):
        note = origin(source, zone=zone) | {"sheet": name}
        base = table if content.plain is None else as_table(content.plain, meta=options.meta)
        return _Sheet(name, table, source.schema, note, base, choices)
    if schema is None or not table or table[0][0].path != "_id":
        return _Sheet(name, table, schema, None, [], choices)
    known = source_of(source)
    note = {"format": FORMAT, "schema": schema.name, "sheet": name, "zone": zone}
    if known is None or known.base is None:
        return _Sheet(name, table, schema, note, [], choices)
    note |= {"server": known.server, "query": known.query, "fetched_at": known.fetched_at}
    return _Sheet(name, table, schema, note, as_table(known.base, schema=schema), choices)


def _exploded(sheet: _Sheet, source: Any, paths: Sequence[str]) -> Iterable[_Sheet]:
    """Yield a sheet for each array that is to have one; its column is then for reading only."""
    if sheet.note is None or isinstance(source, pd.DataFrame):
        return
    for path in paths:
        if path not in source.schema.columns:
            continue
        name = _sheet_name(f"{sheet.name}.{path}")
        sheet.grey.add(path)
        sheet.note.setdefault("exploded", {})[path] = name
        key = key_field(source.schema)
        yield _Sheet(name, member_table(source, path), None, None, [], {}, {key.path} if key else set())


def _about(book: Any, sheets: Iterable[_Sheet]) -> None:
    """Write a sheet for people: where the tables come from, and how to edit them."""
    sheet = book.add_worksheet(ABOUT)
    head, wrap = (
        book.add_format({"bold": True, "font_size": 14}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    label = book.add_format({"bold": True, "valign": "top", "font_color": "#44546A"})
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 84)
    sheet.write_string(0, 0, "About this workbook", head)
    facts: list[tuple[str, str]] = []
    for one in sheets:
        note = one.note or {}
        facts += [("", ""), ("Sheet", escape(one.name))]
        facts += [(title, escape(str(note[key]))) for title, key in _FACTS if note.get(key)]
    facts += [("", ""), ("Format version", f"{FORMAT} (sispy {metadata.version('sispy')})"), ("", "")]
    for row, (title, text) in enumerate([*facts, *_HOW_TO], start=1):
        sheet.write_string(row, 0, title, label)
        sheet.write_string(row, 1, text, wrap)


_FACTS = (
    ("Server", "server"),
    ("Schema", "schema"),
    ("Query", "query"),
    ("Fetched at", "fetched_at"),
    ("Rows", "rows"),
    ("Times are in", "zone"),
)
_HOW_TO = (
    ("Edit", "Change cells in place. Sort, filter, hide and move as you like; add columns of your own."),
    ("Clear", "An empty cell is no value. A single ' is the empty text."),
    ("Add rows", "Type below the last row. If you copy a row, its hidden _id comes along: import will ask."),
    ("Delete rows", "Put an x into the column _delete. Removing the row from the sheet does nothing."),
    ("Lists", 'Lists and structures are JSON: ["a", "b"] or {"key": "value"}.'),
    ("Grey cells", "For reading only; changes to them are reported, not sent."),
    ("Text", "Text that begins with = + - @ or ' has one ' in front of it, so that nothing is calculated."),
)


def _base(book: Any, name: str, sheet: _Sheet) -> None:
    hidden = book.add_worksheet(name)
    hidden.very_hidden()
    hidden.write_rows(0, base_rows(sheet.note or {}, sheet.base))

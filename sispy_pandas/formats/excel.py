"""Workbooks in: everything is checked again, and what is no value is named with sheet, row and column."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..values.extras import no_collection
from ..values.types.cell_text import read_heading, unescape
from ..values.types.cells import Refused, plain
from .base import Format, Incoming
from .bounds import refuse_wide
from .excel_base import Base
from .excel_cells import TRUTHS, LongText, Padded, read_excel_column, unescaped
from .excel_conflicts import decided, read_conflicts
from .excel_file import book_file, rows_of
from .excel_find import find, tables_in
from .excel_formulas import not_values
from .excel_members import with_cells, with_grey, with_members
from .excel_plain import PlainSheet, read_book
from .excel_write import refuse_name, write
from .options import ReadOptions
from .outline import outlined
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

    from ..values.schema import Schema
    from .assemble import ReadColumn
    from .atomic import OutFile
    from .base import Outgoing
    from .bounds import InFile
    from .note import Note
    from .options import WriteOptions


_PLAIN = ReadOptions(header_row=1, footer_rows=0)


class Excel(Format):
    """A workbook: a table on a sheet, and hidden in it the rows as they were exported."""

    name = "Excel"
    heeds = frozenset(("sheet", "header_row", "footer_rows"))
    is_whole = holds_any_cell = True

    def note(self, file: InFile) -> Note:
        with book_file(file).opened(read_only=True) as book:
            return find(book, file, None, None).note

    def tables(self, file: InFile) -> list[str]:
        with book_file(file).opened(read_only=True) as book:
            return tables_in(book, file)

    def read(self, file: InFile, schema: Schema | None, options: ReadOptions) -> Incoming:
        source = book_file(file)
        with read_book(source) as book:
            found = find(book, file, schema, options.sheet)
            known = {"_id"} if schema is None else {"_id", *schema.columns, *options.rename}
            table, guesses = sheet_table(found.sheet, file, options, known)
            base = None
            if schema is not None and "columns" in found.note:
                base = Base(found.note, (row for _, row in rows_of(found.hidden, file, first=2)))
            choices = read_conflicts(book, file, schema) if base and schema is not None else []
            members = _members(book, file, found.note, schema)
            booleans = None if schema is None else _booleans(schema)
            results = not_values(source, found.sheet, table, booleans)
            is_plain = isinstance(found.sheet, PlainSheet)
            hidden = found.sheet.hidden if is_plain else source.hidden(found.sheet._worksheet_path)
        table, notes = _with_results(table, results)
        table = _with_long_texts(table, found.note.get("long", ()))
        if base and choices:
            table = decided(table, base, choices)
        return Incoming(
            table,
            read_excel_column,
            _plain,
            found.note,
            (*found.notes, *hidden.notes(table), *notes),
            losses=tuple(_padded(table, options)),
            sheet=found.sheet.title,
            guesses=guesses,
            exported=base.frame if base else None,
            values=base.values if base else None,
            finish=partial(_with_exploded, schema, base, members) if schema is not None and members else None,
        )

    def refuse(self, file: OutFile) -> None:
        refuse_name(file)

    def write(self, file: OutFile, table: Outgoing, options: WriteOptions) -> int:
        return write(file, [table], options)


def _booleans(schema: Schema) -> set[str]:
    return {field.path for field in schema.fields if field.kind.presentation == "boolean"}


def _plain(cell: Any) -> Any:
    """Return a cell as people see it: 8 for 8.0; without a zone, times are in UTC."""
    if isinstance(cell, Refused):
        return cell
    if isinstance(cell, str):
        return TRUTHS.get(cell, unescape(unescaped(cell))) if cell else None
    if isinstance(cell, Padded) or (isinstance(cell, float) and cell.is_integer()):
        return int(cell)
    try:
        return plain(cell)
    except ValueError:
        return str(cell)


def _members(
    book: Any, file: InFile, note: Note, schema: Schema | None
) -> dict[str, tuple[str, Table | None]]:
    """Return the arrays whose members have a sheet of their own: column -> its name, and its cells."""
    exploded = note.get("exploded", {}) if schema is not None else {}
    return {
        column: (sheet, sheet_table(book[sheet], file, _PLAIN)[0] if sheet in book.sheetnames else None)
        for column, sheet in exploded.items()
        if schema is not None and column in schema.columns
    }


def _with_exploded(
    schema: Schema,
    base: Base | None,
    members: Mapping[str, tuple[str, Table | None]],
    frame: pd.DataFrame,
    read: ReadColumn,
) -> pd.DataFrame:
    """Return the frame with the members of arrays put into their columns, which are for reading only."""
    for column, (title, table) in members.items():
        field = schema.field(column)
        grey: dict[int, Refused] = {}
        if column in frame.columns:
            frame, grey = with_grey(frame, field, base.values(column) if base else {}, title)
        if table is not None:
            frame = with_members(frame, table, field, schema, read)
        if grey:
            cells = enumerate(frame[column].tolist())
            frame = with_cells(frame, field, [grey.get(i, cell) for i, cell in cells])
    return frame


def sheet_table(
    sheet: Any, file: InFile, options: ReadOptions, known: Collection[str] = ()
) -> tuple[Table, tuple[str, ...]]:
    """Return the cells by column, without empty rows, and what of the outline of the table is a guess.

    Args:
        sheet: Of an openpyxl workbook.
        file: Of the workbook, for messages.
        options: Where the table is, as far as it was told.
        known: Names of columns.

    Raises:
        ValueError: There is no header, or the sheet is damaged or too large.
    """
    with no_collection():
        outline = outlined(list(rows_of(sheet, file)), options, known)
    kept, names = outline.rows, outline.header
    header = [read_heading(unescaped(name) if isinstance(name, str) else name) for name in names]
    columns = list(zip_longest(*(row for _, row in kept)))
    columns += [(None,) * len(kept)] * (len(header) - len(columns))
    header += [""] * (len(columns) - len(header))
    filled = [i for i, cells in enumerate(columns) if header[i] or _is_filled(cells)]
    refuse_wide(file, len(filled))
    if not any(header) and options.header_row != 0:
        raise ValueError(f"sheet {sheet.title!r} of {printable(file)} has no header")
    table = Table(
        tuple(header[i] for i in filled),
        tuple(columns[i] for i in filled),
        tuple(number for number, _ in kept),
        tuple(i + 1 for i in filled),
    )
    return table, outline.guesses


def _is_filled(cells: Sequence[Any]) -> bool:
    return any(cell is not None and cell != "" for cell in cells)


def _padded(table: Table, options: ReadOptions) -> Iterator[str]:
    """Yield in words of which columns the zeros in front are lost, unless they are told to be texts."""
    for name, cells in zip(table.header, table.columns, strict=True):
        seen = [cell for cell in cells if isinstance(cell, Padded) and str(cell) != repr(cell)]
        if seen and name not in options.text:
            what = "numbers are" if len(seen) > 1 else "number is"
            said = f"column {name!r}: {len(seen):,} {what} shown with zeros in front, such as {seen[0]}"
            yield Message(said, Argument("text", "keeps them", [name]))


def _with_results(table: Table, results: Mapping[tuple[int, int], Any]) -> tuple[Table, tuple[str, ...]]:
    """Return the table with the results of its formulas in place of them, or what else is to stand there."""
    if not results:
        return table, ()
    rows = {number: i for i, number in enumerate(table.rows)}
    places = {number: i for i, number in enumerate(table.places)}
    columns = [list(cells) for cells in table.columns]
    taken: dict[str, int] = {}
    for (row, place), cell in results.items():
        if row in rows and place in places:
            columns[places[place]][rows[row]] = cell
            if not isinstance(cell, Refused | Padded):
                name = table.header[places[place]]
                taken[name] = taken.get(name, 0) + 1
    notes = tuple(f"column {name!r}: the results of {n} formulas were taken" for name, n in taken.items())
    return replace(table, columns=tuple(columns)), notes


def _with_long_texts(table: Table, long: Sequence[tuple[str, str, str]]) -> Table:
    """Return the table with the cells completed whose text had been too long for a workbook."""
    if not long or "_id" not in table.header:
        return table
    rows: dict[str, list[int]] = {}
    for i, cell in enumerate(table.columns[table.header.index("_id")]):
        rows.setdefault(str(cell).lstrip("'"), []).append(i)
    columns = {name: list(cells) for name, cells in zip(table.header, table.columns, strict=True)}
    for id_, path, text in long:
        whole = LongText(text)
        for i in rows.get(id_, ()) if path in columns else ():
            shown = unescaped(str(columns[path][i]))
            reason = f"its text of {len(text)} characters is too long for a workbook: change it elsewhere"
            columns[path][i] = whole if shown == whole else Refused(shown, Message(reason))
    return replace(table, columns=tuple(columns.values()))

"""Workbooks in: everything is checked again, and what is no value is named with sheet, row and column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import origin
from .assemble import Copies, Table, assemble
from .cells import Style
from .excel import ABOUT, LISTS
from .excel_base import PREFIX, Base, read_note
from .excel_cells import LongText, read_excel_column, unescaped
from .excel_odd import formulas, merged
from .extras import optional
from .files import zone_of
from .refused import Refused
from .source import Source

if TYPE_CHECKING:
    import datetime
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from .origin import Note
    from .schema import Field, Schema


def read_excel(
    path: str | os.PathLike[str],
    schema: Schema,
    *,
    sheet: str | None = None,
    tz: str | datetime.tzinfo | None = None,
    dayfirst: bool | None = None,
    rename: Mapping[str, str] | None = None,
    refs: Literal["id", "label"] = "id",
    copies: Copies = "refuse",
    accept_program_changes: bool = False,
) -> pd.DataFrame:
    """Read a sheet of an Excel workbook as a frame of a schema: nothing is guessed, the file stays as it is.

    Rows may be sorted, filtered, added or removed (removing deletes nothing: an x in `_delete` does). Cells
    mean what they mean in a CSV file, see `read_csv`; times are taken in the zone that the header names.
    The results of formulas are taken as they were last calculated, and a note says so.

    Args:
        path: Of the workbook.
        schema: As in `snapshot.schema`.
        sheet: Its name; by default the one that was exported from this schema, else the one of its name, else
            the only one.
        tz: Zone of the times; by default the one that the workbook was exported with, else UTC.
        dayfirst: Take dates that are text like 3/4/2020: True for the third of April. Else they are refused.
        rename: Name in the file -> name in the schema.
        refs: "label": references are written as labels. A file that was exported with labels says so itself.
        copies: What a row is that was copied together with its hidden `_id`: a Problem, or with "new" a new
            row. The one whose key is still as it was exported is the row itself.
        accept_program_changes: Take edits that look like a program's work, as 00123 -> 123, as they are.

    Raises:
        ValueError: The workbook is of another schema or a later format, or it cannot be told which sheet is
            meant.
        ImportError: openpyxl is missing.
    """
    openpyxl = optional("openpyxl", "excel")
    path = Path(path)
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        found = _find(book, path, schema, sheet)
        table = _table(found.sheet, path)
        base = Base(found.note, found.rows) if "columns" in found.note else None
        booleans = {field.path for field in schema.fields if field.type == "Boolean"}
        odd = formulas(path, found.sheet, table, booleans) | merged(path, found.sheet)
    finally:
        book.close()
    table, notes = _with_odd(table, odd)
    table = _with_long_texts(table, found.note.get("long", ()))
    style = Style(zone_of(tz or found.note.get("zone") or "UTC"), dayfirst)
    source = Source(
        str(path),
        sheet=found.sheet.title,
        notes=notes,
        accept_program_changes=accept_program_changes,
        labels={} if refs == "label" else None,
        read_base=partial(base.frame, schema) if base else None,
    )

    def read(field: Field, cells: Sequence[Any]) -> list[Any]:
        return read_excel_column(field, cells, style)

    return assemble(
        table,
        schema,
        read,
        source=origin.described(source, found.note, schema),
        rename=rename,
        copies=copies,
        keys=partial(base.values, schema.key) if base else None,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A sheet, and what the hidden one that belongs to it says."""

    sheet: Any
    note: Note
    rows: Iterator[Sequence[Any]]


def _find(book: Any, path: Path, schema: Schema, name: str | None) -> _Found:
    hidden = {title: _first_row(book[title]) for title in book.sheetnames if title.startswith(PREFIX)}
    notes = {title: note for title, cells in hidden.items() if (note := read_note(cells))}
    tables = [s.title for s in book.worksheets if s.title not in (*hidden, ABOUT, LISTS)]
    mine = [
        title for title, note in notes.items() if name in (None, note.get("sheet")) and _fits(note, schema)
    ]
    if name is not None and name not in tables:
        raise ValueError(f"{path} has no sheet {name!r}; it has {', '.join(tables)}")
    if len(mine) == 1:
        note = notes[mine[0]]
        origin.check(path, note, schema)
        title = name or _renamed(path, note["sheet"], tables, [n.get("sheet") for n in notes.values()])
        return _Found(book[title], note, _rows_below(book[mine[0]]))
    if len(mine) > 1:
        raise ValueError(f"{path} has several sheets of schema {schema.name!r}: name one with sheet=")
    claimed = {note.get("sheet"): note.get("schema") for note in notes.values()}
    if name is None:
        if notes:
            kinds = ", ".join(sorted({str(kind) for kind in claimed.values()}))
            raise ValueError(f"{path} is a workbook of schema {kinds}, not of {schema.name!r}")
        name = schema.name if schema.name in tables else tables[0] if len(tables) == 1 else None
        if name is None:
            raise ValueError(f"{path} has several sheets: name one with sheet=, of {', '.join(tables)}")
    elif name in claimed:
        raise ValueError(f"sheet {name!r} of {path} is a table of {claimed[name]!r}, not of {schema.name!r}")
    return _Found(book[name], {}, iter(()))


def _fits(note: Note, schema: Schema) -> bool:
    return note.get("schema") == schema.name


def _renamed(path: Path, title: str, tables: list[str], known: list[Any]) -> str:
    """Return the sheet of a table; where it was given another name, the only one that can be it."""
    if title in tables:
        return title
    others = [other for other in tables if other not in known]
    if len(others) != 1:
        raise ValueError(
            f"sheet {title!r} is not in {path} any more: name one with sheet=, of {', '.join(tables)}"
        )
    return others[0]


def _first_row(sheet: Any) -> Sequence[Any]:
    sheet.reset_dimensions()
    row: Sequence[Any] = next(sheet.iter_rows(values_only=True), ())
    return row


def _rows_below(sheet: Any) -> Iterator[Sequence[Any]]:
    return iter(sheet.iter_rows(min_row=2, values_only=True))


def _table(sheet: Any, path: Path) -> Table:
    """Return the cells by column, without empty rows; the first row that is not empty is the header."""
    sheet.reset_dimensions()
    rows = ((n, row) for n, row in enumerate(sheet.iter_rows(values_only=True), start=1) if _is_filled(row))
    _, names = next(rows, (0, ()))
    header = ["" if name is None else str(name).strip() for name in names]
    kept = list(rows)
    columns = list(zip_longest(*(row for _, row in kept)))
    columns += [(None,) * len(kept)] * (len(header) - len(columns))
    header += [""] * (len(columns) - len(header))
    filled = [i for i, cells in enumerate(columns) if header[i] or _is_filled(cells)]
    if not any(header):
        raise ValueError(f"sheet {sheet.title!r} of {path} has no header")
    return Table(
        tuple(header[i] or f"column {i + 1}" for i in filled),
        tuple(columns[i] for i in filled),
        tuple(number for number, _ in kept),
        tuple(i + 1 for i in filled),
    )


def _is_filled(cells: Sequence[Any]) -> bool:
    return any(cell is not None and cell != "" for cell in cells)


def _with_odd(table: Table, odd: Mapping[tuple[int, int], Any]) -> tuple[Table, tuple[str, ...]]:
    """Return the table with odd cells replaced: by the results of their formulas, or by refusals."""
    if not odd:
        return table, ()
    rows = {number: i for i, number in enumerate(table.rows)}
    places = {number: i for i, number in enumerate(table.places)}
    columns = [list(cells) for cells in table.columns]
    taken: dict[str, int] = {}
    for (row, place), cell in odd.items():
        if row in rows and place in places:
            columns[places[place]][rows[row]] = cell
            if not isinstance(cell, Refused):
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
            columns[path][i] = whole if shown == whole else Refused(shown, reason)
    return replace(table, columns=tuple(columns.values()))

"""Workbooks in: everything is checked again, and what is no value is named with sheet, row and column."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sispy.text import printable

from ..reading.decode import no_collection
from ..values.refused import Refused
from ..values.source import Source
from ..workflow.from_files import zone_of
from . import note as origin
from .assemble import Copies, Table, assemble
from .bounds import refuse_wide
from .cells import Style, read_heading
from .excel_base import Base
from .excel_cells import LongText, read_excel_column, unescaped
from .excel_conflicts import decided, read_conflicts
from .excel_file import book_file, rows_of
from .excel_find import find
from .excel_members import with_cells, with_grey, with_members
from .excel_odd import formulas, merged

if TYPE_CHECKING:
    import datetime
    import os
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ..values.schema import Field, Schema


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

    The way of a workbook, there and back::

        sp.to_excel(live, "hosts.xlsx")
        edited = sp.read_excel("hosts.xlsx", live.schema)
        plan = sp.snapshot_of(hosts, edited).diff(edited)
        report = plan.push(skip_problems=True)
        sp.mark_problems("hosts.xlsx", report, "hosts-marked.xlsx")

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
        ValueError: The workbook is of another schema or a later format, it cannot be told which sheet is
            meant, or it is damaged, locked by a password, or larger than programs make one.
        ImportError: openpyxl is missing.

    Example:
        >>> _ = sp.to_excel(live, "hosts.xlsx")
        >>> live.diff(read_excel("hosts.xlsx", live.schema)).empty
        True
    """
    path = Path(path)
    file = book_file(path)
    book = file.load(read_only=True)
    try:
        found = find(book, path, schema, sheet)
        table = sheet_table(found.sheet, path)
        base = None
        if "columns" in found.note:
            base = Base(found.note, (row for _, row in rows_of(found.hidden, path, first=2)))
        choices = read_conflicts(book, path, schema) if base else []
        exploded = {c: s for c, s in found.note.get("exploded", {}).items() if c in schema.columns}
        members = {c: sheet_table(book[s], path) for c, s in exploded.items() if s in book.sheetnames}
        booleans = {field.path for field in schema.fields if field.type == "Boolean"}
        odd = formulas(file, found.sheet, table, booleans) | merged(file, found.sheet, table)
    finally:
        book.close()
    table, notes = _with_odd(table, odd)
    table = _with_long_texts(table, found.note.get("long", ()))
    if base and choices:
        table = decided(table, base, choices)
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

    frame = assemble(
        table,
        schema,
        read,
        source=origin.described(source, found.note, schema),
        rename=rename,
        copies=copies,
        keys=partial(base.values, schema.key) if base else None,
    )
    for column, title in exploded.items():
        field = schema.field(column)
        grey: dict[int, Refused] = {}
        if column in frame.columns:
            frame, grey = with_grey(frame, field, base.values(column) if base else {}, title)
        if column in members:
            frame = with_members(frame, members[column], field, schema, read)
        if grey:
            cells = enumerate(frame[column].tolist())
            frame = with_cells(frame, field, [grey.get(i, cell) for i, cell in cells])
    return frame


def sheet_table(sheet: Any, path: Path) -> Table:
    """Return the cells by column, without empty rows; the first row that is not empty is the header.

    Raises:
        ValueError: There is no header, or the sheet is damaged or too large.
    """
    rows = rows_of(sheet, path)
    with no_collection():
        _, names = next(rows, (0, ()))
        kept = list(rows)
    header = [read_heading(unescaped(name) if isinstance(name, str) else name) for name in names]
    columns = list(zip_longest(*(row for _, row in kept)))
    columns += [(None,) * len(kept)] * (len(header) - len(columns))
    header += [""] * (len(columns) - len(header))
    filled = [i for i, cells in enumerate(columns) if header[i] or _is_filled(cells)]
    refuse_wide(path, len(filled))
    if not any(header):
        raise ValueError(f"sheet {sheet.title!r} of {printable(path)} has no header")
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

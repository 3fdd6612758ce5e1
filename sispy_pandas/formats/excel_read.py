"""Workbooks in: everything is checked again, and what is no value is named with sheet, row and column."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sispy.text import printable

from ..values.extras import no_collection
from ..values.types.cell_text import read_heading
from ..values.types.cells import Refused
from . import note as origin
from .assemble import Table, assemble
from .bounds import refuse_wide
from .excel_base import Base
from .excel_cells import LongText, read_excel_column, unescaped
from .excel_conflicts import decided, read_conflicts
from .excel_file import book_file, rows_of
from .excel_find import find
from .excel_formulas import formulas, merged
from .excel_members import with_cells, with_grey, with_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .table import ReadOptions


def read(path: Path, schema: Schema, options: ReadOptions) -> pd.DataFrame:
    """Read a sheet as a frame of a schema; `read_excel` tells errors."""
    file = book_file(path)
    book = file.load(read_only=True)
    try:
        found = find(book, path, schema, options.sheet)
        table = sheet_table(found.sheet, path)
        base = None
        if "columns" in found.note:
            base = Base(found.note, (row for _, row in rows_of(found.hidden, path, first=2)))
        choices = read_conflicts(book, path, schema) if base else []
        exploded = {c: s for c, s in found.note.get("exploded", {}).items() if c in schema.columns}
        members = {c: sheet_table(book[s], path) for c, s in exploded.items() if s in book.sheetnames}
        booleans = {field.path for field in schema.fields if field.kind.presentation == "boolean"}
        formula_cells = formulas(file, found.sheet, table, booleans) | merged(file, found.sheet, table)
    finally:
        book.close()
    table, notes = _with_formulas(table, formula_cells)
    table = _with_long_texts(table, found.note.get("long", ()))
    if base and choices:
        table = decided(table, base, choices)
    style = options.style(found.note)
    source = replace(
        options.source(path),
        sheet=found.sheet.title,
        notes=notes,
        read_base=partial(base.frame, schema) if base else None,
    )

    def column_of(field: Field, cells: Sequence[Any]) -> list[Any]:
        return read_excel_column(field, cells, style)

    frame = assemble(
        table,
        schema,
        column_of,
        source=origin.described(source, found.note, schema),
        rename=options.rename,
        copies=options.copies,
        keys=partial(base.values, schema.key) if base else None,
    )
    for column, title in exploded.items():
        field = schema.field(column)
        grey: dict[int, Refused] = {}
        if column in frame.columns:
            frame, grey = with_grey(frame, field, base.values(column) if base else {}, title)
        if column in members:
            frame = with_members(frame, members[column], field, schema, column_of)
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


def _with_formulas(
    table: Table, formula_cells: Mapping[tuple[int, int], Any]
) -> tuple[Table, tuple[str, ...]]:
    """Return the table with the results of its formulas in place of them, or refusals."""
    if not formula_cells:
        return table, ()
    rows = {number: i for i, number in enumerate(table.rows)}
    places = {number: i for i, number in enumerate(table.places)}
    columns = [list(cells) for cells in table.columns]
    taken: dict[str, int] = {}
    for (row, place), cell in formula_cells.items():
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

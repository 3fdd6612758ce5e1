"""CSV files: written in one form, read in all forms that programs save one in, without loss."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..values.changes import Problem
from ..values.extras import no_collection
from ..values.records import DELETE
from ..values.schema import META, RECEIPT, Schema
from ..values.types.cell_text import read_column, read_heading, write_column, write_heading
from ..values.types.object_id import ID
from . import note as origin
from .assemble import Table, assemble
from .atomic import replaced
from .bounds import LONGEST_LINE, damaged, read_bytes, refuse_wide
from .csv_arrow import arrow_columns, arrow_series, is_arrow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from ..values.types.base import Field, Style
    from .note import Note
    from .table import Columns, ReadOptions

DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 1 << 18
"""Characters in which the first line must end."""
QUOTE = '"'
_LINES = 10_000
"""Written at a time."""
_ENCODING = Argument("encoding", "reads another one")


def write(
    path: Path,
    parts: Iterable[Columns],
    style: Style,
    *,
    bom: bool = False,
    delimiter: str = ",",
    note: Note | None = None,
) -> int:
    """Write a table, and beside it what is known of its origin; return the number of rows.

    Args:
        path: Of the file, which appears when it is complete.
        parts: Of the table, one below the other: at least one.
        style: Of the cells.
        bom: Begin with a byte order mark.
        delimiter: Between cells.
        note: Of the origin; the number of rows is put into it.
    """
    rows, head = 0, True
    with replaced(path, encoding="utf-8-sig" if bom else "utf-8") as file:
        for columns in parts:
            if head:
                write_columns(file, [[write_heading(f.path)] for f, _ in columns], delimiter=delimiter)
            write_columns(file, [write_column(f, cells, style) for f, cells in columns], delimiter=delimiter)
            rows, head = rows + (len(columns[0][1]) if columns else 0), False
        origin.write_beside(path, note and note | {"rows": rows}, file)
    return rows


@no_collection()  # the rows of the file hold no cycles, but there are many of them
def read(path: Path, schema: Schema, options: ReadOptions) -> pd.DataFrame:
    """Read a table as a frame of a schema; `read_csv` tells errors."""
    note = origin.read_beside(path)
    origin.check(path, note, schema)
    text, notes = decode(path, options.encoding)
    known = {f.path for f in (*schema.fields, *META, RECEIPT)} | {"_id", DELETE, *(options.rename or {})}
    table, ragged = _plain_table(text, path, known, options.delimiter, schema) or _table(
        *parse(text, path, known, options.delimiter), path
    )
    style = options.style(note)
    problems = tuple(replace(p, rows=tuple(_ragged(row, schema, style) for row in p.rows)) for p in ragged)
    source = replace(options.source(path), notes=notes, problems=problems)

    def column(field: Field, cells: Sequence[Any]) -> list[Any] | pd.Series[Any]:
        if is_arrow(cells):
            found = arrow_series(field, cells)
            if not isinstance(found, list):
                return found
            cells = found
        return read_column(field, cells, style)

    source = origin.described(source, note, schema)
    return assemble(table, schema, column, source=source, rename=options.rename, copies=options.copies)


def write_columns(file: IO[str], columns: Sequence[Sequence[str]], *, delimiter: str = ",") -> None:
    """Write texts, given by column, in the one form of a CSV file here: RFC 4180, no needless quotes.

    That is what `csv.writer` writes, in half the time, because most columns need no quotes at all.
    """
    if len(columns) == 1:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(zip(*columns, strict=True))
        return
    special = re.compile(f'[{re.escape(delimiter)}"\r\n]')
    quoted = [_quoted(texts, special) for texts in columns]
    lines = list(map(delimiter.join, zip(*quoted, strict=True)))
    for start in range(0, len(lines), _LINES):
        file.write("\r\n".join(lines[start : start + _LINES]) + "\r\n")


def as_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as the text of a CSV file."""
    file = io.StringIO()
    write_columns(file, list(zip(*rows, strict=True)))
    return file.getvalue()


def _quoted(texts: Sequence[str], special: re.Pattern[str]) -> Sequence[str]:
    if not special.search("".join(texts)):
        return texts
    return [f'"{text.replace(QUOTE, QUOTE * 2)}"' if special.search(text) else text for text in texts]


def decode(path: Path, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and what there is to say about its encoding.

    Raises:
        ValueError: It is in none of the encodings that can be told without being told.
    """
    try:
        data = read_bytes(path, lines=True)
        known = encoding or next((name for mark, name in _MARKS if data.startswith(mark)), None)
        return data.decode(known or "utf-8"), ()
    except MemoryError as error:
        raise damaged(path, "table", error) from None
    except UnicodeDecodeError as error:
        if known:
            raise ValueError(f"{printable(path)} is not in the encoding {known}: {error}") from None
    try:
        return data.decode("cp1252"), ("the file is not in UTF-8: it was read as Windows-1252",)
    except UnicodeDecodeError as error:
        raise ValueError(
            Message(
                f"{printable(path)} is neither in UTF-8 nor in Windows-1252 ({error}): save it as UTF-8",
                _ENCODING,
            )
        ) from None


def dialect(
    text: str, path: Path, known: Collection[str], delimiter: str | None = None
) -> tuple[str, str, list[str]]:
    """Return a CSV text without its line `sep=;`, its delimiter, and its first row.

    Args:
        text: Of the file.
        path: Of the file, for messages.
        known: Names of columns: the delimiter is the one by which the first line has most of them.
        delimiter: Where it is known.

    Raises:
        ValueError: The first row is none, or has more names than any table.
    """
    csv.field_size_limit(LONGEST_LINE)
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == 5:
        text, delimiter = rest, delimiter or first[4]
    head = text[:_HEAD]
    lines = head.splitlines() or [""]
    if "\0" in lines[0]:
        raise ValueError(Message(f"{printable(path)} is no text: save it as CSV in UTF-8", _ENCODING))
    if len(lines) == 1 and len(text) > _HEAD:
        raise ValueError(
            f"{printable(path)} has no line of names: its first {_HEAD:,} characters are one line"
        )
    delimiter = delimiter or max(DELIMITERS, key=lambda sign: _known_names(_first(head, sign), known))
    header = _first(head, delimiter)
    refuse_wide(path, len(header))
    return text, delimiter, header


def parse(
    text: str, path: Path, known: Collection[str], delimiter: str | None = None
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the first row of a CSV text, and the others that are not empty, each with its number.

    Raises:
        ValueError: As `dialect`, or a cell does not end.
    """
    text, delimiter, _ = dialect(text, path, known, delimiter)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return next(rows, []), [(number, row) for number, row in enumerate(rows, start=2) if any(row)]
    except csv.Error as error:
        raise ValueError(f"{printable(path)}, line {rows.line_num:,}: {error}") from None


def _first(head: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])


def _known_names(header: list[str], known: Collection[str]) -> tuple[int, int]:
    return sum(name.strip() in known for name in header), len(header)


def _plain_table(
    text: str, path: Path, known: Collection[str], delimiter: str | None, schema: Schema
) -> tuple[Table, tuple[Problem, ...]] | None:
    """Return the cells by the short cut for exported files; None where it does not lead there."""
    body, delimiter, header = dialect(text, path, known, delimiter)
    header = list(map(read_heading, header))
    columns = arrow_columns(body, header, delimiter) if all(header) else None
    if columns is None:
        return None
    rows = tuple(range(2, len(columns[0]) + 2))
    of_schema = {"_id", RECEIPT.path, *schema.columns}
    cells = [c if name in of_schema else c.to_pylist() for name, c in zip(header, columns, strict=True)]
    return Table(tuple(header), tuple(cells), rows), ()


def _table(
    names: list[str], numbered: list[tuple[int, list[str]]], path: Path
) -> tuple[Table, tuple[Problem, ...]]:
    """Return the cells by column; rows of another length than the header as Problems."""
    header = list(map(read_heading, names))
    while header and not header[-1]:
        header.pop()
    if not header:
        raise ValueError(f"{printable(path)} has no header")
    width, problems = len(header), []
    if any(len(row) != width for _, row in numbered):
        fitted = [(number, _fitted(row, header)) for number, row in numbered]
        cells = {number: dict(zip(header, row, strict=False)) for number, row in numbered}
        problems = [
            Problem(number, row[0], column=row[1], rows=(cells[number],))
            for number, row in fitted
            if isinstance(row, tuple)
        ]
        numbered = [(number, row) for number, row in fitted if isinstance(row, list)]
    columns = tuple(zip(*(row for _, row in numbered), strict=True)) or ((),) * width
    titles = tuple(name or f"column {i + 1}" for i, name in enumerate(header))
    return Table(titles, columns, tuple(number for number, _ in numbered)), tuple(problems)


def _ragged(row: Mapping[str, str], schema: Schema, style: Style) -> dict[str, Any]:
    """Return the values of a row that is too long or too short, as far as they go.

    Nobody knows whether they stand in their columns: no receipt says that they may be taken as they are.
    """
    fields = {f.path: f for f in (*schema.fields, *META, ID) if f.path in row}
    values = {path: read_column(field, [row[path]], style)[0] for path, field in fields.items()}
    return values | {RECEIPT.path: "cells are missing or too many"}


def _fitted(row: list[str], header: list[str]) -> list[str] | tuple[str, str | None]:
    """Return a row of the header's length, or reason and column where it cannot be made so.

    A row may be shorter, as programs leave out blanks at its end, unless it has an id: then the receipt,
    its last cell, must be there.
    """
    width = len(header)
    if any(row[width:]):
        return f"{len(row)} cells, but the header has {width}", None
    id_at = header.index("_id") if "_id" in header else width
    if len(row) < width and header[-1] == RECEIPT.path and any(row[id_at : id_at + 1]):
        return "the row ends before its receipt", RECEIPT.path
    return row[:width] + [""] * (width - len(row))

"""CSV files: written in one form, read in all forms that programs save one in, without loss."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import chain, islice, pairwise
from typing import IO, TYPE_CHECKING, Any

from sispy.remedies import Message
from sispy.text import printable

from ..values.changes import Problem
from ..values.records import DELETE
from ..values.schema import META, RECEIPT
from ..values.types.base import Style
from ..values.types.cell_text import read_column, read_heading, unescape, write_column, write_heading
from .base import Format, Incoming
from .bounds import damaged
from .csv_arrow import arrow_columns, arrow_series, is_arrow
from .delimited import BLANK, HEAD, QUOTE, Delimited, delimited, is_odd, one_column, reader
from .encodings import decode
from .headings import by_place
from .note import read_beside, write_beside
from .outline import BOTTOM, outlined
from .pieces import has_more_lines, records_of, sure_encoding, text_stream, until
from .table import Table, as_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .atomic import OutFile
    from .base import Outgoing
    from .bounds import InFile
    from .options import ReadOptions, WriteOptions
    from .table import Values

_ESCAPED = '\\"'
"""A quote as some databases write it: csv takes it for the end of the cell."""
_LINES = 10_000
"""Written at a time."""


class Csv(Format):
    """Comma-separated values."""

    name = "CSV"
    delimiter = ","
    """Between cells, where nothing else is said; reading finds out by itself."""
    heeds = frozenset(("encoding", "delimiter", "header_row", "footer_rows"))
    is_text = holds_any_cell = True

    def read(self, file: InFile, schema: Schema | None, options: ReadOptions) -> Incoming:
        note = read_beside(file)
        text, encoding, guess = _text(file, options.encoding)
        known = _known(schema, options)
        dialect = delimited(text, file, known, options)
        is_plain = schema is not None and dialect.delimiter != BLANK
        plain = _plain_table(dialect, schema, file) if schema is not None and is_plain else None
        told = None if schema is None or options.header_row == 0 else options.rename
        table, ragged, guesses = (plain, (), ()) if plain else _table(dialect, file, told, options, known)
        return Incoming(
            table,
            _read,
            _plain,
            note,
            problems=ragged,
            blank="",
            is_foreign=guess is not None or dialect.delimiter != self.delimiter,
            used={"encoding": encoding, "delimiter": dialect.delimiter},
            guesses=((guess,) if guess else ()) + dialect.guesses + guesses,
        )

    def exceeds(self, file: InFile, rows: int) -> bool:
        return has_more_lines(file, rows)

    def pieces(
        self, file: InFile, schema: Schema, options: ReadOptions, rows: int
    ) -> Iterator[tuple[InFile, ReadOptions]]:
        encoding = sure_encoding(file, options)
        with text_stream(file, encoding) as lines:
            head = "".join(until(lines, HEAD))
            dialect = delimited(head, file, _known(schema, options), options)
            every = chain(io.StringIO(dialect.text, newline=""), lines)
            records = records_of(every, lambda lines: reader(lines, dialect.delimiter), file)
            has_names = options.header_row != 0
            row, line, names = next(one for one in records if one[0] == dialect.row)
            if not has_names:
                records, names = chain([(row, line, names)], records), ""
            below = options.footer_rows
            if below is None:
                below = 0 if has_names and "_id" in dialect.header else BOTTOM
            options = replace(options, header_row=1 if options.header_row else options.header_row)
            buffer = list(islice(records, rows + below))
            while buffer:
                more = list(islice(records, rows))
                is_last = not more or len(buffer) + len(more) <= rows + below
                part, buffer = (buffer + more, []) if is_last else (buffer[:rows], buffer[rows:] + more)
                number, line, _ = part[0]
                content = (names + "".join(text for _, _, text in part)).encode(encoding)
                yield (
                    replace(
                        file,
                        content=content,
                        rows_above=number - has_names - 1,
                        lines_above=line - len(io.StringIO(names, newline="").readlines()),
                    ),
                    options if is_last else replace(options, footer_rows=0),
                )

    def write(self, file: OutFile, table: Outgoing, options: WriteOptions) -> int:
        style, rows, head = Style(options.zone), 0, True
        delimiter = options.delimiter or self.delimiter
        with file.text("utf-8-sig" if options.bom else "utf-8") as opened:
            for part in table.parts:
                columns = as_table(part, schema=table.schema)
                if head:
                    names = [[write_heading(field.path)] for field, _ in columns]
                    write_columns(opened, names, delimiter=delimiter)
                texts = [write_column(field, cells, style) for field, cells in columns]
                write_columns(opened, texts, delimiter=delimiter)
                rows, head = rows + len(part), False
            write_beside(file, table.note, rows, opened)
        return rows


class Tabs(Csv):
    """The same with tabs between the values."""

    delimiter = "\t"


def _read(field: Field, cells: Sequence[Any], style: Style) -> Values:
    if is_arrow(cells):
        found = arrow_series(field, cells, style)
        if not isinstance(found, list):
            return found
        cells = found
    return read_column(field, cells, style)


def _plain(cell: str) -> str | None:
    return unescape(cell) if cell else None


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


def _known(schema: Schema | None, options: ReadOptions) -> set[str]:
    """Return names of columns by which the header is recognised."""
    fields = () if schema is None else (*schema.fields, *META)
    return {"_id", RECEIPT.path, DELETE, *options.rename, *(f.path for f in fields)}


def _text(file: InFile, encoding: str | None) -> tuple[str, str, Message | None]:
    """Return the text of a file, its encoding, and what to say if that is a guess; see `decode`."""
    try:
        return decode(file.data(lines=True), file, encoding)
    except MemoryError as error:
        raise damaged(file, "table", error) from None


def _rows(dialect: Delimited, file: InFile) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty, from the header on, each with its number.

    Raises:
        ValueError: A cell does not end.
    """
    lines = chain(io.StringIO(dialect.text, newline=""), "\n")  # a last row without an end is of two lines
    rows = reader(lines, dialect.delimiter)
    found, ends = [], [0]
    try:
        for number, row in enumerate(rows, start=1):
            ends.append(rows.line_num)
            if number >= dialect.row and any(row):
                found.append((number + file.rows_above, row))
    except csv.Error as error:
        line = rows.line_num + file.lines_above
        raise ValueError(f"{printable(file)}, line {line:,}: {error}") from None
    if is_odd(dialect):
        _refuse_quotes(dialect, file, pairwise(ends))
    return found


def _refuse_quotes(dialect: Delimited, file: InFile, rows: Iterable[tuple[int, int]]) -> None:
    """Raise if a quote does not end where its cell does: what is read then is not what was meant.

    Args:
        dialect: Of the file.
        file: For messages.
        rows: Before which lines they begin and end.

    Raises:
        ValueError: There is one.
    """
    lines = list(io.StringIO(dialect.text, newline=""))
    for begin, end in rows:
        try:
            list(reader(lines[begin:end], dialect.delimiter, strict=True))
        except csv.Error:
            said = "a quote begins a cell, and none ends it: close it in the file"
            if end == begin + 1:
                sign = _ESCAPED if _ESCAPED in lines[begin] else QUOTE
                said = f'within a cell in quotes a quote is written "", not {sign}'
            raise ValueError(f"{printable(file)}, line {begin + 1 + file.lines_above:,}: {said}") from None


def _plain_table(dialect: Delimited, schema: Schema, file: InFile) -> Table | None:
    """Return the cells by the short cut for exported files; None where it does not lead there."""
    header = list(map(read_heading, dialect.header))
    if not all(header) or dialect.row > 1:
        return None
    columns = arrow_columns(dialect.text, header, dialect.delimiter)
    if columns is None:
        return None
    first = 2 + file.rows_above
    rows = tuple(range(first, len(columns[0]) + first))
    if is_odd(dialect):
        return None
    of_schema = {"_id", RECEIPT.path, *schema.columns}
    cells = [c if name in of_schema else c.to_pylist() for name, c in zip(header, columns, strict=True)]
    return Table(tuple(header), tuple(cells), rows)


def _table(
    dialect: Delimited,
    file: InFile,
    told: Collection[str] | None,
    options: ReadOptions,
    known: Collection[str],
) -> tuple[Table, tuple[Problem, ...], tuple[str, ...]]:
    """Return the cells by column; rows of another length than the header as Problems.

    Columns without a name and without a cell are left out; where a schema is known, so are those at the end
    that nobody has named.

    Args:
        dialect: Of the file.
        file: For messages.
        told: What has other names; None: the schema is not known.
        options: Where the table is, as far as it was told.
        known: Names of columns.

    Returns:
        The table, the rows that do not fit into it, and what of this is a guess.
    """
    outline = outlined(_rows(dialect, file), options, known)
    header, numbered = list(map(read_heading, outline.header)), list(outline.rows)
    while told is not None and header and not header[-1] and by_place(len(header)) not in told:
        header.pop()
    width, problems, guesses = len(header), [], outline.guesses
    one = one_column(dialect) if len(dialect.header) == 1 else ()
    sentences = [outline.header, *(row for _, row in numbered)] if width == 2 and guesses else []
    if sentences and all(row[1:2] and row[1].startswith(" ") for row in sentences):
        guesses = (Message(guesses[0], *one), *guesses[1:])  # they may be no titles
    ways = one if width == 1 else ()
    cause = f": {dialect.delimiter!r} is assumed to separate cells" if ways else ""
    if any(len(row) != width for _, row in numbered):
        fitted = [(number, _fitted(row, header)) for number, row in numbered]
        cells = {number: dict(zip(header, row, strict=False)) for number, row in numbered}
        problems = [
            Problem(number, Message(row[0] + cause, *ways), column=row[1], rows=(cells[number],))
            for number, row in fitted
            if isinstance(row, tuple)
        ]
        numbered = [(number, row) for number, row in fitted if isinstance(row, list)]
    columns = tuple(zip(*(row for _, row in numbered), strict=True)) or ((),) * width
    places = [i for i, name in enumerate(header) if name or any(columns[i])]
    table = Table(
        tuple(header[i] for i in places),
        tuple(columns[i] for i in places),
        tuple(number for number, _ in numbered),
        tuple(i + 1 for i in places),
    )
    return table, tuple(problems), guesses


def _fitted(row: Sequence[str], header: list[str]) -> list[str] | tuple[str, str | None]:
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
    return [*row[:width], *[""] * (width - len(row))]

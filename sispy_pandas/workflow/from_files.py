"""CSV files: a table out and in again without loss, whatever a program did to the file meanwhile."""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from sispy.text import printable

from ..formats import note as origin
from ..formats.assemble import Copies, Table, assemble
from ..formats.atomic import replaced
from ..formats.cell_values import read_column
from ..formats.cells import Style, read_heading, write_column, write_heading
from ..formats.csv import decode, dialect, parse, write_columns
from ..formats.csv_arrow import arrow_columns, arrow_series, is_arrow
from ..reading.decode import no_collection
from ..values.changes import Problem
from ..values.marked import DELETE
from ..values.schema import META, RECEIPT, Field, Schema
from ..values.source import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence

    from .objects import Snapshot

_ID = Field("_id", "ObjectId")


def to_csv(
    source: Snapshot | pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    schema: Schema | None = None,
    meta: bool = False,
    tz: str | datetime.tzinfo = "UTC",
    bom: bool = False,
    delimiter: str = ",",
) -> None:
    """Write a table to a CSV file that can be edited anywhere and read back with `read_csv`.

    The file is RFC 4180 in UTF-8: `_id` first, the receipt `_updated_at` last. It appears only when it is
    complete. Beside it, a small `.meta.json` tells where a snapshot came from; the CSV works without it.

    Args:
        source: A snapshot, or a frame of one.
        path: Of the file.
        schema: Of a frame; without one the columns are written by their dtypes.
        meta: Write the columns of `_sis`, too, where the source is a snapshot.
        tz: Zone that times are shown in; every time carries its offset.
        bom: Begin with a byte order mark, by which Excel knows UTF-8.
        delimiter: Between cells; Excel wants `;` where the decimal mark is a comma.

    Raises:
        ValueError: No such zone, or a text that UTF-8 does not have.
        FileNotFoundError: There is no such folder.
    """
    table = as_table(source, schema=schema, meta=meta)
    style, path = Style(zone_of(tz)), Path(path)
    columns = [write_column(field, cells, style) for field, cells in table]
    with replaced(path, encoding="utf-8-sig" if bom else "utf-8") as file:
        write_columns(file, [[write_heading(field.path)] for field, _ in table], delimiter=delimiter)
        write_columns(file, columns, delimiter=delimiter)
        known = None if isinstance(source, pd.DataFrame) else origin.origin(source, zone=str(style.zone))
        origin.write_beside(path, known, file)


@no_collection()  # the rows of the file hold no cycles, but there are many of them
def read_csv(
    path: str | os.PathLike[str],
    schema: Schema,
    *,
    tz: str | datetime.tzinfo | None = None,
    dayfirst: bool | None = None,
    decimal: Literal[".", ","] = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    rename: Mapping[str, str] | None = None,
    refs: Literal["id", "label"] = "id",
    copies: Copies = "refuse",
    accept_program_changes: bool = False,
) -> pd.DataFrame:
    """Read a CSV file as a frame of a schema: nothing is guessed, nothing is lost.

    Blank cells are no value; columns that the file lacks stay untouched when the frame is compared; columns
    that the schema lacks are kept as text at the end. A cell that is no value of its column stays text, and
    the diff names it. Rows whose `_id` or receipt was damaged are left out and become Problems of the plan.

    Args:
        path: Of the file. Commas, semicolons, tabs or bars; UTF-8, UTF-16 with a byte order mark, or
            Windows-1252.
        schema: As in `snapshot.schema`.
        tz: Zone of times without offset; by default the one that the file was exported with, else UTC.
        dayfirst: Take dates like 3/4/2020, too: True for the third of April. Else they are refused.
        decimal: The decimal mark.
        encoding: Where it is known.
        delimiter: Where it is known.
        rename: Name in the file -> name in the schema.
        refs: "label": references are written as labels. A file that was exported with labels says so itself.
        copies: What a row is that carries another row's `_id`: a Problem, or with "new" a new row.
        accept_program_changes: Take edits that look like a program's work, as 00123 -> 123, as they are.

    Raises:
        ValueError: The file is of another schema or a later format, cannot be decoded, two of its columns
            have one name, or it is no table: endless, packed, or larger than 2 GiB.

    Example:
        >>> _ = sp.to_csv(live, "hosts.csv")
        >>> live.diff(read_csv("hosts.csv", live.schema)).empty
        True
    """
    path = Path(path)
    note = origin.read_beside(path)
    origin.check(path, note, schema)
    text, notes = decode(path, encoding)
    known = {f.path for f in (*schema.fields, *META, RECEIPT)} | {"_id", DELETE, *(rename or {})}
    source = Source(
        str(path),
        notes=notes,
        accept_program_changes=accept_program_changes,
        labels={} if refs == "label" else None,
    )
    table, ragged = _plain_table(text, path, known, delimiter, schema) or _table(
        *parse(text, path, known, delimiter), path
    )
    style = Style(zone_of(tz or note.get("zone") or "UTC"), dayfirst, decimal)
    ragged = tuple(replace(p, rows=tuple(_ragged(row, schema, style) for row in p.rows)) for p in ragged)
    source = replace(origin.described(source, note, schema), problems=ragged)

    def read(field: Field, cells: Sequence[Any]) -> list[Any] | pd.Series[Any]:
        if is_arrow(cells):
            found = arrow_series(field, cells)
            if isinstance(found, pd.Series):
                return found
            cells = found
        return read_column(field, cells, style)

    return assemble(table, schema, read, source=source, rename=rename, copies=copies)


def as_table(
    source: Snapshot | pd.DataFrame, *, schema: Schema | None = None, meta: bool = False
) -> list[tuple[Field, pd.Series[Any]]]:
    """Return the columns of a snapshot or frame in a file's order, each with its field."""
    if isinstance(source, pd.DataFrame):
        frame = source
    else:
        frame, schema = source.frame(meta=meta), source.schema
    known = {f.path: f for f in (*schema.fields, *META, RECEIPT)} if schema else {RECEIPT.path: RECEIPT}
    table = [(known.get(str(label)) or field_of(str(label), frame[label]), frame[label]) for label in frame]
    if frame.index.name == "_id":
        table.insert(0, (_ID, frame.index.to_series()))
    return table


def field_of(path: str, cells: pd.Series[Any]) -> Field:
    """Return a field made of a column's dtype, for a frame whose schema is not known."""
    if path == "_id":
        return _ID
    kind = cells.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return Field(path, "String")
    if kind.kind in "biufM":
        return Field(path, "Boolean" if kind.kind == "b" else "Date" if kind.kind == "M" else "Number")
    if not pd.api.types.is_object_dtype(kind):
        return Field(path, "String")
    kinds = {type(cell) for cell in cells.tolist() if cell is not None and cell is not pd.NA}
    if kinds and kinds <= {tuple, list}:
        return Field(path, "Array", item=Field("", "Mixed"))
    return Field(path, "String" if kinds <= {str, float} else "Mixed")


def zone_of(tz: str | datetime.tzinfo) -> datetime.tzinfo:
    """Return a time zone by its name.

    Raises:
        ValueError: No such zone.
    """
    if not isinstance(tz, str):
        return tz
    if tz.upper() == "UTC":
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(tz)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{tz!r} is no time zone; one is 'Europe/Berlin'") from None


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
    fields = {f.path: f for f in (*schema.fields, *META, _ID) if f.path in row}
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

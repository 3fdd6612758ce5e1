"""Tables out of files that people edited: nothing is guessed, nothing is lost."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, TypeAlias

from ..formats.bounds import InFile
from ..formats.csv import Csv
from ..formats.dialect import known_rows
from ..formats.excel import Excel
from ..formats.mapping import read_options
from ..formats.ndjson import Ndjson
from ..formats.options import told_in_full
from ..formats.parquet import Parquet
from ..formats.reader import read_frame
from ..values.schema import Schema

if TYPE_CHECKING:
    import os
    from typing import Unpack

    import pandas as pd

    from ..formats.base import Format
    from ..formats.options import ReadKeywords
    from ..values.row_set import RowSet

Readable: TypeAlias = "str | os.PathLike[str] | IO[Any]"
"""A path, or an open file, which is read to its end."""


@told_in_full
def read_csv(path: Readable, schema: Schema | RowSet, **how: Unpack[ReadKeywords]) -> pd.DataFrame:
    """Read a CSV file as a frame of a schema: nothing is guessed, nothing is lost.

    Blank cells are no value; columns that the file lacks stay untouched when the frame is compared; columns
    that the schema lacks are kept as text at the end. A cell that is no value of its column stays text, and
    the diff names it. Rows whose `_id` or receipt was damaged are left out and become Problems of the plan.

    Args:
        path: Of the file, or an open file. Commas, semicolons, tabs or bars; UTF-8, UTF-16 with a byte order
            mark, or Windows-1252; packed by gzip or not.
        schema: As in `snapshot.schema`; or the snapshot: the cells that nobody touched then tell how the file
            is written, and 1234,5 and 04.03.2024 mean what was exported, where that leaves no doubt.
        how: What the file does not tell by itself, as follows.
        tz: Zone of times without offset; by default the one that the file was exported with, else UTC.
        dayfirst: Take dates like 3/4/2020, too: True for the third of April. Else they are refused.
        decimal: The decimal mark.
        thousands: The mark between groups of three digits.
        na: Texts of cells that have no value.
        true: Words for true, in any case, besides true, yes and 1.
        false: Words for false.
        unit: What stands beside numbers and is no part of them: ["€", "GB"]; "TB=1024" takes 2 TB for 2048.
        text: Columns whose cells are texts, as people see them: no JSON, no times or large numbers.
        encoding: Where it is known.
        delimiter: Where it is known.
        sheet: Of a workbook.
        header_row: Number of the row that holds the names; by default the first one that is not blank, or
            that names all columns if only titles stand above it. 0: there are none, they are `column 1` etc.
        footer_rows: How many rows at the end to leave out; by default totals and remarks.
        at: In JSON alone: where the rows are; `*` is each member of an object, with its `key`.
        rename: Name in the file -> name in the schema.
        constants: Name of a column that the file lacks -> its text in all rows.
        ignore_case: Names of columns and values of an enum may be written in another case.
        refs: "label": references are written as labels. A file that was exported with labels says so itself.
        copies: What a row is that carries another row's `_id`: a Problem, or with "new" a new row.
        accept_program_changes: Take edits that look like a program's work, as 00123 -> 123, as they are.
        save_mapping: File to which what was used to read this one is written as a mapping, in TOML.
        mapping: File with such a mapping: what is told beside it counts more.

    Raises:
        ValueError: The file is of another schema or a later format, cannot be decoded, two of its columns
            have one name, or it is no table: endless, packed, or larger than 2 GiB.

    Example:
        >>> _ = sp.to_csv(live, "hosts.csv.gz")
        >>> live.diff(read_csv("hosts.csv.gz", live.schema)).empty
        True
    """
    return _read(InFile.of(path), Csv(), schema, how)


@told_in_full
def read_excel(path: Readable, schema: Schema | RowSet, **how: Unpack[ReadKeywords]) -> pd.DataFrame:
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
        path: Of the workbook, or an open file.
        schema: As in `snapshot.schema`; or the snapshot, as for `read_csv`.
        how: As for `read_csv`, with these differences.
        sheet: Its name; by default the one that was exported from this schema, else the one of its name, else
            the only one.
        tz: Zone of the times; by default the one that the workbook was exported with, else UTC.
        dayfirst: Take dates that are text like 3/4/2020: True for the third of April. Else they are refused.
        copies: What a row is that was copied together with its hidden `_id`: a Problem, or with "new" a new
            row. The one whose key is still as it was exported is the row itself.

    Raises:
        ValueError: The workbook is of another schema or a later format, it cannot be told which sheet is
            meant, or it is damaged, locked by a password, or larger than programs make one.
        ImportError: openpyxl is missing.

    Example:
        >>> _ = sp.to_excel(live, "hosts.xlsx")
        >>> live.diff(read_excel("hosts.xlsx", live.schema)).empty
        True
    """
    return _read(InFile.of(path), Excel(), schema, how)


@told_in_full
def read_parquet(path: Readable, schema: Schema | RowSet, **how: Unpack[ReadKeywords]) -> pd.DataFrame:
    """Read a Parquet file as a frame of a schema, whoever wrote it.

    Columns may be of any type that holds the values of their field: numbers, times and lists as Arrow has
    them, documents as structs, or all of these as text, which then means what it means in a CSV file. What
    `to_parquet` has noted in the file is where its rows came from.

    Args:
        path: Of the file, or an open file.
        schema: As in `snapshot.schema`; or the snapshot, as for `read_csv`.
        how: As for `read_csv`; `tz` is the zone of times that have none.

    Raises:
        ValueError: The file is of another schema or a later format, or damaged.
        ImportError: pyarrow is missing.

    Example:
        >>> _ = sp.to_parquet(live, "hosts.parquet")
        >>> live.diff(read_parquet("hosts.parquet", live.schema)).empty
        True
    """
    return _read(InFile.of(path), Parquet(), schema, how)


@told_in_full
def read_ndjson(path: Readable, schema: Schema | RowSet, **how: Unpack[ReadKeywords]) -> pd.DataFrame:
    """Read JSON records, one per line, as a frame of a schema.

    A key that a record lacks is no value, as in `to_ndjson`; one that all records lack stays untouched when
    the frame is compared. Lines end at LF alone: any other line separator is a part of its text.

    Args:
        path: Of the file, or an open file; packed by gzip or not.
        schema: As in `snapshot.schema`; or the snapshot, as for `read_csv`.
        how: As for `read_csv`.

    Raises:
        ValueError: A line is not a JSON object, or the file is of another schema or a later format.

    Example:
        >>> _ = sp.to_ndjson(live, "hosts.ndjson")
        >>> live.diff(read_ndjson("hosts.ndjson", live.schema)).empty
        True
    """
    return _read(InFile.of(path), Ndjson(), schema, how)


def _read(file: InFile, form: Format, rows: Schema | RowSet, how: ReadKeywords) -> pd.DataFrame:
    options = read_options(how)
    if isinstance(rows, Schema):
        return read_frame(file, form, rows, options)
    return read_frame(file, form, rows.schema, options, known_rows(rows))

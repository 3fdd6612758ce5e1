"""Tables out of files that people edited: nothing is guessed, nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..formats.bounds import InFile
from ..formats.csv import Csv
from ..formats.excel import Excel
from ..formats.options import ReadOptions
from ..formats.reader import read_frame

if TYPE_CHECKING:
    import datetime
    import os
    from collections.abc import Mapping

    import pandas as pd

    from ..formats.options import Copies
    from ..values.schema import Schema


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
    options = ReadOptions(
        tz=tz,
        dayfirst=dayfirst,
        decimal=decimal,
        encoding=encoding,
        delimiter=delimiter,
        rename=rename or {},
        refs=refs,
        copies=copies,
        accept_program_changes=accept_program_changes,
    )
    return read_frame(InFile.of(path), Csv(), schema, options)


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
    options = ReadOptions(
        sheet=sheet,
        tz=tz,
        dayfirst=dayfirst,
        rename=rename or {},
        refs=refs,
        copies=copies,
        accept_program_changes=accept_program_changes,
    )
    return read_frame(InFile.of(path), Excel(), schema, options)

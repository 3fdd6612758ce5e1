"""A copy of the workbook that a plan was made of: what is wrong is shown, what was written is put in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import what_of
from sispy.text import printable

from ..formats.atomic import refuse_unwritable, replacing
from ..formats.bounds import InFile
from ..formats.excel_base import pieces
from ..formats.excel_book import EditableSheet
from ..formats.excel_cells import LongText, escaped, excel_column
from ..formats.excel_conflicts import write_conflicts
from ..formats.excel_file import book_file
from ..formats.excel_write import CONFLICTS
from ..formats.options import zone_of
from ..values.labels import replaced
from ..values.records import frame_of
from ..values.schema import META, RECEIPT, Schema
from ..values.types.base import Style
from ..values.types.cells import get_path
from ..values.types.convert import json_values
from ..values.types.object_id import ID
from .outcome import PushResult

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Iterator, Mapping

    from ..planning.change_set import ChangeSet

_PROBLEM, _CONFLICT = "FFFFC7CE", "FFFFEB9C"
"""The colours that Excel itself gives to bad and neutral cells."""
_LONGEST = 1_000


def mark_problems(
    path: str | os.PathLike[str] | InFile,
    problems: ChangeSet | PushResult | pd.DataFrame,
    out: str | os.PathLike[str],
    *,
    sheet: str | None = None,
    rename: Mapping[str, str] | None = None,
    write_back: bool = False,
) -> Path:
    """Write a copy of a workbook in which every problem is shown in its cell, and return its path.

    Cells with a problem are red, cells that somebody else changed are yellow; the reason is a comment. A
    further sheet lists the conflicts with base, mine and theirs: choose in its column `keep`, and
    `read_excel` takes the choice back. The workbook itself stays as it is. The copy has no drawings or
    pictures: openpyxl does not know them.

    Args:
        path: Of the workbook as it was read.
        problems: The plan that was made of it, its `problems`, or the report of its push.
        out: Of the copy; another file.
        sheet: As given to `read_excel`.
        rename: As given to `read_excel`.
        write_back: Put the ids of new rows and the server's state of all rows that were written into the
            copy, so that it can be edited further. Needs a report.

    Raises:
        ValueError: `out` is the workbook itself, or there is no report to write back.
        ImportError: openpyxl is missing.

    Example:
        >>> _ = sp.to_excel(live, "hosts.xlsx")
        >>> edited = sp.read_excel("hosts.xlsx", live.schema)
        >>> plan = live.diff(edited.assign(position=99))
        >>> mark_problems("hosts.xlsx", plan, "problems.xlsx").name
        'problems.xlsx'
    """
    schema = _schema_of(problems)
    copy = copy_to_mark(path, out, schema, sheet=sheet, rename=rename)
    return marked(copy, problems, write_back=write_back)


@dataclass(frozen=True, slots=True)
class Copy:
    """A workbook that was read, and the file that it is to be written to with marks in it."""

    book: Any
    target: EditableSheet
    out: Path


def copy_to_mark(
    path: str | os.PathLike[str] | InFile,
    out: str | os.PathLike[str],
    schema: Schema | None,
    *,
    sheet: str | None = None,
    rename: Mapping[str, str] | None = None,
) -> Copy:
    """Read the workbook that `mark_problems` copies; refuse what it would refuse, before there is a report.

    Raises:
        ValueError: As `mark_problems`.
        OSError: `out` cannot be written.
    """
    out, file = Path(out), path if isinstance(path, InFile) else InFile.on_disk(path)
    if file.path is not None and out.exists() and out.samefile(file.path):
        raise ValueError(f"{printable(out)} is the workbook itself: write the marked copy beside it")
    refuse_unwritable(out)
    with book_file(file).opened() as book:
        return Copy(book, EditableSheet(book, file, schema, sheet=sheet, rename=rename or {}), out)


def marked(copy: Copy, problems: ChangeSet | PushResult | pd.DataFrame, *, write_back: bool = False) -> Path:
    """Write the copy, marked; for the arguments see `mark_problems`."""
    book, target, out = copy.book, copy.target, copy.out
    schema = _schema_of(problems)
    if write_back and not isinstance(problems, PushResult):
        raise ValueError("write_back=True needs the report of a push")
    if write_back and isinstance(problems, PushResult):
        _put_back(target, problems)
    for row, column, reason in _marks(problems):
        target.mark(row, column, reason[:_LONGEST], _PROBLEM)
    conflicts = () if isinstance(problems, pd.DataFrame) else problems.conflict_list
    for conflict in conflicts:
        reason = f"somebody else changed it meanwhile to {conflict.theirs!r}: decide in sheet {CONFLICTS!r}"
        target.mark(conflict.id, conflict.field, reason[:_LONGEST], _CONFLICT)
    if schema is not None and conflicts:
        write_conflicts(book, schema, conflicts)
    whole = BytesIO()  # on a full disk zipfile would complain on standard error, too
    with replacing(out) as beside:
        book.save(whole)
        with whole.getbuffer() as content:
            beside.write_bytes(content)
    return out


def _schema_of(problems: ChangeSet | PushResult | pd.DataFrame) -> Schema | None:
    if isinstance(problems, pd.DataFrame):
        return None
    return problems.plan.schema if isinstance(problems, PushResult) else problems.schema


def _marks(problems: ChangeSet | PushResult | pd.DataFrame) -> Iterator[tuple[Hashable, str | None, str]]:
    """Yield row, column and reason of everything that was not sent or not taken."""
    if isinstance(problems, pd.DataFrame):
        cells = (problems[name].tolist() for name in ("row", "column", "reason"))
        yield from zip(*cells, strict=True)
        return
    if isinstance(problems, PushResult):
        named = {problem.row for problem in problems.plan.problem_list}
        in_conflict = {conflict.id for conflict in problems.conflict_list}
        for outcome in problems.outcomes:
            if outcome.word in ("failed", "unsent", "conflict") and outcome.row not in named | in_conflict:
                yield outcome.row, None, what_of(outcome.reason)
        problems = problems.plan
    for problem in problems.problem_list:
        yield problem.row, problem.column, what_of(problem.reason)
    for stale in problems.stale:
        yield stale.id, None, what_of(stale.reason)


def _put_back(target: EditableSheet, report: PushResult) -> None:
    """Write ids, receipts and all cells of the rows that are done, and what they were when they were read.

    The whole row is written: a receipt vouches for every cell of it.
    """
    schema = report.plan.schema
    rows: dict[int, Mapping[str, Any]] = {}
    for outcome in report.outcomes:
        number, entity = target.row(outcome.row), report.entities.get(outcome.id or "")
        if outcome.word == "done" and number is not None and entity:
            rows[number] = entity
    if not rows:
        return
    entities = list(rows.values())
    fields = [f for f in (*schema.fields, *META) if f.path in target.columns]
    values = {f.path: [get_path(entity, f.path) for entity in entities] for f in fields}
    receipts = [entity["_sis"][RECEIPT.path] for entity in entities]
    frame = frame_of(schema, values, [entity["_id"] for entity in entities], receipts)
    style = Style(zone_of(target.found.note.get("zone") or "UTC"))
    shown = frame.assign(_id=frame.index)
    for path, ids in (target.found.note.get("labels") or {}).items():
        if path in shown.columns:
            shown[path] = replaced(shown[path], {id_: label for label, id_ in ids.items()})
    for field in (ID, *fields, RECEIPT):
        at = target.columns.get(field.path)
        if at is None:
            continue
        for number, cell in zip(rows, excel_column(field, shown[field.path], style), strict=True):
            _put(target.sheet.cell(number, at), cell)
    _put_base(target, schema, frame, report.plan.endpoint.client.url)


def _put(cell: Any, value: Any) -> None:
    if isinstance(value, LongText):
        return
    cell.value = escaped(value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"


def _put_base(target: EditableSheet, schema: Schema, frame: pd.DataFrame, server: str) -> None:
    hidden, note = target.found.hidden, target.found.note
    paths = note.get("columns")
    if hidden is None or paths is None:
        return
    _put_row(hidden, 1, note | {"server": server})  # after a rehearsal it is a workbook of the copy
    columns = [json_values(schema.field(p), frame[p]) if p in frame else [None] * len(frame) for p in paths]
    receipts = json_values(RECEIPT, frame[RECEIPT.path])
    at = {
        _id_of(row): number
        for number, row in enumerate(hidden.iter_rows(min_row=2, values_only=True), start=2)
    }
    for id_, receipt, *values in zip(frame.index, receipts, *columns, strict=True):
        _put_row(hidden, at.get(id_, hidden.max_row + 1), [id_, receipt, values])


def _put_row(hidden: Any, number: int, value: Any) -> None:
    """Write a value over a row of the hidden sheet, which may have taken more cells before."""
    cells = zip_longest(range(1, hidden.max_column + 1), pieces(value))
    for column, (_, piece) in enumerate(cells, start=1):
        _put(hidden.cell(number, column), piece)


def _id_of(row: Any) -> str | None:
    try:
        found: str = json.loads("".join(cell for cell in row if isinstance(cell, str)))[0]
    except (ValueError, IndexError, KeyError):
        return None
    return found

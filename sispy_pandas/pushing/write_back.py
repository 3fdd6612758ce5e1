"""The server's state of rows that were pushed, put back into the workbook that they came from."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ..formats.excel_base import pieces
from ..formats.excel_cells import LongText, escaped, excel_column
from ..formats.table import zone_of
from ..values.labels import replaced
from ..values.records import frame_of
from ..values.schema import META, RECEIPT, Schema
from ..values.types.base import Style, json_values
from ..values.types.cells import get_path
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ..formats.excel_book import EditableSheet
    from .outcome import PushResult


def put_back(target: EditableSheet, report: PushResult) -> None:
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

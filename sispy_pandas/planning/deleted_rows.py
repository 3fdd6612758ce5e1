"""The rows of an edited frame that are to be deleted: named one by one, never by leaving them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..changes import Delete, Problem
from ..records import json_values
from ..schema import RECEIPT, Field, Schema
from ..values.cast import cast, is_missing
from ..values.entity import EDITABLE_META
from ..values.receipts import milliseconds_of
from .matching import ids_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from .matching import Matched

DELETE = "_delete"
"""The column of a file in which rows are marked for deletion."""

_MARK = Field(DELETE, "Boolean")


def deleted_rows(
    schema: Schema, base: pd.DataFrame, frame: pd.DataFrame, rows: Matched, ids: Collection[str]
) -> tuple[list[Delete], list[Problem]]:
    """Return the rows to be deleted, and the marks that cannot be read.

    Raises:
        ValueError: An id that the snapshot does not have.
    """
    marked, problems = _marked(base, frame, rows)
    wanted = list(dict.fromkeys([*(str(id_) for id_ in ids), *marked]))
    positions = base.index.get_indexer(pd.Index(wanted, dtype=base.index.dtype))
    unknown = [id_ for id_, at in zip(wanted, positions, strict=True) if at < 0]
    if unknown:
        raise ValueError(f"delete: not in this snapshot of {schema.name!r}: {', '.join(unknown[:5])}")
    part = base.iloc[positions]
    paths = [path for path in (*schema.columns, *EDITABLE_META) if path in part.columns]
    values = {path: json_values(schema.field(path), part[path]) for path in paths}
    receipts = milliseconds_of(part[RECEIPT.path])
    found = []
    for i, id_ in enumerate(wanted):
        before = {path: values[path][i] for path in paths}
        found.append(Delete(id_, before, before.get(schema.key or ""), receipts[i]))
    return found, problems


def marked_ids(frame: pd.DataFrame) -> set[str]:
    """Return the ids of the rows that a frame marks for deletion, known or not."""
    if DELETE not in frame.columns:
        return set()
    marks, ids = frame[DELETE].tolist(), ids_in(frame)
    found = set()
    for position, id_ in ids.items():
        try:
            if _is_mark(marks[position]):
                found.add(id_)
        except ValueError:
            continue  # the diff names it
    return found


def _is_mark(cell: object) -> bool:
    """Tell whether a cell of the column says yes.

    Raises:
        ValueError: It says something else than yes and no.
    """
    if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
        return False
    return bool(cast(_MARK, "yes" if isinstance(cell, str) and cell.strip().lower() == "x" else cell))


def _marked(base: pd.DataFrame, frame: pd.DataFrame, rows: Matched) -> tuple[list[str], list[Problem]]:
    if DELETE not in frame.columns:
        return [], []
    ids: list[str] = []
    problems: list[Problem] = []
    known = dict(zip(rows.at.tolist(), rows.base.tolist(), strict=True))
    for position, cell in enumerate(frame[DELETE].tolist()):
        id_ = str(base.index[known[position]]) if position in known else None
        try:
            wanted = _is_mark(cell)
        except ValueError as error:
            row = rows.labels[position] if id_ is None else id_
            problems.append(Problem(row, f"{error}; mark rows with x or yes", DELETE, str(cell)))
            continue
        if wanted and id_ is not None:
            ids.append(id_)
    return ids, problems

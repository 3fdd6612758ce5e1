"""The rows of an edited frame that are to be deleted: named one by one, never by leaving them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sispy.text import printable

from ..values.changes import Delete, Problem
from ..values.entity import EDITABLE_META
from ..values.marked import DELETE, HOW, is_marked
from ..values.receipts import milliseconds_of
from ..values.schema import RECEIPT, Schema
from ..values.types.base import json_values
from .matching import ids_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from .matching import Matched


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
        raise ValueError(
            f"delete: not in this snapshot of {schema.name!r}: {printable(', '.join(unknown[:5]))}"
        )
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
    marks = frame[DELETE].tolist()
    return {id_ for position, id_ in ids_in(frame).items() if is_marked(marks[position])}


def _marked(base: pd.DataFrame, frame: pd.DataFrame, rows: Matched) -> tuple[list[str], list[Problem]]:
    if DELETE not in frame.columns:
        return [], []
    ids: list[str] = []
    problems: list[Problem] = []
    known = dict(zip(rows.at.tolist(), rows.base.tolist(), strict=True))
    for position, cell in enumerate(frame[DELETE].tolist()):
        id_ = str(base.index[known[position]]) if position in known else None
        wanted = is_marked(cell)
        if wanted is None:
            row = rows.labels[position] if id_ is None else id_
            problems.append(Problem(row, HOW, DELETE, str(cell)))
        elif wanted and id_ is not None:
            ids.append(id_)
    return ids, problems

"""The snapshot after a push, out of what the server answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..values.changes import Update, row_of
from ..values.entity import receipt
from ..values.records import frame_of
from ..values.schema import META, RECEIPT
from ..values.types.cells import get_path
from ..values.types.convert import json_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ..values.row_set import RowSet
    from .outcome import PushResult

S = TypeVar("S", bound="RowSet")


def next_snapshot(old: S, report: PushResult) -> S:
    """Return the rows that a plan was made from with the server's answers to its push in them."""
    base = old.frame(meta=True)
    cells = _changed_cells(report)
    gone = [id_ for id_, entity in report.entities.items() if not entity]
    new = [id_ for id_, entity in report.entities.items() if entity and id_ not in base.index]
    kept = base.index.difference(gone, sort=False)
    ids = [*kept.tolist(), *new]
    frame = base.reindex(kept)
    position = {id_: at for at, id_ in enumerate(ids)}
    columns: dict[str, list[Any]] = {}
    for name in base.columns:
        if name in old.expanded or name == RECEIPT.path:
            continue
        field = old.schema.field(name)
        values = [*json_values(field, frame[name]), *([None] * len(new))]
        if field in META:  # its times are numbers in JSON
            values = [field.kind.stored(value) for value in values]
        for id_, found in cells.items():
            if id_ in position and name in found:
                values[position[id_]] = found[name]
        for id_, entity in report.entities.items():
            if entity:
                values[position[id_]] = get_path(entity, name)
        columns[name] = values
    receipts = _receipts(report, frame, position)
    made = frame_of(old.schema, columns, ids, receipts)
    for name in old.expanded:
        made[name] = frame[name].reindex(made.index)
    return replace(old, _frame=made[list(base.columns)])


def _changed_cells(report: PushResult) -> dict[str, dict[str, Any]]:
    """Return what is known about rows whose whole entity the server did not show."""
    found: dict[str, dict[str, Any]] = {}
    for outcome in report.outcomes:
        if outcome.id and outcome.action == "update":
            found.setdefault(outcome.id, {}).update(
                {path: after for path, (_, after) in outcome.written.items()}
            )
    unchanged = {
        outcome.row for outcome in report.outcomes if outcome.word == "unchanged" and outcome.receipt
    }
    for change in report.plan.changes:
        if isinstance(change, Update) and row_of(change) in unchanged:
            found.setdefault(change.id, {}).update(change.after)
    for conflict in report.conflict_list:
        if conflict.field != "_id":
            found.setdefault(conflict.id, {})[conflict.field] = conflict.theirs
    return found


def _receipts(report: PushResult, frame: pd.DataFrame, position: Mapping[str, int]) -> list[int | None]:
    """Return the receipts: new ones only for rows that the server showed completely.

    A row of which some cells are known keeps its old receipt. With a later one its other cells would claim to
    be of that state, and a file made of them would take back what others wrote into them.
    """
    times = frame[RECEIPT.path]
    known = times.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64).tolist()
    missing = times.isna().tolist()
    found: list[int | None] = [None if gap else ms for ms, gap in zip(known, missing, strict=True)]
    found += [None] * (len(position) - len(found))
    for id_, entity in report.entities.items():
        if entity:
            found[position[id_]] = receipt(entity)
    return found

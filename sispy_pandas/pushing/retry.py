"""The rows that a push did not write, as a file to be edited, read and pushed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..changes import Create, Delete, Update, row_of
from ..fetching.reading import read
from ..planning.editable import REASON
from ..records import from_json
from ..schema import RECEIPT
from ..values.cast import is_missing
from ..values.entity import stored
from ..values.marked import DELETE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..plan import Plan
    from ..report import Report


def retry_frame(report: Report) -> pd.DataFrame:
    """Return the rows that are neither done nor unchanged, with the user's values in place.

    The key comes with them, for people to know the rows by. Cells that a row did not mean to change hold what
    it was compared with; the receipts are those of that state, so that reading the file and pushing it asks
    the same questions again.
    """
    plan = report.plan
    left = {o.row: o for o in report.outcomes if o.word not in ("done", "unchanged")}
    changes = [change for change in plan.changes if row_of(change) in left]
    touched = {path for change in changes for path in _values(change)}
    paths = [path for path in plan.fields if path in touched]
    if plan.schema.key is not None:
        paths = [plan.schema.key, *(path for path in paths if path != plan.schema.key)]
    base = _base(plan, [change for change in changes if isinstance(change, Update)], paths)
    rows: list[dict[str, Any]] = []
    for change in changes:
        old = {} if isinstance(change, Create) else base.get(change.id, {plan.schema.key: change.key})
        row: dict[str, Any] = {path: old.get(path) for path in paths}
        row |= {path: from_json(plan.schema.field(path), value) for path, value in _values(change).items()}
        row[DELETE] = True if isinstance(change, Delete) else None
        row[REASON] = left[row_of(change)].reason
        row[RECEIPT.path] = None if isinstance(change, Create) else _time(change.receipt)
        rows.append(row)
    names = [*paths, DELETE, REASON, RECEIPT.path]
    ids = [None if isinstance(change, Create) else change.id for change in changes]
    frame = pd.DataFrame(
        {
            name: pd.Series([None if is_missing(row[name]) else row[name] for row in rows], dtype=object)
            for name in names
        }
    )
    frame.index = pd.Index(ids, name="_id", dtype=object)
    return frame if any(frame[DELETE].notna()) else frame.drop(columns=DELETE)


def to_csv(report: Report, path: str | Path) -> Path:
    """Write the retry file as CSV."""
    from ..files import to_csv as write

    write(retry_frame(report), path, schema=report.plan.schema)
    return Path(path)


def to_excel(report: Report, path: str | Path) -> Path:
    """Write the retry file as a spreadsheet."""
    from ..excel import to_excel as write

    write(retry_frame(report), path, schema=report.plan.schema)
    return Path(path)


def _base(plan: Plan, updates: Sequence[Update], paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the cells that the rows do not mean to change, by `_id`: a blank one would be an edit as well.

    A plan that was loaded, or that takes a push back, has no snapshot of its rows' state: of those the server
    is asked. What others changed since is then in the file as they made it, and pushing it changes nothing.
    """
    found: dict[str, dict[str, Any]] = {}
    if plan.snapshot is not None:
        frame = plan.snapshot.frame(meta=True)
        for update in updates:
            if update.id in frame.index and set(paths) <= {*update.after, *frame.columns}:
                row = {str(path): cell for path, cell in frame.loc[update.id].items()}
                if update.receipt is None or row[RECEIPT.path] == _time(update.receipt):
                    found[update.id] = row
    unknown = [u.id for u in updates if u.id not in found and not set(paths) <= set(u.after)]
    for entity in read(plan.endpoint, "_id", unknown, fields={"_sis", *paths}):
        found[entity["_id"]] = {
            field.path: from_json(field, stored(field, entity)) for field in map(plan.schema.field, paths)
        }
    return found


def _values(change: Any) -> dict[str, Any]:
    if isinstance(change, Delete):
        return {}
    return dict(change.values if isinstance(change, Create) else change.after)


def _time(receipt: int | None) -> pd.Timestamp | None:
    return None if receipt is None else pd.Timestamp(receipt, unit="ms", tz="UTC").as_unit("ms")

"""The rows that a push did not write, as a file to be edited, read and pushed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..changes import Create, Delete, row_of
from ..records import from_json
from ..schema import RECEIPT
from ..values.cast import is_missing

if TYPE_CHECKING:
    from ..report import Report

REASON = "_reason"
"""The column that says why a row was not written; nobody reads it again."""


def retry_frame(report: Report) -> pd.DataFrame:
    """Return the rows that are neither done nor unchanged, with the user's values in place.

    Cells of a row that it did not mean to change hold what they were compared with; the receipts are those of
    that state, so that reading the file and pushing it asks the same questions again.
    """
    left = {o.row: o for o in report.outcomes if o.word not in ("done", "unchanged")}
    changes = [change for change in report.plan.changes if row_of(change) in left]
    paths = [path for path in report.plan.fields if path in {p for c in changes for p in _values(c)}]
    snapshot = report.plan.snapshot
    base = snapshot.frame(meta=True) if snapshot is not None else None
    rows: list[dict[str, Any]] = []
    for change in changes:
        old = {}
        if base is not None and not isinstance(change, Create) and change.id in base.index:
            old = base.loc[change.id].to_dict()
        row: dict[str, Any] = {path: old.get(path) for path in paths}
        row |= {
            path: from_json(report.plan.schema.field(path), value) for path, value in _values(change).items()
        }
        row["_delete"] = True if isinstance(change, Delete) else None
        row[REASON] = left[row_of(change)].reason
        row[RECEIPT.path] = None if isinstance(change, Create) else _time(change.receipt)
        rows.append(row)
    names = [*paths, "_delete", REASON, RECEIPT.path]
    ids = [None if isinstance(change, Create) else change.id for change in changes]
    frame = pd.DataFrame(
        {
            name: pd.Series([None if is_missing(row[name]) else row[name] for row in rows], dtype=object)
            for name in names
        }
    )
    frame.index = pd.Index(ids, name="_id", dtype=object)
    return frame if any(frame["_delete"].notna()) else frame.drop(columns="_delete")


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


def _values(change: Any) -> dict[str, Any]:
    if isinstance(change, Delete):
        return {}
    return dict(change.values if isinstance(change, Create) else change.after)


def _time(receipt: int | None) -> pd.Timestamp | None:
    return None if receipt is None else pd.Timestamp(receipt, unit="ms", tz="UTC").as_unit("ms")

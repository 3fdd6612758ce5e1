"""The rows that a push did not write, as a file to be edited, read and pushed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import what_of

from ..formats.atomic import OutFile
from ..formats.base import Outgoing
from ..formats.options import WriteOptions
from ..planning.edited_rows import REASON
from ..reading.lookup import read
from ..values.changes import Create, Delete, Update, row_of
from ..values.entity import EDITABLE_META, stored
from ..values.records import DELETE
from ..values.schema import RECEIPT
from ..values.types.cells import is_missing
from ..values.types.convert import from_json
from ..values.types.object_id import is_object_id

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

    from ..formats.base import Format
    from ..planning.change_set import ChangeSet
    from .outcome import PushResult


def retry_frame(report: PushResult) -> pd.DataFrame:
    """Return the rows that are neither done nor unchanged, with the user's values in place.

    The key comes with them, for people to know the rows by. Cells that a row did not mean to change hold what
    it was compared with; the receipts are those of that state, so that reading the file and pushing it asks
    the same questions again.
    """
    plan = report.plan
    left = {o.row: o for o in report.outcomes if o.word not in ("done", "unchanged")}
    changes = [change for change in plan.changes if row_of(change) in left]
    edited = [(row, cells) for row, some in _edited(plan).items() for cells in some if row in left]
    touched = {path for change in changes for path in _values(change)}
    touched |= {path for _, cells in edited for path in cells}
    names = (*plan.schema.columns, *EDITABLE_META)
    paths = [path for path in names if path in touched and path != plan.schema.key]
    if plan.schema.key is not None:
        paths = [plan.schema.key, *paths]
    updates = [change for change in changes if isinstance(change, Update)]
    known = {str(cells["_id"]): (None, set(cells)) for _, cells in edited if cells.get("_id")}
    base = _base(plan, known | {u.id: (u.receipt, set(u.after)) for u in updates}, paths)
    rows: list[dict[str, Any]] = []
    for change in changes:
        old = {} if isinstance(change, Create) else base.get(change.id, {plan.schema.key: change.key})
        row: dict[str, Any] = {path: old.get(path) for path in paths}
        row |= {path: from_json(plan.schema.field(path), value) for path, value in _values(change).items()}
        row["_id"] = None if isinstance(change, Create) else change.id
        row[DELETE] = True if isinstance(change, Delete) else None
        row[REASON] = what_of(left[row_of(change)].reason)
        row[RECEIPT.path] = None if isinstance(change, Create) else _time(change.receipt)
        rows.append(row)
    for name, cells in edited:
        fields = {**{path: plan.schema.field(path) for path in paths}, RECEIPT.path: RECEIPT}
        old = base.get(str(cells.get("_id")), {})
        row = {p: from_json(f, cells[p]) if p in cells else old.get(p) for p, f in fields.items()}
        row |= {"_id": cells.get("_id"), DELETE: cells.get(DELETE), REASON: what_of(left[name].reason)}
        rows.append(row)
    columns = [*paths, DELETE, REASON, RECEIPT.path]
    frame = pd.DataFrame(
        {
            name: pd.Series([None if is_missing(row[name]) else row[name] for row in rows], dtype=object)
            for name in columns
        }
    )
    frame.index = pd.Index([row["_id"] for row in rows], name="_id", dtype=object)
    return frame if any(frame[DELETE].notna()) else frame.drop(columns=DELETE)


def _edited(plan: ChangeSet) -> dict[Hashable, Sequence[Mapping[str, Any]]]:
    """Return the edited rows that are no changes, by what names them: those of problems, and stale ones."""
    changed = {row_of(change) for change in plan.changes}
    found: dict[Hashable, Sequence[Mapping[str, Any]]] = {}
    rows = [*((p.row, p.rows) for p in plan.problem_list), *((s.id, s.rows) for s in plan.stale)]
    for row, edited in rows:
        if row not in changed and not found.get(row):
            found[row] = edited
    return found


def write(report: PushResult, path: str | Path, form: Format) -> Path:
    """Write the retry file, and return its path."""
    path, schema, frame = Path(path), report.plan.schema, retry_frame(report)
    form.write(OutFile.of(path), Outgoing(schema.name, schema, [frame], source=frame), WriteOptions())
    return path


def _base(
    plan: ChangeSet, updates: Mapping[str, tuple[int | None, Collection[str]]], paths: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the cells that the rows do not mean to change, by `_id`: a blank one would be an edit as well.

    A plan that was loaded, or that takes a push back, has no snapshot of its rows' state: of those the server
    is asked. What others changed since is then in the file as they made it, and pushing it changes nothing.

    Args:
        plan: Whose rows they are.
        updates: `_id` -> receipt and the fields that the row means to change.
        paths: Columns of the file.
    """
    found: dict[str, dict[str, Any]] = {}
    if plan.snapshot is not None:
        frame = plan.snapshot.frame(meta=True)
        for id_, (receipt, after) in updates.items():
            if id_ in frame.index and set(paths) <= {*after, *frame.columns}:
                row = {str(path): cell for path, cell in frame.loc[id_].items()}
                if receipt is None or row[RECEIPT.path] == _time(receipt):
                    found[id_] = row
    missing = [id_ for id_, (_, after) in updates.items() if not set(paths) <= set(after)]
    unknown = [id_ for id_ in missing if id_ not in found and is_object_id(id_)]
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

"""A part of a plan: some of its rows, some of its fields."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ..values.changes import Change, Create, Delete, Update, row_of
from .validate import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

    from ..workflow.plan import Plan


def anonymous(plan: Plan) -> list[Create]:
    """Return the new rows of a plan that have no unique value to find them by."""
    return [c for c in plan.changes if isinstance(c, Create) and identity(plan.schema, c) is None]


def new_rows_of(plan: Plan) -> str | None:
    """Return what stands for the new rows without a unique value, in a plan and all its parts; None: no such.

    A row is known by that and its label, whichever part of the plan it is pushed with.
    """
    new = [[create.row, create.values] for create in anonymous(plan)]
    if plan.made_with or not new:
        return plan.made_with
    return hashlib.sha256(json.dumps(new, sort_keys=True, default=str).encode()).hexdigest()


def keep_rows(plan: Plan, rows: Collection[Hashable]) -> Plan:
    """Return the plan of these rows alone, with what is known about them."""
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if row_of(change) in rows),
        faults=tuple(fault for fault in plan.faults if fault.row in rows),
        stale=tuple(stale for stale in plan.stale if stale.id in rows),
        clashes=tuple(clash for clash in plan.clashes if clash.id in rows),
        made_with=new_rows_of(plan),
    )


def keep_fields(plan: Plan, wanted: Callable[[str], bool], *, whole_rows: bool) -> Plan:
    """Return the plan of these fields alone; new and deleted rows belong to it if `whole_rows`.

    A problem goes with its cell. Problems of cells that the plan does not change stay with their row: the
    server would refuse the row for them, whatever else is sent.
    """
    changes: list[Change] = []
    dropped: set[tuple[Hashable, str]] = set()
    for change in plan.changes:
        if isinstance(change, Update):
            after = {path: value for path, value in change.after.items() if wanted(path)}
            dropped.update((change.id, path) for path in change.after if path not in after)
            if after:
                before = {path: value for path, value in change.before.items() if path in after}
                changes.append(replace(change, before=before, after=after))
        elif whole_rows and isinstance(change, Create):
            values = {path: value for path, value in change.values.items() if wanted(path)}
            dropped.update((change.row, path) for path in change.values if path not in values)
            changes.append(replace(change, values=values))
        elif whole_rows and isinstance(change, Delete):
            changes.append(change)
    left = {row_of(change) for change in changes}
    known = {row_of(change) for change in plan.changes}
    return replace(
        plan,
        changes=tuple(changes),
        faults=tuple(
            fault
            for fault in plan.faults
            if (fault.row in left or fault.row not in known) and (fault.row, fault.column) not in dropped
        ),
        clashes=tuple(clash for clash in plan.clashes if clash.id in left and wanted(clash.field)),
        made_with=new_rows_of(plan),
    )

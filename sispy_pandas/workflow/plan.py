"""A plan: every change that a push would make, to be read by a person first.

Plans come from `Snapshot.diff`, from a journal (`undo`, `resume`) or from history (`revert`); all of them
are built by the plain constructor, pushed by the same `push` and accounted for in the same report:

    Plan(endpoint, schema, changes=(Update(id, before, after), ...))

`before` is what the author of the change believes to be stored, which the guard of the push compares with
what really is. Values are in the JSON form of `records.to_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..planning.selection import keep_fields, keep_rows
from ..values.changes import Change, Conflict, Create, Delete, Problem, Stale, Update, row_of
from ..values.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator
    from pathlib import Path
    from threading import Event

    import pandas as pd

    from sispy.client import Endpoint

    from ..pushing.limits import Limits
    from ..values.schema import Schema
    from .report import Report
    from .snapshot import Snapshot

    Guard = Literal["check", "cas", "off"]
    OnConflict = Literal["skip", "mine", "theirs"]


class PlanRefused(ValueError):  # noqa: N818 - named like the errors of sispy
    """A plan that must not be pushed as it is; `plan` is the plan with all problems found.

    Example:
        >>> plan = live.diff(live.frame().astype(object).assign(status="gone").head(1))
        >>> try:
        ...     plan.push(progress=False)
        ... except PlanRefused as refused:
        ...     print(len(refused.plan.problems))
        1
    """

    def __init__(self, message: str, plan: Plan) -> None:
        super().__init__(message)
        self.plan = plan


@dataclass(frozen=True)
class Plan:
    """Changes to the entities of one schema, and why some of them cannot be sent.

    Making one writes nothing. It has a length (the rows it changes); `print` shows it as text, a notebook as
    a table.

    Example:
        >>> plan = live.diff(live.frame().head(2).assign(notes="checked"))
        >>> len(plan), plan.counts["cells"], plan.fields
        (2, 2, ('notes',))
    """

    endpoint: Endpoint = field(repr=False)
    schema: Schema = field(repr=False)
    changes: tuple[Change, ...] = ()
    faults: tuple[Problem, ...] = ()
    """What `problems` shows, as values. A row with a problem is never sent, not even its good cells."""
    stale: tuple[Stale, ...] = ()
    clashes: tuple[Conflict, ...] = ()
    """What `conflicts` shows, as values: cells that somebody else changed, found by `refresh`."""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the changes; shown in the head."""
    owner: tuple[str, ...] | None = None
    """The groups that new rows shall belong to; None: the server's choice."""
    snapshot: Snapshot | None = field(default=None, repr=False, compare=False)
    """What the changes were compared with, where there is one."""
    journal: Path | None = None
    """The journal of the interrupted push that this plan finishes."""
    undoes: tuple[str, ...] = ()
    """The journals of the pushes that this plan takes back; of one without, what its plan changes."""
    made_with: str | None = field(default=None, compare=False, repr=False)
    """Of a part of a plan: what stands for all new rows that were planned together."""

    def __post_init__(self) -> None:
        rows = [row_of(change) for change in self.changes]
        if len(set(rows)) != len(rows):
            twice = next(row for row in rows if rows.count(row) > 1)
            raise ValueError(f"row {twice!r} is changed twice in one plan")

    def __len__(self) -> int:
        return len(self.changes)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows to create, update and delete; changed cells; problems; stale rows; conflicting cells."""
        kinds = [type(change) for change in self.changes]
        return {
            "creates": kinds.count(Create),
            "updates": kinds.count(Update),
            "deletes": kinds.count(Delete),
            "cells": sum(len(change.after) for change in self.changes if isinstance(change, Update)),
            "problems": len(self.faults),
            "stale": len(self.stale),
            "conflicts": len(self.clashes),
        }

    @property
    def empty(self) -> bool:
        """Whether there is nothing to push and nothing to tell."""
        return not (self.changes or self.faults or self.stale)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields whose values change, in the schema's order."""
        touched = {path for _, path, _, _ in self.cells()}
        known = [path for path in self.schema.columns if path in touched]
        return (*known, *sorted(touched.difference(known)))

    def cells(self) -> Iterator[tuple[Change, str, Any, Any]]:
        """Yield (change, field, before, after) for every cell of the plan."""
        for change in self.changes:
            if isinstance(change, Create):
                yield from ((change, path, None, value) for path, value in change.values.items())
            elif isinstance(change, Update):
                yield from (
                    (change, path, change.before.get(path), value) for path, value in change.after.items()
                )
            else:
                yield from (
                    (change, path, value, None) for path, value in change.before.items() if value is not None
                )

    def frame(self) -> pd.DataFrame:
        """Return the plan with one row per cell: _id (blank for new rows), key, field, before, after."""
        rows = [
            (getattr(change, "id", None), change.key, path, before, after)
            for change, path, before, after in self.cells()
        ]
        return table(rows, ("_id", "key", "field", "before", "after"))

    @property
    def problems(self) -> pd.DataFrame:
        """Why rows cannot be sent: row, key, column, value, reason; one row per problem."""
        return table(
            [(p.row, p.key, p.column, p.value, p.reason) for p in self.faults],
            ("row", "key", "column", "value", "reason"),
        )

    @property
    def conflicts(self) -> pd.DataFrame:
        """Cells that went stale, as found by `refresh`: _id, key, field, base, mine, theirs."""
        return conflict_table(self.clashes)

    def only(self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None) -> Plan:
        """Return the part of the plan that touches these fields and these rows.

        Args:
            fields: Keep these cells of updates. New and deleted rows have no part in it: they are left out.
            ids: Keep these rows: `_id`s, and for new rows their label (`Create.row`).

        Raises:
            ValueError: An unknown field.
        """
        plan = self
        if ids is not None:
            plan = keep_rows(plan, set(ids))
        if fields is not None:
            wanted = {self.schema.field(path).path for path in _several(fields, "fields")}
            plan = keep_fields(plan, wanted.__contains__, whole_rows=False)
        return plan

    def without(
        self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None
    ) -> Plan:
        """Return the plan without these fields and without these rows.

        Args:
            fields: Leave these cells out of updates and of new rows; deletes stay.
            ids: Leave these rows out: `_id`s, and for new rows their label (`Create.row`).

        Raises:
            ValueError: An unknown field.
        """
        plan = self
        if ids is not None:
            plan = keep_rows(plan, {row_of(change) for change in self.changes}.difference(ids))
        if fields is not None:
            unwanted = {self.schema.field(path).path for path in _several(fields, "fields")}
            plan = keep_fields(plan, lambda path: path not in unwanted, whole_rows=True)
        return plan

    def check(self, *, allow_dangling: bool = False) -> Plan:
        """Ask the server what `diff` cannot know, and return the plan with those problems added.

        That is: references to rows that do not exist, unique values that other rows have, locked and
        immutable rows, rows that the user may not write, rows that the server would refuse for an old
        dangling reference, and deletes of rows that others refer to (unless `allow_dangling`). Reads only.

        Raises:
            sispy.Error: The server could not be asked.
        """
        from ..planning.precheck import precheck

        return precheck(self, allow_dangling=allow_dangling)

    def push(
        self,
        *,
        guard: Guard = "check",
        on_conflict: OnConflict = "skip",
        skip_problems: bool = False,
        expect_deletes: int | None = None,
        allow_dangling: bool = False,
        note: str | None = None,
        journal: str | Path | bool | None = None,
        progress: Any = True,
        cancel: Callable[[], bool] | Event | None = None,
        limits: Limits | None = None,
        again: bool = False,
        wait: bool | Callable[[str], object] = True,
        verify: bool | None = None,
        on_report: Callable[[Report], object] | None = None,
    ) -> Report:
        """Send the changed cells to the server and account for every row; see `sispy_pandas.pushing.push`."""
        from ..pushing.push import push

        return push(
            self,
            guard=guard,
            on_conflict=on_conflict,
            skip_problems=skip_problems,
            expect_deletes=expect_deletes,
            allow_dangling=allow_dangling,
            note=note,
            journal=journal,
            progress=progress,
            cancel=cancel,
            limits=limits,
            again=again,
            wait=wait,
            verify=verify,
            on_report=on_report,
        )

    def refresh(self) -> Plan:
        """Compare the plan with what the server holds now; write nothing.

        Returns:
            The plan without the cells that the server holds already; `conflicts` names each cell that
            somebody else changed since (they stay in the plan, and a push would not write them).

        Raises:
            sispy.Error: The server could not be asked.
        """
        from ..planning.rebase import refresh

        return refresh(self)

    def rebase(self, report: Report | Plan, *, keep: Literal["mine", "theirs"]) -> Plan:
        """Return the plan of what is left after a push, with its conflicts decided.

        Args:
            report: The report of the push, or the plan that `refresh` returned.
            keep: "mine" writes over what others wrote (over exactly that: the guard still looks);
                "theirs" gives way. Values that the push replaced unseen (`report.overwritten`) are put back
                by "theirs", and stay replaced with "mine".
        """
        from ..planning.rebase import rebase

        return rebase(self, report, keep=keep)

    def save(self, path: str | Path) -> Path:
        """Write the plan as text, one sorted line per cell, for `load_plan`; return the path."""
        from ..planning.plan_file import save

        return save(self, path)

    def with_faults(self, faults: Collection[Problem]) -> Plan:
        """Return the plan with more problems."""
        return replace(self, faults=(*self.faults, *(f for f in faults if f not in self.faults)))

    def __str__(self) -> str:
        from ..planning.render import text

        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from ..planning.plan_html import html

        return html(self)


def conflict_table(conflicts: Collection[Conflict]) -> pd.DataFrame:
    """Return conflicts as a frame with the columns _id, key, field, base, mine, theirs."""
    return table(
        [(c.id, c.key, c.field, c.base, c.mine, c.theirs) for c in conflicts],
        ("_id", "key", "field", "base", "mine", "theirs"),
    )


def _several(names: Collection[str], what: str) -> Collection[str]:
    if isinstance(names, str):
        raise TypeError(f"{what} takes a list of names: {what}=[{names!r}]")
    return names

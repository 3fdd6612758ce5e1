"""What shall happen to the rows of one table: the data of a Plan."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sispy.remedies import no_list

from ..values.changes import Change, Conflict, Create, Delete, Problem, Stale, Update, row_of
from ..values.records import table
from .groups import grouped
from .validate import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
    from pathlib import Path
    from typing import Self

    import pandas as pd

    from sispy.client import Endpoint

    from ..values.row_set import RowSet
    from ..values.schema import Schema
    from .groups import Grouped

C = TypeVar("C", bound="ChangeSet")

FREE_DELETES = 10
"""So many rows may be deleted without their number being stated."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a plan, when, why, and from which file."""

    author: str | None = None
    at: str | None = None
    """ISO 8601 in UTC."""
    note: str | None = None
    source: str | None = None
    sha256: str | None = None
    """Of the file's bytes, when it was read."""


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

    def __init__(self, message: str, plan: ChangeSet) -> None:
        super().__init__(message)
        self.plan = plan


@dataclass(frozen=True)
class ChangeSet:
    """Changes to the entities of one schema, and why some of them cannot be sent."""

    endpoint: Endpoint = field(repr=False)
    schema: Schema = field(repr=False)
    changes: tuple[Change, ...] = ()
    problem_list: tuple[Problem, ...] = ()
    """What `problems` shows, as values. A row with a problem is never sent, not even its good cells."""
    stale: tuple[Stale, ...] = ()
    conflict_list: tuple[Conflict, ...] = ()
    """What `conflicts` shows, as values: cells that somebody else changed, found by `refresh`."""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the changes; shown in the head."""
    owner: tuple[str, ...] | None = None
    """The groups that new rows shall belong to; None: the server's choice."""
    snapshot: RowSet | None = field(default=None, repr=False, compare=False)
    """What the changes were compared with, where there is one."""
    journal: Path | None = None
    """The journal of the interrupted push that this plan finishes."""
    undoes: tuple[str, ...] = ()
    """The journals of the pushes that this plan takes back; of one without, what its plan changes."""
    completes: tuple[str, ...] = ()
    """The journals of the pushes that brought rows back without all of their values, which this plan adds."""
    made_with: str | None = field(default=None, compare=False, repr=False)
    """Of a part of a plan: what stands for all new rows that were planned together."""
    origin: Origin = field(default=Origin(), compare=False, repr=False)
    arrivals: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """New rows that are referred to by an id that stands for each: the id -> the row's key."""

    names: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What people call rows that are referred to, where they had names in the edited frame: by `_id`."""

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
        return {
            **_counted(self.changes),
            "problems": len(self.problem_list),
            "stale": len(self.stale),
            "conflicts": len(self.conflict_list),
        }

    @cached_property
    def sendable(self) -> dict[str, int]:
        """Rows that can be created, updated and deleted, and cells of them: those without a problem."""
        barred = {problem.row for problem in self.problem_list}
        if not barred:
            return {word: self.counts[word] for word in ("creates", "updates", "deletes", "cells")}
        return _counted([change for change in self.changes if row_of(change) not in barred])

    @cached_property
    def grouped(self) -> Grouped:
        """The cells that change, equal changes together."""
        return grouped(self.changes)

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to push and nothing to tell."""
        return not (self.changes or self.problem_list or self.stale)

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
            [(p.row, p.key, p.column, p.value, p.reason) for p in self.problem_list],
            ("row", "key", "column", "value", "reason"),
        )

    @property
    def conflicts(self) -> pd.DataFrame:
        """Cells that went stale, as found by `refresh`: _id, key, field, base, mine, theirs."""
        return conflict_table(self.conflict_list)

    def only(self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None) -> Self:
        """Return the part of the plan that touches these fields and these rows.

        Args:
            fields: Keep these cells of updates. New and deleted rows have no part in it: they are left out.
            ids: Keep these rows: `_id`s, and for new rows their label (`Create.row`).

        Raises:
            ValueError: An unknown field.
        """
        plan = self
        if ids is not None:
            plan = _keep_rows(plan, set(ids))
        if fields is not None:
            wanted = {self.schema.field(path).path for path in _several(fields, "fields")}
            plan = _keep_fields(plan, wanted.__contains__, whole_rows=False)
        return plan

    def without(
        self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None
    ) -> Self:
        """Return the plan without these fields and without these rows.

        Args:
            fields: Leave these cells out of updates and of new rows; deletes stay.
            ids: Leave these rows out: `_id`s, and for new rows their label (`Create.row`).

        Raises:
            ValueError: An unknown field.
        """
        plan = self
        if ids is not None:
            plan = _keep_rows(plan, {row_of(change) for change in self.changes}.difference(ids))
        if fields is not None:
            unwanted = {self.schema.field(path).path for path in _several(fields, "fields")}
            plan = _keep_fields(plan, lambda path: path not in unwanted, whole_rows=True)
        return plan

    def with_problems(self, problems: Collection[Problem]) -> Self:
        """Return the plan with more problems."""
        more = [problem for problem in problems if problem not in self.problem_list]
        return replace(self, problem_list=(*self.problem_list, *more))


def _counted(changes: Collection[Change]) -> dict[str, int]:
    kinds = Counter(map(type, changes))
    return {
        "creates": kinds[Create],
        "updates": kinds[Update],
        "deletes": kinds[Delete],
        "cells": sum([len(change.after) for change in changes if isinstance(change, Update)]),
    }


def anonymous(plan: ChangeSet) -> list[Create]:
    """Return the new rows of a plan that have no unique value to find them by."""
    return [c for c in plan.changes if isinstance(c, Create) and identity(plan.schema, c) is None]


def new_rows_of(plan: ChangeSet) -> str | None:
    """Return a name for the new rows without a unique value, the same in all parts of a plan; None: no such.

    A row is known by this name and its label, whichever part of the plan it is pushed with.
    """
    new = [json.dumps([c.row, c.values], sort_keys=True, default=str) for c in anonymous(plan)]
    if plan.made_with or not new:
        return plan.made_with
    # sorted: a plan's file has an order of its own
    return hashlib.sha256("\n".join(sorted(new)).encode()).hexdigest()


def _keep_rows(plan: C, rows: Collection[Hashable]) -> C:
    """Return the plan of these rows alone, with what is known about them."""
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if row_of(change) in rows),
        problem_list=tuple(problem for problem in plan.problem_list if problem.row in rows),
        stale=tuple(stale for stale in plan.stale if stale.id in rows),
        conflict_list=tuple(conflict for conflict in plan.conflict_list if conflict.id in rows),
        made_with=new_rows_of(plan),
    )


def _keep_fields(plan: C, wanted: Callable[[str], bool], *, whole_rows: bool) -> C:
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
                changes.append(replace(change, before=before, after=after, lacks=_kept(change, wanted)))
        elif whole_rows and isinstance(change, Create):
            values = {path: value for path, value in change.values.items() if wanted(path)}
            dropped.update((change.row, path) for path in change.values if path not in values)
            changes.append(replace(change, values=values, lacks=_kept(change, wanted)))
        elif whole_rows and isinstance(change, Delete):
            changes.append(change)
    left = {row_of(change) for change in changes}
    known = {row_of(change) for change in plan.changes}
    return replace(
        plan,
        changes=tuple(changes),
        problem_list=tuple(
            p
            for p in plan.problem_list
            if (p.row in left or p.row not in known) and (p.row, p.column) not in dropped
        ),
        conflict_list=tuple(c for c in plan.conflict_list if c.id in left and wanted(c.field)),
        made_with=new_rows_of(plan),
    )


def _kept(change: Create | Update, wanted: Callable[[str], bool]) -> dict[str, Any]:
    return {path: value for path, value in change.lacks.items() if wanted(path)}


def conflict_table(conflicts: Collection[Conflict]) -> pd.DataFrame:
    """Return conflicts as a frame with the columns _id, key, field, base, mine, theirs."""
    return table(
        [(c.id, c.key, c.field, c.base, c.mine, c.theirs) for c in conflicts],
        ("_id", "key", "field", "base", "mine", "theirs"),
    )


def _several(names: Collection[str], what: str) -> Collection[str]:
    if isinstance(names, str):
        raise no_list(what, names)
    return names

"""Plans of several tables that are one change: shown, checked, pushed, and undone as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.text import printable

from ..planning import render as planned
from ..planning.parts import digest_of, in_order, with_new_rows
from ..planning.plan_file import save
from ..planning.precheck import precheck
from ..pushing import render as pushed
from ..pushing.options import Options
from ..pushing.parts import push_parts
from ..values.blocks import LONG, as_html, as_text
from ..values.progress import aside
from ..values.records import table
from .objects import PushFailed, report_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator
    from pathlib import Path
    from threading import Event
    from typing import Self

    from ..planning.merge import OnConflict
    from ..pushing.guards import Guard
    from ..pushing.options import Limits
    from .objects import Plan, Report


@dataclass(frozen=True, repr=False)
class Plans:
    """Plans that are pushed as one change: one note, one report, one undo.

    It has a length (the rows) and `frame()`; each of `plans` is a Plan like any other, in the order in which
    they are pushed. `Plans.of` puts plans into the order of their references.

    Example:
        >>> racks, hosts = (sp.fetch(client.entities(name), progress=False) for name in ("rack", "host"))
        >>> plans = Plans.of(hosts.diff(hosts.frame().assign(notes="moved")), racks.diff(racks.frame()))
        >>> [plan.schema.name for plan in plans.plans], len(plans)
        (['host'], 10)
    """

    plans: tuple[Plan, ...]

    @classmethod
    def of(cls, *plans: Plan) -> Plans:
        """Return plans of different tables in the order of their references.

        Rows that others refer to are written before these, and deleted after them. New rows of one may be
        referred to by another by their names.

        Raises:
            ValueError: Two of them are for one table, or they are for several servers.
        """
        names = [plan.schema.name for plan in plans]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two plans are for table {printable(twice)}: make one of them")
        if len({plan.endpoint.client.url for plan in plans}) > 1:
            raise ValueError("the plans are for several servers")
        return cls(in_order(with_new_rows(plans)))

    def __len__(self) -> int:
        return sum(map(len, self.plans))

    def __iter__(self) -> Iterator[Plan]:
        return iter(self.plans)

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to push and nothing to tell."""
        return all(plan.empty for plan in self.plans)

    @cached_property
    def counts(self) -> dict[str, int]:
        """What `Plan.counts` has, of all of them."""
        return _sum([plan.counts for plan in self.plans])

    @cached_property
    def sendable(self) -> dict[str, int]:
        """What `Plan.sendable` has, of all of them."""
        return _sum([plan.sendable for plan in self.plans])

    @cached_property
    def digest(self) -> str:
        """The fingerprint of what they change, see `Plan.digest`."""
        return digest_of(self.plans)

    @property
    def problems(self) -> pd.DataFrame:
        """Why rows cannot be sent: schema, and what `Plan.problems` has."""
        return self._frames("problems", ("row", "key", "column", "value", "reason"))

    @property
    def conflicts(self) -> pd.DataFrame:
        """Cells that others changed: schema, and what `Plan.conflicts` has."""
        return self._frames("conflicts", ("_id", "key", "field", "base", "mine", "theirs"))

    def frame(self) -> pd.DataFrame:
        """Return one line per changed cell: schema, _id, key, field, before, after."""
        return self._frames("frame", ("_id", "key", "field", "before", "after"))

    def _frames(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        found = [(plan.schema.name, getattr(plan, name)) for plan in self.plans]
        frames = [(frame() if callable(frame) else frame).assign(schema=schema) for schema, frame in found]
        wanted = ["schema", *columns]
        return pd.concat(frames, ignore_index=True)[wanted] if frames else table([], wanted)

    def only(self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None) -> Self:
        """Return what of each plan touches these rows, and of these fields those that its table has.

        Raises:
            ValueError: No table has one of the fields.
        """
        known = {path for plan in self.plans for path in plan.schema.columns}
        for path in fields or ():
            if path not in known and self.plans:
                self.plans[0].schema.field(path)
        made = []
        for plan in self.plans:
            own = None if fields is None else [path for path in fields if path in plan.schema.columns]
            made.append(plan.only(fields=own, ids=ids))
        return type(self)(tuple(plan for plan in made if not plan.empty))

    def check(self, *, allow_dangling: bool = False, progress: Any = False) -> Self:
        """Ask the server what `diff` cannot know, see `Plan.check`, of all plans together.

        New rows of one may be referred to by another, and what one re-points or deletes refers to nothing.

        Raises:
            sispy.Error: The server could not be asked.
        """
        return type(self)(
            tuple(
                precheck(
                    plan,
                    allow_dangling=allow_dangling,
                    others=[other for other in self.plans if other is not plan],
                    progress=progress,
                )
                for plan in self.plans
            )
        )

    def refresh(self, *, progress: Any = False) -> Self:
        """Compare the plans with what the server holds now, see `Plan.refresh`.

        Raises:
            sispy.Error: The server could not be asked.
        """
        return type(self)(tuple(plan.refresh(progress=progress) for plan in self.plans))

    def push(
        self,
        *,
        guard: Guard = "check",
        on_conflict: OnConflict = "skip",
        skip_problems: bool = False,
        expect_deletes: int | None = None,
        expect_digest: str | None = None,
        allow_dangling: bool = False,
        note: str | None = None,
        reviewer: str | None = None,
        journal: bool | None = None,
        progress: Any = True,
        cancel: Callable[[], bool] | Event | None = None,
        limits: Limits | None = None,
        again: bool = False,
        wait: bool | Callable[[str], object] = True,
        verify: bool | None = None,
        on_report: Callable[[Report], object] | None = None,
    ) -> Reports:
        """Push one plan after the other, as one push; `check` is run first.

        `Plan.push` tells the arguments; what is stated of deletes and digests is so of all together.

        All plans are on disk before the first row is sent: `sp.resume` finishes what was interrupted,
        `sp.undo` takes all of it back. A row that cannot be written because of an earlier part (what it
        refers to was not made) has a problem in its report, and a part that stopped ends the push.

        Raises:
            PlanRefused: A plan has problems, or more deletes than stated; nothing was sent.
            ValueError: As `Plan.push`.
            sispy.Error: The server could not be asked before the first row was sent.
        """
        options = Options(guard, on_conflict, skip_problems, allow_dangling, note, reviewer)
        resumed = any(plan.journal for plan in self.plans)
        checked = self if resumed else self.check(allow_dangling=allow_dangling, progress=aside(progress))
        results = push_parts(
            checked.plans,
            options,
            expect_deletes=expect_deletes,
            expect_digest=expect_digest,
            journal=journal,
            again=again,
            on_result=None if on_report is None else lambda result: on_report(report_of(result)),
            progress=progress,
            cancel=cancel,
            limits=limits,
            wait=wait,
            verify=verify,
        )
        return Reports(tuple(map(report_of, results)))

    def save(self, path: str | Path, *, note: str | None = None) -> Path:
        """Write the plans to one file for `load_plan`, see `Plan.save`; return the path."""
        return save(self.plans, path, note=note)

    def __str__(self) -> str:
        return "\n\n".join(as_text(planned.blocks(plan)) for plan in self.plans) or "nothing to change"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = (as_html(planned.blocks(plan, LONG), about="plan") for plan in self.plans)
        return "".join(parts) or "nothing to change"


@dataclass(frozen=True, repr=False)
class Reports:
    """What became of every row of several plans that were pushed as one.

    It has a length (the rows); each of `reports` is a Report like any other. `sp.undo` takes all back.

    Example:
        >>> hosts = sp.fetch(client.entities("host"), progress=False)
        >>> reports = sp.Plans.of(hosts.diff(hosts.frame().assign(notes="parts"))).push(progress=False)
        >>> len(reports), reports.counts["done"], reports.ok
        (10, 10, True)
    """

    reports: tuple[Report, ...]
    note: str | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return sum(map(len, self.reports))

    def __iter__(self) -> Iterator[Report]:
        return iter(self.reports)

    @property
    def journals(self) -> tuple[Path, ...]:
        """The journals of the parts."""
        return tuple(report.journal for report in self.reports if report.journal is not None)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by outcome, see `Report.counts`."""
        return _sum([report.counts for report in self.reports])

    @property
    def ok(self) -> bool:
        """Return whether every row is done or was so before."""
        return all(report.ok for report in self.reports)

    def frame(self) -> pd.DataFrame:
        """Return one row per row of the plans: schema, and what `Report.frame` has."""
        return self._frames([report.frame() for report in self.reports])

    @property
    def failures(self) -> pd.DataFrame:
        """The rows that are neither done nor unchanged, as `frame` shows them."""
        return self._frames([report.failures for report in self.reports])

    def _frames(self, frames: list[pd.DataFrame]) -> pd.DataFrame:
        names = ["schema", "_id", "key", "action", "outcome", "status", "reason"]
        made = [
            frame.assign(schema=report.plan.schema.name)
            for frame, report in zip(frames, self.reports, strict=True)
            if len(frame)
        ]
        return pd.concat(made, ignore_index=True)[names] if made else table([], names)

    def raise_for_failures(self) -> Reports:
        """Raise for the first part with rows that are neither done nor unchanged, else return the reports.

        Raises:
            PushFailed: With its report in `report`.
        """
        for report in self.reports:
            if not report.ok:
                raise PushFailed(report)
        return self

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the record of the push for an auditor as one page, see `Report.to_html`."""
        blocks = [block for report in self.reports for block in pushed.page(report)]
        return pushed.written(blocks, path)

    def __str__(self) -> str:
        return "\n\n".join(as_text(pushed.blocks(report)) for report in self.reports) or "nothing to do"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(as_html(pushed.blocks(report), about="report") for report in self.reports)


def _sum(counts: list[dict[str, int]]) -> dict[str, int]:
    """Return the sums of counts by their names."""
    return {name: sum(one.get(name, 0) for one in counts) for one in counts for name in one}

"""A change of any size before it is pushed: plans that can be made once more, counted without being kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..planning import render as planned
from ..planning.change_set import PlanRefused
from ..planning.groups import Equal, grouped
from ..planning.parts import digest_of, joined
from ..pushing.options import Options
from ..pushing.parts import allowed_together
from ..pushing.stream import end
from ..values.blocks import SHOWN, Lines, as_html, as_text, count
from ..values.progress import bar
from .objects import Plan
from .parts import Plans
from .series import KEPT, push_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from ..planning.groups import Grouped
    from ..planning.merge import OnConflict
    from ..pushing.guards import Guard
    from ..values.blocks import Block
    from .series import PartsReport


@dataclass(frozen=True, repr=False)
class TablePlan(Plan):
    """What all parts change in one table: equal changes together, and what is in the way; the others counted.

    `problems`, `conflicts` and the stale rows are the first 10,000 of each, `groups()` has the first 2,000
    different changes, and `frame()` shows those of the first part; `counts`, `sendable` and the length count
    all.
    """

    equal: Grouped = field(default_factory=lambda: grouped(()))
    totals: Mapping[str, int] = field(default_factory=dict)
    can_be_sent: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def counts(self) -> dict[str, int]:
        """What `Plan.counts` has, of all parts."""
        return dict(self.totals)

    @cached_property
    def sendable(self) -> dict[str, int]:
        """What `Plan.sendable` has, of all parts."""
        return dict(self.can_be_sent)

    @cached_property
    def grouped(self) -> Grouped:
        """What `Plan.grouped` has, of all parts."""
        return self.equal

    def __len__(self) -> int:
        return sum(self.totals[f"{verb}s"] for verb in ("create", "update", "delete"))

    def blocks(self, shown: int | None) -> list[Block]:
        """Return what there is to see of it."""
        return planned.first_of_many(self, shown)


@dataclass(frozen=True, repr=False)
class PlanParts:
    """Plans that are made one after the other, as often as they are asked for, and pushed as one.

    It has a length (the rows), `counts` and `problems`, which go through all parts once; iterating gives the
    plans. None of them is kept. `sp.undo` of a push in parts is one.

    Example:
        >>> parts = (part.diff(part.frame().assign(notes="seen")) for part in iter_snapshots(hosts, rows=4))
        >>> back = undo(push_parts(parts, progress=False))
        >>> back.counts["updates"], len(back.push(progress=False))
        (10, 10)
    """

    make: Callable[[], Iterable[Plan | Plans]] = field(repr=False)
    """Makes the parts, from the first on."""
    checked: Callable[[], Iterable[Plan | Plans]] | None = None
    """Makes them with the problems that the server knows of."""
    progress: Any = False
    """Of going through all parts: as in `fetch`."""
    what: str | None = None
    """The change, where it is made again row for row: see `push_parts`."""
    leans: bool = False
    """Whether a part may need what an earlier one does, so that what refers to a row tells nothing yet."""

    def __iter__(self) -> Iterator[Plan]:
        return self._plans(self.make)

    def __len__(self) -> int:
        return sum(map(len, self.plans))

    @property
    def plans(self) -> tuple[TablePlan, ...]:
        """All parts in one plan for each table, of which the first changes are kept."""
        return self._seen[0]

    @property
    def parts(self) -> int:
        """How many plans there are."""
        return self._seen[1]

    @property
    def digest(self) -> str:
        """The fingerprint of what they change, see `Plan.digest`."""
        return self._seen[2]

    @property
    def empty(self) -> bool:
        """Return whether all plans are empty, see `Plan.empty`."""
        return not self.parts

    @cached_property
    def counts(self) -> dict[str, int]:
        """What `Plan.counts` has, of all of them."""
        return Plans(self.plans).counts

    @cached_property
    def sendable(self) -> dict[str, int]:
        """What `Plan.sendable` has, of all of them."""
        return Plans(self.plans).sendable

    @property
    def problems(self) -> pd.DataFrame:
        """Why rows cannot be sent, the first 10,000 reasons of each table: see `Plans.problems`."""
        return Plans(self.plans).problems

    @property
    def conflicts(self) -> pd.DataFrame:
        """Cells that others changed, the first 10,000 of each table: see `Plans.conflicts`."""
        return Plans(self.plans).conflicts

    @cached_property
    def _seen(self) -> tuple[tuple[TablePlan, ...], int, str]:
        tables: dict[tuple[str, str], _Table] = {}
        digests: list[str] = []
        with bar(self.progress, total=None, unit=" rows", desc="plan") as shown:
            for plan in _each((self.checked or self.make)()):
                if plan.empty and not plan.notes:
                    continue
                table = plan.endpoint.client.url, plan.schema.name
                tables.setdefault(table, _Table(replace(plan, snapshot=None))).add(plan)
                digests += [] if plan.empty else [digest_of([plan])]
                shown.update(len(plan))
        return tuple(table.plan() for table in tables.values()), len(digests), joined(digests)

    def _plans(self, make: Callable[[], Iterable[Plan | Plans]]) -> Iterator[Plan]:
        yield from (plan for plan in _each(make()) if not plan.empty)

    def frame(self) -> pd.DataFrame:
        """Return one line per changed cell, see `Plans.frame`: of all parts, which takes memory for them."""
        return Plans(tuple(self)).frame()

    def only(
        self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None
    ) -> PlanParts:
        """Return the part of each plan that touches these fields and rows, see `Plan.only`."""
        make = lambda: (plan.only(fields=fields, ids=ids) for plan in self)  # noqa: E731
        return replace(self, make=make, checked=None, what=None)

    def without(
        self, *, fields: Collection[str] | None = None, ids: Collection[Hashable] | None = None
    ) -> PlanParts:
        """Return each plan without these fields and rows, see `Plan.without`."""
        make = lambda: (plan.without(fields=fields, ids=ids) for plan in self)  # noqa: E731
        return replace(self, make=make, checked=None, what=None)

    def check(self, *, allow_dangling: bool = False, progress: Any = False) -> PlanParts:
        """Return the plans with the problems that the server knows of, see `Plan.check`.

        The server is asked when the parts are counted.
        """
        dangling = allow_dangling or self.leans
        checked = lambda: (  # noqa: E731
            plan if plan.empty else plan.check(allow_dangling=dangling, progress=False)
            for plan in _each(self.make())
        )
        return replace(self, checked=checked, progress=progress)

    def refresh(self, *, progress: Any = False) -> PlanParts:
        """Return the plans compared with what the server holds now, see `Plan.refresh`."""
        make = self.checked or self.make
        refreshed = lambda: (  # noqa: E731
            plan if plan.empty else plan.refresh(progress=False) for plan in _each(make())
        )
        return replace(self, checked=refreshed, progress=progress)

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
        **how: Any,
    ) -> PartsReport:
        """Go through all parts once, and if nothing is in the way, push one after the other.

        `Plan.push` tells the arguments, `push_parts` those in `how`, and what differs. Every part is made
        twice: nothing is sent before the last one was checked. `push_parts(plans)` does without that.

        Raises:
            PlanRefused: A part has problems, or they delete more rows than stated; nothing was sent.
            ValueError: As `Plan.push`.
            sispy.Error: The server could not be asked before the first row was sent.
        """
        options = Options(guard, on_conflict, skip_problems, allow_dangling, note, reviewer)
        looked = self if self.checked else self.check(allow_dangling=allow_dangling)
        if looked.plans:
            allowed_together(looked.plans, options, expect_deletes=expect_deletes)
        if expect_digest is not None and looked.digest != expect_digest.strip().lower():
            said = f"this is not what was reviewed: its digest is {looked.digest}"
            raise PlanRefused(said, looked.plans[0])
        if (bad := next((plan for plan in looked.plans if plan.problem_list), None)) and not skip_problems:
            said = f"{count(looked.counts['problems'], 'problem')}; the first: "
            sending = Argument("skip_problems", "sends the other rows", True)
            raise PlanRefused(Message(said, bad.problem_list[0].reason, sending), bad)
        return push_parts(
            self,
            guard=guard,
            on_conflict=on_conflict,
            skip_problems=skip_problems,
            expect_deletes=looked.counts.get("deletes") or None,
            allow_dangling=allow_dangling,
            note=note,
            reviewer=reviewer,
            what=self.what,
            **how,
        )

    def end(self) -> Path | None:
        """Note that a push of this change that was cut off left nothing; return its journal if so it was."""
        return None if self.what is None else end(self.what)

    def blocks(self, shown: int | None = SHOWN) -> list[Block]:
        """Return what there is to see of them."""
        if not self.plans:
            return [Lines(("nothing to change",))]
        tables = ", ".join(printable(plan.schema.name) for plan in self.plans)
        rows, parts = count(len(self), "row"), count(self.parts, "part")
        found = [block for plan in self.plans for block in plan.blocks(shown)]
        return [*([Lines((f"one change of {tables} in {parts}: {rows}",))] if self.parts else []), *found]

    def __str__(self) -> str:
        return as_text(self.blocks())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.blocks(), about="plan")


def _each(parts: Iterable[Plan | Plans]) -> Iterator[Plan]:
    for one in parts:
        yield from [one] if isinstance(one, Plan) else one


@dataclass
class _Table:
    """What there is to tell of the parts of one table so far."""

    first: Plan
    equal: Equal = field(default_factory=lambda: Equal(_DIFFERENT))
    totals: Counter[str] = field(default_factory=Counter)
    can_be_sent: Counter[str] = field(default_factory=Counter)
    problems: list[Any] = field(default_factory=list)
    stale: list[Any] = field(default_factory=list)
    conflicts: list[Any] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, plan: Plan) -> None:
        """Count a part."""
        self.equal.add(plan.grouped)
        self.totals.update(plan.counts)
        self.can_be_sent.update(plan.sendable)
        for kept, found in (
            (self.problems, plan.problem_list),
            (self.stale, plan.stale),
            (self.conflicts, plan.conflict_list),
        ):
            kept += found[: max(0, KEPT - len(kept))]
        self.notes.update(dict.fromkeys(plan.notes[: max(0, _NOTES - len(self.notes))]))

    def plan(self) -> TablePlan:
        """Return what is known of all parts."""
        known = {name: getattr(self.first, name) for name in Plan.__dataclass_fields__}
        known |= {
            "problem_list": tuple(self.problems),
            "stale": tuple(self.stale),
            "conflict_list": tuple(self.conflicts),
            "notes": tuple(self.notes),
        }
        return TablePlan(**known, equal=self.equal.found(), totals=self.totals, can_be_sent=self.can_be_sent)


_DIFFERENT = 2_000
"""So many different changes of a table are counted each by itself."""
_NOTES = 20
"""So many notes of parts are told."""

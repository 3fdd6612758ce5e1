"""Changes that do not fit into memory: plans that are made, pushed and counted one after the other."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy.remedies import Call, Message, message_of

from ..planning.change_set import PlanRefused
from ..pushing.cut import cut_push
from ..pushing.journal import short, undoing
from ..pushing.options import Options
from ..pushing.recall import alone
from ..pushing.stream import Stream
from ..values.blocks import show
from ..values.changes import REPLACED, WORDS, Create, row_of
from ..values.progress import bar
from .objects import Plan, Report, plan_of, report_of
from .parts import Plans, Reports
from .rest import rest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from threading import Event

    from ..planning.merge import OnConflict
    from ..pushing.guards import Guard
    from ..pushing.options import Limits
    from ..pushing.outcome import PushResult
    from ..values.changes import Change, Conflict, Outcome, Problem, Stale
    from ..values.progress import Bar

KEPT = 10_000
"""So many rows of a table that need attention are kept to be shown; the others are counted."""


def push_parts(
    plans: Iterable[Plan | Plans],
    *,
    guard: Guard = "check",
    on_conflict: OnConflict = "skip",
    skip_problems: bool = False,
    expect_deletes: int | None = None,
    allow_dangling: bool = False,
    note: str | None = None,
    reviewer: str | None = None,
    journal: bool | None = None,
    resume: str | Path | None = None,
    progress: Any = True,
    cancel: Callable[[], bool] | Event | None = None,
    limits: Limits | None = None,
    again: bool = False,
    wait: bool | Callable[[str], object] = True,
    verify: bool | None = None,
    on_report: Callable[[Report], object] | None = None,
    what: str | None = None,
) -> PartsReport:
    """Push plans one after the other as one push, each made when its turn comes: memory is that of one.

    They have one name, one note, one report, one entry in `sp.pushes()`, and one way back: `sp.undo` takes
    all of it back, the last part first. Every part is checked and guarded like any plan.

    A push that is killed goes on, here or in another process, by `push_parts(..., resume=journal)` of the
    same loop: that finishes its last part, leaves out the rows that it has written, and remains one push. The
    same loop without `resume` does the rest, too, as a push of its own: rows that are as they shall be are no
    changes any more. Where an edit is not the same twice (a counter, a text that is added), or makes rows
    without a unique value, that is refused, so that nothing is added twice unseen.

    A part with problems ends the push, unless `skip_problems`; so does one with more deletes than stated.

    `plans` is any iterator of plans, or of Plans of several tables; empty ones are left out. `resume` is a
    journal of a push in parts that was cut off. `Plan.push` tells the other arguments, with these
    differences: `what` names a change that is made again row for row, new rows with the same names, such
    as that of a file by its fingerprint: a push of it that was cut off is gone on with, unless `again`;
    `expect_deletes` is how many rows all parts delete at the most; `journal` is None or False;
    `again` also changes rows once more that a push wrote which was cut off; `on_report` is given the report
    of each part, with all of its rows.

    Returns:
        The report, which counts over all parts. Rows that failed are data in it, not exceptions.

    Raises:
        PlanRefused: The first part was refused, and nothing was sent. (A later one ends the push: `stopped`.)
        ValueError: As `Plan.push`.
        TypeError: A part is no plan.
        sispy.Error: The server could not be asked before the first row was sent.
        Exception: What making a plan raises; a note says how to go on, and how to go back.

    Example:
        >>> def edited():
        ...     for part in sp.iter_snapshots(client.entities("host"), rows=4):
        ...         yield part.diff(part.frame().assign(notes="moved"))
        >>> report = sp.push_parts(edited(), note="CHG0012345", progress=False)
        >>> report.counts["done"], report.parts, report.ok
        (10, 3, True)
    """
    options = Options(guard, on_conflict, skip_problems, allow_dangling, note, reviewer)
    tally = _Tally()
    with (
        alone(what) as free,
        _way_on(
            Stream(
                options,
                expect_deletes,
                journal,
                again,
                what if free else None,
                _goes_on(resume, what if free and not again else None),
            )
        ) as stream,
        bar(progress, total=None, unit=" rows", desc="push") as shown,
    ):
        how = {
            "progress": _Counting(shown),
            "cancel": cancel,
            "limits": limits,
            "wait": wait,
            "verify": verify,
            "on_result": None if on_report is None else lambda result: on_report(report_of(result)),
        }
        some = map(_as_plans, plans)
        for number, given in enumerate(one for one in some if not one.empty):
            if number == 0 and stream.resumed is not None:
                tally.add(_finished(stream, given.plans[0], how))
            if tally.stopped is None:
                try:
                    checked = given.check(allow_dangling=allow_dangling) if len(given.plans) > 1 else given
                    tally.add(stream.push(checked.plans, **how))
                except PlanRefused as refused:
                    if not stream.journals:
                        raise
                    told = [refused.plan if one.schema is refused.plan.schema else one for one in given]
                    tally.add(stream.refused(told, message_of(refused)), message_of(refused))
            if tally.stopped is not None:
                break
        else:
            stream.close()
    return tally.report(stream)


def _as_plans(given: object) -> Plans:
    """Return a part as plans."""
    if not isinstance(given, Plan | Plans):
        raise TypeError(f"push_parts takes plans, one after the other: {show(given)} is none")
    return given if isinstance(given, Plans) else Plans((given,))


def _goes_on(resume: str | Path | None, what: str | None) -> Path | None:
    """Return a journal of the push to go on with: the one that is named, or of the same change."""
    return Path(resume) if resume is not None else next(iter(cut_push(what) if what else ()), None)


def _finished(stream: Stream, plan: Plan, how: dict[str, Any]) -> Iterator[PushResult]:
    """Yield what became of the rows that a push left which was cut off within a part."""
    for path in list(stream.journals):
        rest = rest_of(path, plan.endpoint.client)
        if not rest.empty:
            yield (result := stream.finish(rest, **how))
            if result.stopped is not None:
                return


@contextmanager
def _way_on(stream: Stream) -> Iterator[Stream]:
    """Note how to go on and back in what interrupts the push, or in what making a plan raises."""
    try:
        yield stream
    except BaseException as error:
        if stream.journals:
            path = stream.journals[0]
            goes_on = Call(f"sp.push_parts(..., resume={str(path)!r})", "goes on")
            error.add_note(
                str(Message(f"pushed so far as {short(path)}", goes_on, undoing(path, "goes back")))
            )
        raise


class _Counting:
    """Lets several pushes count in one bar, one after the other."""

    def __init__(self, shown: Bar) -> None:
        self._shown = shown

    def update(self, n: int = 1) -> None:
        self._shown.update(n)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        self._shown.set_postfix_str(s, refresh)


@dataclass(frozen=True, repr=False)
class TableReport(Report):
    """What became of the rows of one table in all parts: those that need attention, the others counted.

    `frame()` and what is made of it have up to 10,000 rows that were not written, or replaced values of
    others; `counts` and the length count all.
    """

    totals: Mapping[str, int] = field(default_factory=dict)
    not_read: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by outcome, of all parts: see `Report.counts`."""
        return dict(self.totals)

    def __len__(self) -> int:
        return sum(self.totals.values())

    @property
    def why_unverified(self) -> Mapping[str, int]:
        """Why it is not known of rows whether they replaced values of others, of all parts."""
        return self.not_read

    def verify(self, **_: Any) -> Report:
        """Raise: the commits are read part by part.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            "a push in parts is verified part by part: sp.verify(path) for path in report.journals"
        )


@dataclass(frozen=True, repr=False)
class PartsReport(Reports):
    """What became of the rows of a push in parts: all are counted, those that need attention are kept.

    It has a length (the rows of all parts that had their turn). `reports` has one Report for each table.
    `sp.undo` takes all back, the last part first.

    Attributes:
        parts: How many parts there were.
        stopped: Why the push ended before all parts had their turn; None: it did not.

    Example:
        >>> parts = (part.diff(part.frame().assign(notes="seen")) for part in iter_snapshots(hosts, rows=4))
        >>> report = push_parts(parts, progress=False)
        >>> report.parts, report.counts["done"], report.ok
        (3, 10, True)
    """

    parts: int = 0
    stopped: str | None = None
    paths: tuple[Path, ...] = ()

    @property
    def journals(self) -> tuple[Path, ...]:
        """The journals of the parts, in their order."""
        return self.paths

    @property
    def journal(self) -> Path | None:
        """The journal of the first part, which stands for all."""
        return self.paths[0] if self.paths else None

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by outcome, see `Report.counts`."""
        return dict.fromkeys(WORDS, 0) | super().counts

    @property
    def ok(self) -> bool:
        """Return whether every part had its turn, and every row is done or was so before."""
        return self.stopped is None and super().ok


@dataclass
class _Table:
    """What there is to tell of the parts of one table so far."""

    first: PushResult
    """Of the first part: with a plan of no changes, and no outcomes."""
    totals: Counter[str] = field(default_factory=Counter)
    not_read: Counter[str] = field(default_factory=Counter)
    notes: dict[str, None] = field(default_factory=dict)
    kept: list[Outcome] = field(default_factory=list)
    changes: dict[Hashable, Change] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    ended: str = ""

    def add(self, result: PushResult) -> None:
        """Count the rows of a part, and keep those that need attention."""
        self.totals.update(result.counts)
        self.not_read.update(result.why_unverified)
        self.notes.update(dict.fromkeys(result.notes))
        self.ended = result.ended or self.ended
        wanted = [o for o in result.outcomes if o.word not in ("done", "unchanged") or o.overwrites]
        changes = {row_of(change): change for change in result.plan.changes} if wanted else {}
        for one in wanted[: max(0, KEPT - len(self.kept))]:
            change = changes.get(one.row)
            if isinstance(change, Create) and one.row in self.changes:  # rows of each part begin with 0
                name = (len(self.kept), one.row)
                one, change = replace(one, row=name), replace(change, row=name)
            self.kept.append(one)
            if change is not None:
                self.changes.setdefault(one.row, change)
        self.problems += result.plan.problem_list[: max(0, KEPT - len(self.problems))]
        self.stale += result.plan.stale[: max(0, KEPT - len(self.stale))]
        self.conflicts += result.conflict_list[: max(0, KEPT - len(self.conflicts))]

    def report(self, journal: Path | None, stopped: str | None) -> TableReport:
        """Return the report of the table."""
        plan = replace(
            self.first.plan,
            changes=tuple(self.changes.values()),
            problem_list=tuple(self.problems),
            stale=tuple(self.stale),
        )
        words = [word for word in ("done", REPLACED, *WORDS[1:]) if word != REPLACED or self.totals[word]]
        return TableReport(
            plan_of(plan),
            tuple(self.kept),
            tuple(self.conflicts),
            journal=journal,
            note=self.first.note,
            reviewer=self.first.reviewer,
            user=self.first.user,
            started=self.first.started,
            ended=self.ended,
            notes=tuple(self.notes),
            stopped=stopped,
            totals={word: self.totals[word] for word in words},
            not_read=self.not_read,
        )


class _Tally:
    """Counts what becomes of the parts."""

    def __init__(self) -> None:
        self.stopped: str | None = None
        self._tables: dict[tuple[str, str], _Table] = {}

    def add(self, results: Iterable[PushResult], stopped: str | None = None) -> None:
        """Count the rows of some parts; `stopped`: why there are no others."""
        for result in results:
            plan = result.plan
            table = plan.endpoint.client.url, plan.schema.name
            if table not in self._tables:
                bare = replace(
                    plan, changes=(), problem_list=(), stale=(), conflict_list=(), snapshot=None, journal=None
                )
                self._tables[table] = _Table(replace(result, plan=bare, outcomes=(), entities={}))
            self._tables[table].add(result)
            self.stopped = self.stopped or result.stopped
        self.stopped = self.stopped or stopped

    def report(self, stream: Stream) -> PartsReport:
        """Return the report."""
        first = stream.journals[0] if stream.journals else None
        return PartsReport(
            tuple(table.report(first, self.stopped) for table in self._tables.values()),
            stream.options.note,
            parts=stream.parts,
            stopped=self.stopped,
            paths=tuple(stream.journals),
        )

"""The report of a push: one outcome per row, and what can be done about those that were not written."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..formats.atomic import replaced
from ..values.tables import table
from ..values.times import times
from .plan import Plan, conflict_table

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from threading import Event

    import pandas as pd

    from ..values.changes import Conflict, Overwrite
    from .snapshot import Snapshot

Word = Literal["done", "unchanged", "conflict", "failed", "problem", "unsent"]
WORDS: tuple[Word, ...] = ("done", "unchanged", "conflict", "failed", "problem", "unsent")
REPLACED = "done, replaced somebody's value"
"""How a row is counted that is done, and that wrote over a value which the guard had not read."""


class PushFailed(RuntimeError):  # noqa: N818 - named like the errors of sispy
    """Some rows of a push were not written; `report` accounts for every one.

    Example:
        >>> report = live.diff(live.frame().head(1).assign(notes="seen")).push(progress=False)
        >>> try:
        ...     _ = report.raise_for_failures()
        ... except PushFailed as failed:
        ...     print(failed.report.failures)
    """

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a row of a plan ended.

    done: every cell was written and the server's answer holds it. unchanged: the server held all of it
    already. conflict: somebody else changed a cell or the row; that cell was not written (others may have
    been: `written`). failed: the server refused. problem: never sent, see the plan. unsent: never sent,
    because the push ended before; or its fate is unknown, as the reason then says.
    """

    row: Hashable
    action: Literal["create", "update", "delete"]
    word: Word
    id: str | None = None
    key: Any = None
    status: int | None = None
    """The HTTP status that the server gave for this row."""
    reason: str = ""
    written: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Path -> (before, after) of the cells that this push wrote."""
    receipt: int | None = None
    """`_sis._updated_at` after the write, in ms."""
    read: int | None = None
    """`_sis._updated_at` before the write, as the guard read it, in ms; `written` has cells of that state."""
    overwrites: tuple[Overwrite, ...] = ()
    """Values of others that this row's write replaced although the guard had not read them."""
    unverified: str = ""
    """Why it is not known whether there are more of them."""
    doubted: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """The same as `written` of cells that were sent without an answer and hold somebody else's value now:
    `verify` finds out whether they were written in between."""

    @property
    def label(self) -> str:
        """How the row is counted and shown: `word`, but of a done row with overwrites `REPLACED`."""
        return REPLACED if self.word == "done" and self.overwrites else self.word


@dataclass(frozen=True)
class Report:
    """What became of every row of a plan.

    It has a length (rows of the plan); `frame()` shows one row each. Errors of rows are data here: nothing
    is raised for them unless `raise_for_failures` is called.

    Example:
        >>> frame = live.frame().head(2)
        >>> report = live.diff(frame.assign(notes="counted")).push(progress=False)
        >>> len(report), len(report.done), len(report.failures)
        (2, 2, 0)
    """

    plan: Plan = field(repr=False)
    outcomes: tuple[Outcome, ...]
    clashes: tuple[Conflict, ...] = ()
    """What `conflicts` shows, as values."""
    journal: Path | None = None
    """The file that `resume` and `undo` read."""
    note: str | None = None
    user: str | None = None
    started: str = ""
    """ISO 8601 in UTC."""
    ended: str = ""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the outcomes."""
    stopped: str | None = None
    """Why the push ended before all rows had their turn; None: it did not."""
    entities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    """The server's own answers by `_id`; an empty object for a row that was deleted."""

    def __len__(self) -> int:
        return len(self.outcomes)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by outcome: done, unchanged, conflict, failed, problem, unsent; the sum is the length.

        Where there are any, rows that are done but replaced a value of somebody else are counted apart, as
        `REPLACED`.
        """
        return counts_of(self.outcomes)

    @property
    def ok(self) -> bool:
        """Whether every row is done or was so before."""
        return all(outcome.word in ("done", "unchanged") for outcome in self.outcomes)

    def frame(self) -> pd.DataFrame:
        """Return one row per row of the plan: _id, key, action, outcome (as in `counts`), status, reason."""
        return _rows(self.outcomes)

    @property
    def done(self) -> pd.DataFrame:
        """The rows that were written completely, as `frame` shows them."""
        return _rows([outcome for outcome in self.outcomes if outcome.word == "done"])

    @property
    def failures(self) -> pd.DataFrame:
        """The rows that are neither done nor unchanged, as `frame` shows them."""
        return _rows([outcome for outcome in self.outcomes if outcome.word not in ("done", "unchanged")])

    @property
    def new_ids(self) -> dict[Hashable, str]:
        """The `_id` of each new row, by its label; a row that an undo brought back: by its old one.

        `sp.repoint(endpoint, report.new_ids)` then points to the new rows what referred to the old ones.
        """
        return {o.row: o.id for o in self.outcomes if o.action == "create" and o.id and o.word != "conflict"}

    @property
    def conflicts(self) -> pd.DataFrame:
        """Cells that somebody else changed and that were not written: _id, key, field, base, mine, theirs."""
        return conflict_table(self.clashes)

    @property
    def overwritten(self) -> pd.DataFrame:
        """Values of others that the push replaced: _id, key, field, base, mine, theirs, by, at (UTC).

        `base` is what the guard had read, `mine` what was written over `theirs`. What is stored is `mine`,
        unless somebody wrote since: `plan.rebase(report, keep="theirs")` puts theirs back.
        """
        cells = [cell for outcome in self.outcomes for cell in outcome.overwrites]
        frame = table(
            [(c.id, c.key, c.field, c.base, c.mine, c.theirs, c.by, c.at) for c in cells],
            ("_id", "key", "field", "base", "mine", "theirs", "by", "at"),
        )
        frame["at"] = times([cell.at for cell in cells])
        return frame

    @property
    def unverified(self) -> pd.DataFrame:
        """The rows of which it is not known whether they replaced values of others: _id, key, reason."""
        rows = [(o.id, o.key, o.unverified) for o in self.outcomes if o.unverified]
        return table(rows, ("_id", "key", "reason"))

    def verify(self, *, progress: Any = True, cancel: Callable[[], bool] | Event | None = None) -> Report:
        """Read the commits of the written rows, and return the report with what they tell.

        The guard reads a row, then the row is written: somebody else may have written in between. The server
        keeps commits of both. A row of which they show that a value was lost stays done, is counted as
        `REPLACED`, and `overwritten` has base, mine and theirs. A row of which they do not tell is in
        `unverified`: its table keeps no history, or owners, tags or locks were written, which leave no trace,
        or its commits do not lead to what was written. So is a new row without a unique value of which there
        are more than were sent: a network may deliver a request twice.

        A push of up to 1,000 rows does it by itself. It costs one small request per written row, two at a
        time, and one more where two writes of a cell raced: 1,000 rows took 1,000 requests, 1.1 s of CPU here
        and 2 to 4 s in all. New rows replace nothing and cost nothing, but one request where no unique value
        tells them from others. What others are still writing at that moment is seen by a later `verify`
        alone. The journal keeps what was found.

        Args:
            progress: As in `fetch`.
            cancel: A function, or a `threading.Event`, that is asked between rows: True ends it; as Ctrl-C
                does, and the rows left are in `unverified`.

        Raises:
            OSError: The journal cannot be written.
            ValueError: Another push is writing to the journal.

        Example:
            >>> plan = live.diff(live.frame().head(1).assign(notes="mine"))
            >>> report = plan.push(verify=False, progress=False)
            >>> len(report.unverified), len(report.verify(progress=False).unverified)
            (1, 0)
        """
        from ..pushing.verify import verify

        return verify(self, progress=progress, cancel=cancel)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The plan's snapshot with the server's answers in it: ready for the next edit, without a fetch.

        Raises:
            ValueError: The plan was not made from a snapshot.
        """
        from ..pushing.next_snapshot import next_snapshot

        return next_snapshot(self)

    def raise_for_failures(self) -> Report:
        """Raise if any row is neither done nor unchanged, else return the report.

        Raises:
            PushFailed: With the report in `report`.
        """
        if not self.ok:
            raise PushFailed(self)
        return self

    def to_csv(self, path: str | Path) -> Path:
        """Write the rows that were not written as a retry file, with their reasons; return its path.

        It holds the key, the cells that the plan touches and the receipts. Edit it, then push it like any
        file: `sp.snapshot_of(endpoint, frame).diff(frame)`.

        Raises:
            sispy.Error: The server does not answer; of a plan without snapshot (loaded, or an undo) it is
                asked for the cells that a row does not mean to change.
        """
        from ..pushing.retry import to_csv

        return to_csv(self, path)

    def to_excel(self, path: str | Path) -> Path:
        """Write the rows that were not written as a spreadsheet, with their reasons; return its path.

        As `to_csv` does, also in what it raises.
        """
        from ..pushing.retry import to_excel

        return to_excel(self, path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the record of the push for an auditor as one HTML page; write it to `path` if given."""
        from ..pushing.report_html import page

        text = page(self)
        if path is not None:
            with replaced(Path(path)) as file:
                file.write(text)
        return text

    def __str__(self) -> str:
        from ..pushing.render import text

        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from ..pushing.report_html import fragment

        return fragment(self)


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many outcomes are of which kind, as `Report.counts` has it."""
    labels = [outcome.label for outcome in outcomes]
    words = WORDS if REPLACED not in labels else ("done", REPLACED, *WORDS[1:])
    return {word: labels.count(word) for word in words}


def _rows(outcomes: list[Outcome] | tuple[Outcome, ...]) -> pd.DataFrame:
    return table(
        [(o.id, o.key, o.action, o.label, o.status, o.reason) for o in outcomes],
        ("_id", "key", "action", "outcome", "status", "reason"),
    )

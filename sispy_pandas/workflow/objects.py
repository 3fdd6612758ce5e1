"""Snapshot, Plan and Report: the data of each stage with what leads to the next one.

    Snapshot --diff--> Plan --push--> Report --snapshot--> Snapshot

The engines below take and return the data alone (`RowSet`, `ChangeSet`, `PushResult`); what they return of a
plan or a report that they were given is one again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sispy.text import in_html, printable

from ..formats.csv import Csv
from ..formats.excel import Excel
from ..formats.parquet import arrow_table
from ..planning import render as planned
from ..planning.change_set import ChangeSet
from ..planning.diff import diff
from ..planning.groups import grouped
from ..planning.plan_file import digest, save
from ..planning.precheck import precheck
from ..planning.rebase import rebase, refresh
from ..pushing import render as pushed
from ..pushing import retry
from ..pushing.next_snapshot import next_snapshot
from ..pushing.options import Options
from ..pushing.outcome import PushResult
from ..pushing.push import push
from ..pushing.verify import verify
from ..values.blocks import LONG, as_html, as_text
from ..values.preview import preview
from ..values.row_set import RowSet
from .split import split_by

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from threading import Event

    import pandas as pd

    from sispy import Endpoint

    from ..planning.change_set import Origin
    from ..planning.merge import OnConflict
    from ..pushing.guards import Guard
    from ..pushing.options import Limits
    from ..pushing.outcome import BrokenOff
    from ..values.changes import Change, Conflict, Outcome, Problem, Stale
    from ..values.schema import Schema


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot(RowSet):
    """Rows of one schema at one time, as the server gave them; it never changes.

    Attributes:
        schema: The schema at that time.
        endpoint: Where the rows came from.
        query: What was asked for.
        fields: Paths of the fields that were fetched; None: all.
        fetched_at: When the fetch began, in UTC.
        warnings: A frame (_id, column, value, reason) of what was odd: values that contradict the definition,
            and rows that came or went during the fetch.
        expanded: Columns of other schemas, for reading only.

    Example:
        >>> snapshot = sp.fetch(client.entities("host"), fields=["name", "status"], progress=False)
        >>> list(snapshot.frame().columns)
        ['name', 'status', '_updated_at']
        >>> len(snapshot), snapshot.schema.key
        (10, 'name')
    """

    def __repr__(self) -> str:
        odd = f", {len(self.warnings)} warnings" if len(self.warnings) else ""
        at = self.fetched_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"<Snapshot of {printable(self.schema.name)}: {len(self):,} rows, fetched {at}{odd}>"

    def _repr_html_(self) -> str:
        return f"<p>{in_html(repr(self).strip('<>'))}</p>{preview(self.frame())}"

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows for polars, DuckDB or pyarrow, with the types that a Parquet file has.

        Raises:
            ImportError: pyarrow is missing.
            ValueError: A value contradicts the definition: a column has one type.
        """
        return arrow_table(self).__arrow_c_stream__(requested_schema)

    def diff(
        self,
        frame: Any,
        *,
        key: str | None = None,
        new: bool | Literal["missing"] = False,
        delete: Collection[str] = (),
        create_missing: bool = False,
        blank: Literal["keep", "clear"] | None = None,
        owner: Collection[str] | None = None,
    ) -> Plan:
        """Compare an edited frame with this snapshot.

        Cells are compared as the server would store them; a row or a column that the frame lacks is left
        alone.

        Args:
            frame: Any frame with `_id` as its index or a column, unless `key` or `new` is given: of pandas,
                or a table that gives its columns as Arrow (polars, DuckDB, pyarrow). What a trip through
                Arrow or a file does to values (lists as arrays, whole numbers as doubles, nulls under the
                keys that other rows have, lists and objects as their text) is no edit, and is not sent with
                one.
            key: A unique field to match rows by instead, for frames from elsewhere.
            new: Every row is a new one; with "missing" each that is not there just so, of equal ones as many
                as the table lacks: for tables without a unique field.
            delete: `_id`s of rows to be deleted. A column `_delete` in the frame marks rows for the same.
            create_missing: With `key`: rows that match nothing are new ones; else the plan's notes name them.
            blank: What a blank cell says: "clear" empties the field, "keep" leaves it alone. The default is
                "keep" with `key` and "clear" otherwise.
            owner: The groups that new rows shall belong to; None leaves it to the server.

        Returns:
            The plan; cells that cannot be sent are in its `problems`.

        Raises:
            ValueError: The rows cannot be identified, a column is there twice, `delete` names unknown rows.
            TypeError: `frame` is no table; `delete` or `owner` is one text instead of a list.
            ImportError: The frame is Arrow's, and pyarrow is missing.
        """
        found = diff(
            self,
            frame,
            key=key,
            new=new,
            delete=delete,
            create_missing=create_missing,
            blank=blank,
            owner=owner,
        )
        return plan_of(found)


@dataclass(frozen=True, repr=False)
class Plan(ChangeSet):
    """Changes to the entities of one schema, and why some of them cannot be sent.

    Making one writes nothing. It has a length (the rows it changes); `print` shows it as text, a notebook as
    a table.

    Example:
        >>> plan = live.diff(live.frame().head(2).assign(notes="checked"))
        >>> len(plan), plan.counts["cells"], plan.fields
        (2, 2, ('notes',))
    """

    snapshot: Snapshot | None = field(default=None, compare=False)

    def check(self, *, allow_dangling: bool = False, progress: Any = True) -> Plan:
        """Ask the server what `diff` cannot know, and return the plan with those problems added.

        That is: references to rows that do not exist, unique values that other rows have, locked and
        immutable rows, rows that the user may not write, rows that the server would refuse for an old
        dangling reference, and deletes of rows that others refer to (unless `allow_dangling`). Reads only.
        `progress` is as in `fetch`; what takes no second has no bar.

        Raises:
            sispy.Error: The server could not be asked.
        """
        return precheck(self, allow_dangling=allow_dangling, progress=progress)

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
        journal: str | Path | bool | None = None,
        progress: Any = True,
        cancel: Callable[[], bool] | Event | None = None,
        limits: Limits | None = None,
        again: bool = False,
        wait: bool | Callable[[str], object] = True,
        verify: bool | None = None,
        on_report: Callable[[Report], object] | None = None,
    ) -> Report:
        """Send the changed cells to the server and account for every row; `check` is run first.

        Args:
            guard: "check" reads each chunk's rows again right before it is sent, and writes no cell that
                somebody else changed since; "cas" sends row by row with compare-and-set, see below; "off"
                writes over whatever is there.
            on_conflict: A cell that somebody else changed: "skip" leaves and reports it, "mine" writes over
                it, "theirs" leaves it without a word.
            skip_problems: Send the rows without problems; else a plan with problems is refused as a whole.
            expect_deletes: The exact number of rows to be deleted; needed for more than 10.
            expect_digest: What `digest` was when the plan was reviewed; any other plan is refused.
            allow_dangling: Delete rows that other rows refer to.
            note: A text for the report and the journal, such as the number of a change request; by default
                the one that the plan was saved with.
            reviewer: Who has reviewed the plan, for the report and the journal.
            journal: Where to keep the journal; None: in the folder that `sp.pushes` reads; False: nowhere.
            progress: True, False, a bar or a function; see `sispy_pandas.values.progress`.
            cancel: A function, or a `threading.Event`, that is asked between chunks: True ends the push in an
                orderly way, and `resume` can finish it.
            limits: Sizes and waits.
            again: Send rows once more that an earlier push of the same plan wrote and that nobody undid, and
                new rows that failed because they may have been created; of a `resume` the latter alone. Else
                they are left out as "unchanged". Without a journal only this process remembers them.
            wait: Another push from this machine may be writing to the table: wait for its end (a function is
                told whose it is and how far), or, if False, send nothing and raise.
            verify: Read the server's commits of the written rows afterwards, and report values of others that
                were replaced although the guard had not read them: see `Report.verify`. True: always; False:
                never; None: for up to 1,000 rows. Ctrl-C ends it, and the report comes all the same.
            on_report: Is given the report before these commits are read, for somebody who need not wait for
                them.

        What the guards cannot see: "check", a write between the reading and the writing of a chunk; "cas",
        one within the very millisecond of the last write that was read, if it goes to a Mixed field, an array
        of documents or of Mixed, owner, tags or locked, or a cell whose old value is so long (about 5,000
        bytes in a URL) that it cannot be part of the condition.

        Returns:
            The report. Rows that failed are data in it, not exceptions.

        Raises:
            PlanRefused: The plan has problems, more deletes than stated, or another digest; nothing was sent.
            TableInUse: The same, because another push writes to the table and `wait` is False.
            ValueError: An unknown word for `guard` or `on_conflict`, or the journal is in use.
            sispy.Error: The server could not be asked before the first row was sent.
            KeyboardInterrupt: With a note that says how to go on.
        """
        result = push(
            self,
            Options(guard, on_conflict, skip_problems, allow_dangling, note, reviewer),
            expect_deletes=expect_deletes,
            expect_digest=expect_digest,
            journal=journal,
            progress=progress,
            cancel=cancel,
            limits=limits,
            again=again,
            wait=wait,
            verify=verify,
            on_result=None if on_report is None else lambda result: on_report(report_of(result)),
        )
        return report_of(result)

    def refresh(self, *, progress: Any = True) -> Plan:
        """Compare the plan with what the server holds now; write nothing.

        `progress` is as in `check`.

        Returns:
            The plan without the cells that the server holds already; `conflicts` names each cell that
            somebody else changed since (they stay in the plan, and a push would not write them).

        Raises:
            sispy.Error: The server could not be asked.
        """
        return refresh(self, progress=progress)

    def rebase(self, report: Report | Plan, *, keep: Literal["mine", "theirs"]) -> Plan:
        """Return the plan of what is left after a push, with its conflicts decided.

        Args:
            report: The report of the push, or the plan that `refresh` returned.
            keep: "mine" writes over what others wrote (over exactly that: the guard still looks);
                "theirs" gives way. Values that the push replaced unseen (`report.overwritten`) are put back
                by "theirs", and stay replaced with "mine".
        """
        outcomes = report.outcomes if isinstance(report, Report) else ()
        return rebase(self, report.conflict_list, outcomes, keep=keep)

    @cached_property
    def digest(self) -> str:
        """The fingerprint of what the plan changes: equal for equal changes, whoever plans them and when."""
        return digest(self)

    def groups(self, by: str | None = None) -> pd.DataFrame:
        """Return equal changes together, the most frequent first: action, field, before, after, rows.

        Args:
            by: A column that splits them, as the rows hold it today; also one of rows that are referred to,
                as `rack.site.name`. The frame has it in front of `rows`.

        Raises:
            ValueError: There is no such column.
            sispy.Error: The server could not be asked for it.

        Example:
            >>> plan = live.diff(live.frame().assign(notes="counted"))
            >>> plan.groups(by="rack.site.name").columns.tolist()
            ['action', 'field', 'before', 'after', 'rack.site.name', 'rows']
        """
        return (self.grouped if by is None else grouped(self.changes, split_by(self, by))).frame()

    def save(self, path: str | Path, *, note: str | None = None) -> Path:
        """Write the plan as text, one sorted line per cell, for `load_plan`; return the path.

        It says who saved it and when, and of which file it was made.

        Args:
            path: Of the file; readable by its owner alone.
            note: A text such as the number of a change request, which its push takes over.
        """
        return save([self], path, note=note)

    def __str__(self) -> str:
        return as_text(planned.blocks(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(planned.blocks(self, LONG), about="plan")


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


@dataclass(frozen=True, repr=False)
class Report(PushResult):
    """What became of every row of a plan.

    It has a length (rows of the plan); `frame()` shows one row each. Errors of rows are data here: nothing
    is raised for them unless `raise_for_failures` is called.

    Example:
        >>> frame = live.frame().head(2)
        >>> report = live.diff(frame.assign(notes="counted")).push(progress=False)
        >>> len(report), len(report.done), len(report.failures)
        (2, 2, 0)
    """

    plan: Plan

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
        return verify(self, progress=progress, cancel=cancel)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The plan's snapshot with the server's answers in it: ready for the next edit, without a fetch.

        Raises:
            ValueError: The plan was not made from a snapshot.
        """
        if self.plan.snapshot is None:
            raise ValueError("this plan was not made from a snapshot: fetch one")
        return next_snapshot(self.plan.snapshot, self)

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
        return retry.write(self, path, Csv())

    def to_excel(self, path: str | Path) -> Path:
        """Write the rows that were not written as a spreadsheet, with their reasons; return its path.

        As `to_csv` does, also in what it raises.
        """
        return retry.write(self, path, Excel())

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the record of the push for an auditor as one HTML page; write it to `path` if given."""
        return pushed.written(pushed.page(self), path)

    def __str__(self) -> str:
        return as_text(pushed.blocks(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(pushed.blocks(self), about="report")


def plan_of(found: ChangeSet) -> Plan:
    """Return changes as a plan, which can be pushed; a plan as it is."""
    return found if isinstance(found, Plan) else Plan(**_values(found))


def report_of(found: PushResult) -> Report:
    """Return the result of a push as a report; a report as it is."""
    if isinstance(found, Report):
        return found
    return Report(**_values(found) | {"plan": plan_of(found.plan)})


def _values(data: ChangeSet | PushResult) -> dict[str, Any]:
    return {item.name: getattr(data, item.name) for item in fields(data)}

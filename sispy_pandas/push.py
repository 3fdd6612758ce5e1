"""Push a plan: chunk by chunk, guarded, journalled, with one outcome for every row."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from sispy import errors

from .changes import Change, Create, Delete, Update, action_of, row_of
from .fetching.chunks import chunks, encoded_size
from .journal import Record, new_path, opened, read
from .plan import Plan, PlanRefused
from .planning.plan_file import lines
from .planning.plan_text import count
from .planning.waves import waves
from .progress import bar
from .pushing.earlier import anonymous, created_before, fingerprint
from .pushing.limits import Limits
from .pushing.options import Options, refuse
from .pushing.run import Run, Stopped
from .pushing.send_cas import send_cas
from .pushing.send_creates import send_creates, traces
from .pushing.send_deletes import PER_REQUEST, send_deletes
from .pushing.send_updates import send_updates
from .report import Outcome, Report
from .values.entity import body

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

    from .plan import Guard, OnConflict


def push(
    plan: Plan,
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
) -> Report:
    """Send the changed cells of a plan to the server and account for every row.

    Args:
        plan: The plan; its `check` is run first.
        guard: "check" reads each chunk's rows again right before it is sent, and writes no cell that somebody
            else changed since; "cas" sends row by row with compare-and-set, see below; "off" writes over
            whatever is there.
        on_conflict: A cell that somebody else changed: "skip" leaves and reports it, "mine" writes over it,
            "theirs" leaves it without a word.
        skip_problems: Send the rows without problems; else a plan with problems is refused as a whole.
        expect_deletes: The exact number of rows to be deleted; needed for more than 10.
        allow_dangling: Delete rows that other rows refer to.
        note: A text for the report and the journal, such as the number of a change request.
        journal: Where to keep the journal; None: in the folder of `sispy_pandas.journal`; False: nowhere.
        progress: True, False, a bar or a function; see `sispy_pandas.progress`.
        cancel: A function, or a `threading.Event`, that is asked between chunks: True ends the push in an
            orderly way, and `resume` can finish it.
        limits: Sizes and waits.

    What the guards cannot see: "check", a write between the reading and the writing of a chunk; "cas", one
    within the very millisecond of the last write that was read, if it goes to a Mixed field, an array of
    documents or of Mixed, owner, tags or locked, or a cell whose old value is so long (about 5,000 bytes in a
    URL) that it cannot be part of the condition.

    Returns:
        The report. Rows that failed are data in it, not exceptions.

    Raises:
        PlanRefused: The plan has problems, or more deletes than stated; nothing was sent.
        ValueError: An unknown word for `guard` or `on_conflict`, or the journal is in use.
        sispy.Error: The server could not be asked before the first row was sent.
    """
    options = Options(guard, on_conflict, skip_problems, allow_dangling, note)
    if plan.journal is not None:
        options = options.resumed(read(plan.journal).begin)
    refuse(plan, options, expect_deletes)
    started, path = _now(), _path(plan, journal)
    before: dict[Hashable, tuple[str, Path]] = {}
    if plan.journal is None:
        plan = _checked(plan, (), options)
        before = created_before(plan)
        if path is None and anonymous(plan):
            raise PlanRefused(
                f"schema {plan.schema.name!r} has no unique field to know new rows by: they need a journal",
                plan,
            )
    total, name = len(plan), f"push {plan.schema.name}"
    with opened(path) as book, bar(progress, total=total, unit=" rows", desc=name) as shown:
        stop = cancel.is_set if isinstance(cancel, Event) else cancel or _never
        user = plan.endpoint.client.username
        run = Run(plan, book, limits or Limits(), options.guard, options.on_conflict, shown, stop, user)
        stopped: str | None = None
        facts = {"user": user, **asdict(options)}
        if plan.journal is None and path is not None:
            book.lines(lines(plan))
            book.event("begin", new_rows=fingerprint(plan), server=plan.endpoint.client.url, **facts)
        elif plan.journal is not None:
            stopped = _take_up(run, read(plan.journal))
            if stopped is None:
                run.plan = plan = _checked(plan, run.pending, options)
            book.event("resume", **facts)
        stopped = stopped or _send_all(run, before)
        _settle_the_rest(run, stopped)
        book.event("end", stopped=stopped)
    return Report(
        plan,
        tuple(_in_plan_order(run)),
        tuple(conflict for row in run.conflicts.values() for conflict in row),
        journal=path,
        note=options.note,
        user=run.user,
        started=started,
        ended=_now(),
        stopped=stopped,
        entities=run.entities,
    )


def _path(plan: Plan, journal: str | Path | bool | None) -> Path | None:
    """Return where the journal is kept; None for nowhere.

    Raises:
        ValueError: The file is there already.
    """
    if plan.journal is not None:
        return plan.journal
    if not isinstance(journal, str | Path):
        return None if journal is False else new_path(plan.schema.name)
    path = Path(journal)
    if path.exists() and path.stat().st_size:
        raise ValueError(f"{path} exists: sp.resume(path) goes on with it, a new push needs a new file")
    return path


def _checked(plan: Plan, pending: Collection[Hashable], options: Options) -> Plan:
    """Return the plan with the problems that the server knows of.

    Rows in `pending` were sent by a push that was interrupted. What the server says about them now may be the
    effect of that, and is no problem.
    """
    known = set(map(id, plan.faults))
    checked = plan.check(allow_dangling=options.allow_dangling)
    faults = tuple(fault for fault in checked.faults if id(fault) in known or fault.row not in pending)
    plan = replace(checked, faults=faults)
    if plan.faults and not options.skip_problems:
        first = plan.faults[0]
        raise PlanRefused(
            f"{count(len(plan.faults), 'problem')}; the first: row {first.key or first.row}, {first.column}: "
            f"{first.reason}. See plan.check().problems; skip_problems=True sends the other rows",
            plan,
        )
    return plan


def _take_up(run: Run, record: Record) -> str | None:
    """Take over what an interrupted push left open, once the server is at rest; say why if it is not."""
    run.explained.update(entry.id for entry in record.entries.values() if entry.word is not None and entry.id)
    rows = {row_of(change): change for change in run.plan.changes}
    sent = {row: entry for row, entry in record.entries.items() if entry.word is None and row in rows}
    if not sent:
        return None
    for row, entry in sent.items():
        run.pending[row], run.pending_since[row] = entry.pending, entry.sent_at
        run.pending_receipts[row] = entry.read
        if entry.action == "create":
            run.strangers[row], run.senders[row] = (entry.since, entry.known), entry.sender
    creates = [change for row in sent if isinstance(change := rows[row], Create)]
    ids = [change.id for row in sent if isinstance(change := rows[row], Update | Delete)]
    try:
        run.until_quiet(
            lambda: (run.read_rows(ids), traces(run, creates)),
            len(sent),
            since=max(entry.sent_at for entry in sent.values()),
        )
    except (Stopped, errors.Error) as error:
        return _why(run, error)
    return None


def _send_all(run: Run, before: Mapping[Hashable, tuple[str, Path]]) -> str | None:
    """Send wave after wave, chunk after chunk; return why it stopped early, if it did.

    Args:
        run: The push.
        before: New rows that an earlier push created: row -> (`_id`, journal).
    """
    barred = {fault.row for fault in run.plan.faults}
    try:
        for wave in waves(run.schema, [c for c in run.plan.changes if row_of(c) not in barred]):
            for part in _parts(run, [change for change in wave if isinstance(change, Update)]):
                if run.guard == "cas":
                    send_cas(run, part)
                else:
                    send_updates(run, part)
            for some in _parts(run, [change for change in wave if isinstance(change, Create)]):
                send_creates(run, _not_created_before(run, some, before))
            for few in _parts(
                run, [change for change in wave if isinstance(change, Delete)], rows=PER_REQUEST
            ):
                send_deletes(run, few)
    except (Stopped, errors.Error) as error:
        return _why(run, error)
    return None


def _why(run: Run, error: Stopped | errors.Error) -> str:
    if isinstance(error, Stopped):
        return str(error)
    run.stop_status = 401 if isinstance(error, errors.Unauthorized) else error.http_status_code
    return f"the server could not be asked: {error}"


def _not_created_before(
    run: Run, creates: Sequence[Create], before: Mapping[Hashable, tuple[str, Path]]
) -> list[Create]:
    for create in creates:
        if create.row in before:
            id_, journal = before[create.row]
            run.settle(create, "unchanged", f"an earlier push created it: {journal}", id=id_)
    return [create for create in creates if create.row not in before]


def _parts(run: Run, changes: Sequence[Any], *, rows: int | None = None) -> Iterable[Sequence[Any]]:
    for part in chunks(
        changes, _size, rows=min(rows or run.limits.rows, run.limits.rows), size_limit=run.limits.bytes
    ):
        run.stop_if_cancelled()
        yield part


def _size(change: Change) -> int:
    if isinstance(change, Delete):
        return 0
    return encoded_size(body(change.values if isinstance(change, Create) else change.after)) + 40


def _settle_the_rest(run: Run, stopped: str | None) -> None:
    """Give an outcome to the rows that were not sent."""
    faults: dict[Any, list[str]] = {}
    for fault in run.plan.faults:
        faults.setdefault(fault.row, []).append(
            f"{fault.column}: {fault.reason}" if fault.column else fault.reason
        )
    for change in run.plan.changes:
        row = row_of(change)
        if row in run.outcomes:
            continue
        if row in faults:
            run.settle(change, "problem", "; ".join(faults[row]))
        elif row in run.pending:
            cells = run.pending[row]  # stays open in the journal: only a resume can tell
            run.outcomes[row] = _open(
                change, f"sent, but its fate is unknown ({stopped}); sp.resume finds out"
            )
            run.pending[row] = cells
        else:
            run.settle(change, "unsent", stopped or "", status=run.stop_status)


def _open(change: Change, reason: str) -> Outcome:
    id_ = None if isinstance(change, Create) else change.id
    return Outcome(row_of(change), action_of(change), "unsent", id_, change.key, None, reason)


def _in_plan_order(run: Run) -> Iterable[Outcome]:
    """Yield one outcome per row of the plan, those without a change (bad ids, stale rows) last."""
    changed = {row_of(change) for change in run.plan.changes}
    yield from (run.outcomes[row_of(change)] for change in run.plan.changes)
    for fault in {fault.row: fault for fault in reversed(run.plan.faults)}.values():
        if fault.row not in changed:
            id_ = fault.row if isinstance(fault.row, str) else None
            yield Outcome(fault.row, "update", "problem", id_, fault.key, None, fault.reason)
    for stale in run.plan.stale:
        yield Outcome(stale.id, "update", "unsent", stale.id, stale.key, None, f"stale: {stale.reason}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _never() -> bool:
    return False

"""After a push: the commits of the written rows are read, to find what no guard can see.

Between the reading and the arriving of a write there is always a window; `evidence` says what the commits
tell about it. What is found stands in the outcomes of the report, and in the journal.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sispy import errors
from sispy.remedies import Call, Message

from ..planning.merge import not_stored
from ..planning.validate import identity
from ..reading.commits import as_inserted, commits_of
from ..reading.lookup import each, own_since
from ..values.changes import Create, Overwrite
from ..values.progress import aside
from .earlier import Memory
from .evidence import Unclear, already, examine, since_of
from .interim import interim
from .journal import opened
from .options import CLOCKS_APART
from .record import read
from .server import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from sispy import Endpoint

    from ..values.changes import Outcome
    from .outcome import BrokenOff, PushResult
    from .record import Entry

R = TypeVar("R", bound="PushResult")

AUTOMATIC = 1_000
"""Rows up to which a push is verified without being told so: each costs a request."""
READERS = 2
"""Requests at a time; a server process does one thing at a time."""
NOT_ENDED = "the push did not come to its end"
"""Why the rows of a push that is to be resumed are not verified."""


class Finding(NamedTuple):
    """What the commits of a row tell, as its outcome has it."""

    overwrites: tuple[Overwrite, ...]
    unverified: str
    already: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome, unverified: str) -> Finding:
        """Return what was known before, and why nothing is known beside it."""
        return cls(outcome.overwrites, unverified, outcome.already)


def verify(
    report: R,
    *,
    progress: Any = True,
    cancel: Callable[[], bool] | Event | None = None,
) -> R:
    """Return the report with what the server's commits tell about its written rows; see `Report.verify`."""
    found, broken_off = _findings(report, progress=progress, cancel=cancel)
    _keep(report, found)
    return _with_findings(report, found, broken_off)


def after_push(
    report: R,
    wanted: bool | None,
    *,
    progress: Any,
    cancel: Callable[[], bool] | Event | None,
    on_result: Callable[[R], object] | None = None,
) -> R:
    """Return the report of a push that has just ended, verified if that is wanted; never raise.

    Args:
        report: Of the push.
        wanted: None: if it has no more than `AUTOMATIC` written rows.
        progress: True: a bar.
        cancel: As `push` takes it.
        on_result: Is given the report before the commits are read; not called if they are not.
    """
    rows = sum(map(is_open, report.outcomes))
    if wanted is False:
        why = "not asked for"
    elif wanted is None and rows > AUTOMATIC:
        why = too_many()
    elif report.stopped:
        why = NOT_ENDED
    elif not rows and not _nameless(report):
        return report
    else:
        if on_result is not None:
            on_result(report)
        found, broken_off = _findings(report, progress=aside(progress), cancel=cancel)
        with suppress(OSError, ValueError):  # the journal cannot be written: the report says the same
            _keep(report, found)
        return _with_findings(report, found, broken_off)
    nameless = _nameless(report)
    rows_left = [o for o in report.outcomes if is_open(o) or o.row in nameless]
    return _with_findings(report, {o.row: Finding.of(o, why) for o in rows_left})


def is_open(outcome: Outcome | Entry) -> bool:
    """Return whether a row was written in a way that may have replaced a value of somebody else."""
    written = outcome.written and (outcome.action != "create" or outcome.read is not None)
    return bool(written or outcome.doubted)


def _findings(
    report: PushResult, *, progress: Any, cancel: Callable[[], bool] | Event | None
) -> tuple[dict[Hashable, Finding], BrokenOff | None]:
    """Return what there is to tell about every row that is open, and what kept it from being complete."""
    rows = [outcome for outcome in report.outcomes if is_open(outcome)]
    found: dict[Hashable, Finding] = {}
    broken_off, why = _look(report, rows, found, progress=progress, stop=_asked(cancel))
    for outcome in rows:
        found.setdefault(outcome.row, Finding.of(outcome, why))
    several, failed = _doubled(report) if broken_off is None else (_unlooked(report, why), None)
    for row, doubled in several.items():
        told = found.get(row, Finding((), "", ()))
        found[row] = told._replace(unverified=doubled or told.unverified)
    return found, broken_off or failed


def _nameless(report: PushResult) -> dict[Hashable, Create]:
    """Return the new rows that were created and that no unique value tells from others."""
    done = {outcome.row for outcome in report.outcomes if outcome.word == "done"}
    return {
        change.row: change
        for change in report.plan.changes
        if isinstance(change, Create) and change.row in done and identity(report.plan.schema, change) is None
    }


def _doubled(report: PushResult) -> tuple[dict[Hashable, str], BrokenOff | None]:
    """Return new row -> which rows like it are there beside it: a network may deliver a request twice.

    The second value is what kept that from being known.
    """
    creates, schema, endpoint = _nameless(report), report.plan.schema, report.plan.endpoint
    if not creates or report.journal is None:
        return {}, None
    try:
        entries = read(report.journal).entries
        marks = {row: entry.mark for row, entry in entries.items() if row in creates and entry.mark}
        since = min((mark.since for mark in marks.values()), default=0)
        known = [mark.known for mark in marks.values()]
        ours = Memory.of(report.plan).made() | {entry.id for entry in entries.values()}
        own = own_since(endpoint, since, report.user)
        others = [o for o in own if o["_id"] not in ours and not all(o["_id"] in ids for ids in known)]
        more = {o["_id"]: as_inserted(endpoint, schema, o) or o for o in others}
    except KeyboardInterrupt:
        return _unlooked(report, "interrupted"), "interrupted"
    except (errors.Error, ValueError, OSError, Stopped) as error:
        return _unlooked(report, str(error)), "server" if isinstance(error, errors.Error) else None
    found = {}
    for row, create in creates.items():
        before = marks[row].known if row in marks else ()
        sent = {**create.values, **interim(schema, create.values)}
        alike = [id_ for id_, o in more.items() if id_ not in before and not not_stored(schema, sent, o)]
        found[row] = f"there are more rows like it than were sent: {', '.join(alike)}" if alike else ""
    return found, None


def _unlooked(report: PushResult, why: str) -> dict[Hashable, str]:
    """Return what is said of new rows where it is not known whether there are more like them."""
    return dict.fromkeys(_nameless(report), f"whether there are more rows like it is not known: {why}")


def _look(
    report: PushResult,
    rows: Sequence[Outcome],
    found: dict[Hashable, Finding],
    *,
    progress: Any,
    stop: Callable[[], bool],
) -> tuple[BrokenOff | None, str]:
    """Put into `found` what is to be told about rows; say why the others were not looked at."""
    plan = report.plan
    if not plan.schema.track_history:
        for outcome in rows:
            answered = outcome.action == "delete" and outcome.status is not None  # the answer held the row
            found[outcome.row] = Finding.of(outcome, "" if answered else "the table keeps no history")
        return None, ""

    def finding(endpoint: Endpoint, outcome: Outcome) -> Finding:
        since = since_of(outcome)
        if since is None:
            return Finding.of(outcome, "nobody had read the row before it was written")
        commits = commits_of(endpoint, str(outcome.id), since - CLOCKS_APART)
        try:
            lost = examine(
                plan.schema, outcome, commits, user=report.user, current=lambda: _current(endpoint, outcome)
            )
        except Unclear as reason:
            return Finding.of(outcome, "" if outcome.overwrites else str(reason))
        same = already(plan.schema, outcome, commits, user=report.user)
        return Finding(lost or outcome.overwrites, "", same)

    asked = each(
        plan.endpoint, finding, rows, progress=progress, desc=f"verify {plan.schema.name}", lanes=READERS
    )
    try:
        for outcome, told in asked:
            found[outcome.row] = told
            if stop() and len(found) < len(rows):
                return "interrupted", "interrupted"
    except (KeyboardInterrupt, Stopped):
        return "interrupted", "interrupted"
    except errors.Error as error:
        return "server", f"the server could not be asked: {error}"
    return None, ""


def _current(endpoint: Endpoint, outcome: Outcome) -> Mapping[str, Any]:
    try:
        return endpoint.get(outcome.id, {"populate": False}).to_dict()
    except errors.NotFound:
        return {}


def _asked(cancel: Callable[[], bool] | Event | None) -> Callable[[], bool]:
    if cancel is None:
        return lambda: False
    return cancel.is_set if isinstance(cancel, Event) else cancel


def _with_findings(report: R, found: Mapping[Hashable, Finding], broken_off: BrokenOff | None = None) -> R:
    outcomes = tuple(
        replace(outcome, **found[outcome.row]._asdict()) if outcome.row in found else outcome
        for outcome in report.outcomes
    )
    return replace(report, outcomes=outcomes, broken_off=broken_off)


def _keep(report: PushResult, found: Mapping[Hashable, Finding]) -> None:
    """Write into the journal what was found."""
    if report.journal is None:
        return
    rows = [[row, [asdict(cell) for cell in cells], why, *same] for row, (cells, why, same) in found.items()]
    with opened(report.journal) as book:
        book.event("verified", rows=rows)


def too_many() -> Message:
    """Return why a push of more rows than `AUTOMATIC` is not verified by itself."""
    return Message(f"more than {AUTOMATIC:,} rows", Call("report.verify()", "looks them up", ("verify",)))

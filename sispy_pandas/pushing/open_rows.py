"""Rows that an earlier push sent and did not end: what became of them, before anything is sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sispy import errors
from sispy.remedies import Call, Message

from ..planning.precheck import to_come
from ..values.blocks import count
from ..values.changes import Change, Create, Delete, Outcome, Update, action_of, row_of
from ..values.times import clock
from .creates import find_arrived, traces
from .journal import called
from .server import Stopped
from .verify import is_open

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from ..values.changes import Word
    from .record import Entry, Mark, Record
    from .run import Run


def take_up(run: Run, record: Record, *, again: bool) -> str | None:
    """Take over what an interrupted push left open, once the server is at rest; say why if it is not.

    The journal is ours only now: what another push of it ended meanwhile is not sent.

    Args:
        run: The push.
        record: The journal.
        again: Send new rows also if it is not known whether they were created.
    """
    run.explained.update(entry.id for entry in record.entries.values() if entry.id)
    rows = {row_of(change): change for change in run.plan.changes}
    for row, entry in record.entries.items():
        if row in rows and entry.settled:
            run.outcomes[row] = _ended_meanwhile(rows[row], entry)
    if (before := sum(map(_is_unverified, record.entries.values()))) > 0:
        look = Call(f"sp.verify({str(record.path)!r})", "looks them up", ("verify", called(record.path)))
        run.notes.append(Message(f"not verified: {count(before, 'row')} written before", look))
    open_ = {r: e for r, e in record.entries.items() if r in rows and (e.word is None or e.ambiguous)}
    run.insisted = {row for row, entry in open_.items() if again and entry.ambiguous}
    return look_up(run, open_)


def _is_unverified(entry: Entry) -> bool:
    """Return whether a row ended in an earlier part of a push, and nobody looked up what that replaced."""
    written = is_open(entry) or (entry.word == "done" and entry.mark is not None)
    return entry.settled and written and entry.unverified is None


def look_up(run: Run, sent: Mapping[Hashable, Entry]) -> str | None:
    """Find out what became of rows whose fate is open, once the server is at rest; say why if it is not.

    New rows without a unique value get their outcome, or are as if they had not been sent.
    """
    if not sent:
        return None
    run.to_come = to_come(run.plan)
    rows = {row_of(change): change for change in run.plan.changes}
    for row, entry in sent.items():
        run.pending[row], run.senders[row] = entry.attempts, entry.sender
        if entry.mark is not None:
            run.marks[row] = entry.mark
        if entry.action == "create" and entry.id:
            run.made[row] = entry.id
            run.waiting.add(row)
    creates = [change for row in sent if isinstance(change := rows[row], Create)]
    ids = [change.id for row in sent if isinstance(change := rows[row], Update | Delete)]
    ids += run.made.values()
    try:
        run.server.until_quiet(
            lambda: (run.server.read_rows(ids), traces(run, creates)),
            len(sent),
            since=max(entry.sent_at for entry in sent.values()),
        )
        find_arrived(run, [c for c in creates if c.row in run.marks and c.row not in run.made])
    except (Stopped, errors.Error) as error:
        return run.stopped_by(error)
    return None


def still_open(sent: Mapping[Hashable, Entry]) -> list[dict[str, Any]]:
    """Return the events of rows that an earlier push sent and of which it is not known what they came to."""
    by_request: dict[tuple[Mark, str | None], list[Any]] = {}
    for row, entry in sent.items():
        if entry.mark is not None:
            lines = ([row, {p: list(pair) for p, pair in a.cells.items()}, a.read] for a in entry.attempts)
            by_request.setdefault((entry.mark, entry.sender), []).extend(lines)
    return [
        {"action": "create", "rows": rows, "sender": sender, **mark.as_event()}
        for (mark, sender), rows in by_request.items()
    ]


def _ended_meanwhile(change: Change, entry: Entry) -> Outcome:
    word = cast("Word", "unchanged" if entry.word == "done" else entry.word)
    reason = f"another push of this journal ended it {clock(entry.sent_at)}"
    return Outcome(
        row_of(change), action_of(change), word, entry.id, change.key, None, reason, receipt=entry.receipt
    )

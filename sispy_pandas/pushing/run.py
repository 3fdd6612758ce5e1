"""A push on its way: what is open, what each row came to, and how a write is tried."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sispy import errors
from sispy.remedies import what_of

from ..reading.lookup import read
from ..values.changes import (
    Attempt,
    Change,
    Conflict,
    Create,
    Delete,
    Outcome,
    Update,
    action_of,
    row_of,
    then,
)
from ..values.references import with_targets
from ..values.types.cells import get_path

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from sispy.client import Endpoint

    from ..planning.change_set import ChangeSet
    from ..planning.merge import OnConflict
    from ..values.changes import Overwrite, Word
    from ..values.progress import Bar
    from ..values.schema import Schema
    from .journal import Journal, Nowhere
    from .options import Guard, Limits
    from .record import Mark

T = TypeVar("T")
C = TypeVar("C", bound=Change)

READS = 4
"""Times that a read is tried which the server fails on."""
BUSY = (408, 429, 503)
"""Statuses of an answer that asks for patience."""
FIRST_PAUSE = 0.2
"""Seconds until a server that was away or busy is asked again; each later pause is twice as long."""
_NONE = (errors.ServerError, errors.NotJSON)
"""Answers that tell nothing about what was asked for."""


class Stopped(Exception):  # noqa: N818 - not an error of the push: the way to its orderly end
    """The push cannot go on now; the rows left are unsent, and `resume` completes it."""


class NotSent(Exception):  # noqa: N818 - the next round begins
    """A write certainly had no effect; before it is sent again, what the server holds has to be read again.

    Attributes:
        renewed: It was refused for a token that had ended, and there is a new one now.
    """

    pause = 0.0
    """Seconds that the server asked to wait."""

    def __init__(self, error: errors.Error) -> None:
        super().__init__(str(error))
        self.renewed = isinstance(error, errors.TokenRenewed)


class FateUnknown(Exception):  # noqa: N818 - the beginning of finding out
    """A write was sent and no usable answer came: it may have been carried out, or be so any moment.

    Attributes:
        status: Of the answer, None if there was none.
        busy: Somebody asks for patience. SIS never does: a proxy may say so for a write that it passed on.
        by_server: The server, or a proxy before it, failed.
        pause: Seconds that the answer asks to wait.
    """

    def __init__(self, text: str, error: errors.Error | None = None) -> None:
        super().__init__(text)
        self.status = error.http_status_code if error is not None else None
        self.busy = self.status in BUSY
        self.by_server = isinstance(error, errors.ServerError) and not self.busy
        self.pause = getattr(error, "retry_after", None) or 0.0

    @property
    def ended(self) -> bool:
        """Whether the server itself says that it is done with one row: a proxy may have given up on it."""
        return self.by_server and self.status == 500


@dataclass
class Run:
    """One push. Rows have at most one outcome; what was sent and not answered is in `pending`."""

    plan: ChangeSet
    journal: Journal | Nowhere
    limits: Limits
    guard: Guard
    on_conflict: OnConflict
    bar: Bar
    cancel: Callable[[], bool]
    user: str | None = None
    """Who pushes. Whose the token is, the server's first answer tells at the latest."""
    outcomes: dict[Hashable, Outcome] = field(default_factory=dict)
    conflicts: dict[Hashable, tuple[Conflict, ...]] = field(default_factory=dict)
    entities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    pending: dict[Hashable, tuple[Attempt, ...]] = field(default_factory=dict)
    """Rows that were sent and whose fate is open: the requests that no answer came to, in their order."""
    sending: tuple[Change, ...] = ()
    """The rows of the request under way."""
    stop_status: int | None = None
    """Status of the answer that ended the push; 401 for all the ways in which SIS refuses a token."""
    receipts: dict[Hashable, int | None] = field(default_factory=dict)
    """`_sis._updated_at` of rows in the state that the guard compared last, in ms."""
    explained: set[str] = field(default_factory=set)
    """`_id`s of rows that earlier pushes of this journal made: nobody need wonder whose they are."""
    claimed: set[str] = field(default_factory=set)
    """`_id`s of new rows in answers that did not fit what was sent: they may be ours."""
    failing: dict[Hashable, FateUnknown] = field(default_factory=dict)
    """Rows that the server fails on again and again: what did not arrive by now is not sent again."""
    taken: set[Hashable] = field(default_factory=set)
    """New rows whose unique value was refused as taken: they are looked for once more."""
    marks: dict[Hashable, Mark] = field(default_factory=dict)
    """What tells new rows without a unique value from others, once they are sent."""
    insisted: set[Hashable] = field(default_factory=set)
    """Those of them that are to be sent though it is not known whether they were created."""
    to_come: frozenset[str] = frozenset()
    """New rows that others refer to, by the `_id` that they had."""
    made: dict[Hashable, str] = field(default_factory=dict)
    """New rows that are there and have no outcome yet: their `_id`s."""
    waiting: set[Hashable] = field(default_factory=set)
    """Those that are to be completed when the rows are there that they refer to."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the report has to know."""
    senders: dict[Hashable, str | None] = field(default_factory=dict)
    """Who sent rows that an interrupted push left open."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the plan is pushed to."""
        return self.plan.endpoint

    @cached_property
    def writer(self) -> Endpoint:
        """The same for writes: each is sent once, because the next time has to begin with the guard."""
        return self.endpoint.tried_once()

    @property
    def schema(self) -> Schema:
        """The schema of the rows."""
        return self.plan.schema

    def is_open(self, change: Change) -> bool:
        """Tell whether there is something to send for a row."""
        row = row_of(change)
        return row not in self.outcomes and row not in self.waiting

    def aim(self, changes: Iterable[C]) -> list[C]:
        """Return changes that refer to new rows by the `_id`s that these have by now."""
        ids: dict[str, str] = {}
        for row in self.to_come:
            outcome = self.outcomes.get(row)
            id_ = self.made.get(row) if outcome is None or outcome.word == "conflict" else outcome.id
            ids |= {row: id_} if id_ else {}
        return [with_targets(self.schema, change, ids) for change in changes] if ids else list(changes)

    def settle(
        self,
        change: Change,
        word: Word,
        reason: str = "",
        *,
        status: int | None = None,
        written: Mapping[str, tuple[Any, Any]] | None = None,
        id: str | None = None,  # noqa: A002 - the row's own word for it
        receipt: int | None = None,
        overwrites: Iterable[Overwrite] = (),
        ambiguous: bool = False,
    ) -> None:
        """Record how a row ended."""
        row = row_of(change)
        attempts, written = list(self.pending.pop(row, ())), dict(written or {})
        last = next((a for a in reversed(attempts) if not written.keys().isdisjoint(a.cells)), None)
        if last is not None:  # the request that has written it
            attempts.remove(last)
        written = {path: one.cells[path] for one in attempts for path in one.found} | written
        conflicts = self.conflicts.get(row, ())
        if conflicts and word in ("done", "unchanged"):
            word, reason = "conflict", _in_conflict(conflicts, written)
        doubted = tuple(a for a in attempts if _may_replace(change, a))
        outcome = Outcome(
            row,
            action_of(change),
            word,
            id if isinstance(change, Create) else change.id,
            change.key,
            status,
            reason,
            written,
            receipt,
            last.read if last else None,
            tuple(overwrites),
            ambiguous=ambiguous,
            doubted=doubted,
        )
        if row in self.outcomes:
            raise AssertionError(f"row {row!r} ended twice: {self.outcomes[row]} and {outcome}")
        self.outcomes[row] = outcome
        self.made.pop(row, None)
        if self.user is None and written and status == 200 and not isinstance(change, Delete):
            self._meet(self.entities.get(outcome.id or "", {}))
        self.journal.event(
            "row",
            row=row,
            id=outcome.id,
            action=outcome.action,
            outcome=word,
            status=status,
            reason=what_of(reason),
            written={path: list(pair) for path, pair in outcome.written.items()},
            receipt=receipt,
            read=outcome.read,
            **({"overwrites": list(map(asdict, outcome.overwrites))} if outcome.overwrites else {}),
            **({"ambiguous": True} if ambiguous else {}),
            **({"doubted": list(map(asdict, doubted))} if doubted else {}),
        )
        for c in conflicts:
            self.journal.event("conflict", row=row, field=c.field, base=c.base, mine=c.mine, theirs=c.theirs)
        if word != "unsent":
            self.bar.update(1)

    def _meet(self, answer: Mapping[str, Any]) -> None:
        """Take the user's name from the answer to a write of this push."""
        self.user = get_path(answer, "_sis._updated_by")
        self.journal.event("user", user=self.user)

    def about_to_send(
        self, action: str, rows: Iterable[tuple[Change, Mapping[str, tuple[Any, Any]]]], **more: Any
    ) -> None:
        """Put on disk what is sent next: from now on the fate of these rows is open."""
        rows = list(rows)
        self.sending = tuple(change for change, _ in rows)
        lines = []
        for change, cells in rows:
            row = row_of(change)
            read = self.receipts.get(row, getattr(change, "receipt", None))
            self.pending[row] = then(self.pending.get(row, ()), Attempt(cells, read))
            lines.append([row, {path: list(pair) for path, pair in cells.items()}, read])
        self.journal.event("send", action=action, rows=lines, **more)
        self.journal.keep()

    def note_arrival(self, row: Hashable, there: Mapping[str, Any]) -> None:
        """Remember the cells that are there because this push wrote them, though no answer said so."""
        attempts: list[Attempt] = []
        known: set[str] = set()
        for attempt in reversed(self.pending[row]):
            found = tuple(path for path in attempt.cells if path in there and path not in known)
            known.update(found)
            attempts.insert(0, replace(attempt, found=found))
        self.pending[row] = tuple(attempts)

    def not_sent(self, changes: Iterable[Change]) -> None:
        """Take back `about_to_send`: the request certainly had no effect."""
        for change in changes:
            *earlier, _ = self.pending.pop(row_of(change), (None,))
            if earlier:
                self.pending[row_of(change)] = tuple(earlier)

    def read(
        self, path: str, values: Iterable[Any], *, fields: Iterable[str] | None = None
    ) -> list[dict[str, Any]]:
        """Read the entities with these values of a field, patiently; `_sis` always comes with them.

        Raises:
            Stopped: The server does not answer in time.
        """
        return list(
            read(
                self.endpoint,
                path,
                list(values),
                fields=None if fields is None else {"_sis", *fields},
                url=self.limits.url,
                readers=self.limits.readers,
                send=self.patiently,
            )
        )

    def read_rows(
        self, ids: Iterable[str], *, fields: Iterable[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Read rows by `_id`; those that do not exist any more are missing in two answers."""
        ids = list(ids)
        found = {entity["_id"]: entity for entity in self.read("_id", ids, fields=fields)}
        missing = [id_ for id_ in ids if id_ not in found]  # an answer may be to another request
        return found | {entity["_id"]: entity for entity in self.read("_id", missing, fields=fields)}

    def fail(self, changes: Iterable[Change], text: object, status: int | None) -> None:
        """End rows that the server refused, and of which it stored nothing."""
        for change in changes:
            self.not_sent([change])
            self.settle(change, "failed", str(text), status=status)

    def write(self, send: Callable[[Endpoint], T], *, single: bool = False) -> T:
        """Do a write, once.

        Args:
            send: Does it with the endpoint given.
            single: It writes one object, so that "unauthorized" may be said of that object alone; of a bulk
                request it is said of the token.

        Raises:
            NotSent: It had no effect.
            FateUnknown: It may have had one.
            Stopped: The token is dead.
            sispy.BadAnswer: The request was refused.
        """
        try:
            return send(self.writer)
        except errors.TokenRenewed as error:
            self.not_sent(self.sending)
            raise NotSent(error) from error
        except errors.Unauthorized as error:
            if single and not self.token_is_dead(error):
                raise
            self.stop_status = 401
            self.not_sent(self.sending)
            raise Stopped(self._refused(error)) from error
        except errors.NoAnswer as error:
            if error.sent:
                raise FateUnknown(str(error), error) from error
            self.not_sent(self.sending)
            raise NotSent(error) from error
        except errors.BadAnswer as error:
            if isinstance(error, _NONE) or error.http_status_code in (303, *BUSY):
                raise FateUnknown(str(error), error) from error
            raise

    def _refused(self, error: errors.Unauthorized) -> str:
        why = "" if "sis_tokens" in error.error else f": {error}"  # its name for a token that it has not
        return f"the server does not accept the token{' any more' if self.wrote else ''}{why}"

    @property
    def wrote(self) -> bool:
        """Whether this push has changed anything, or may have."""
        return bool(self.pending) or any(outcome.written for outcome in self.outcomes.values())

    def token_is_dead(self, error: errors.Unauthorized) -> bool:
        """Tell whether the token was refused, not the user's right to an object: both are 401 (SIS-API 2)."""
        if not self.user:
            return "token" in str(error).lower()
        try:
            self.endpoint.client.tokens(self.user).fetch_page({"limit": 1})
        except errors.Unauthorized:
            return True
        except errors.Error:
            return "token" in str(error).lower()
        return False

    def patiently(self, read: Callable[[], T]) -> T:
        """Do a read; wait for a server that is away or busy."""
        patience, tries = Patience(self), 0
        while True:
            try:
                return read()
            except errors.NoAnswer as error:
                failure: errors.Error = error
                pause = 0.0
            except errors.BadAnswer as error:
                tries += error.http_status_code not in BUSY
                if tries > READS or not (isinstance(error, _NONE) or error.http_status_code in BUSY):
                    raise
                failure = error
                pause = error.retry_after or 0.0
            patience.wait(failure, pause)

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a cancellation.

        Raises:
            Stopped: The push was cancelled.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.stop_if_cancelled()
            time.sleep(min(left, 0.2))

    def stop_if_cancelled(self) -> None:
        """Raise Stopped if the caller cancelled the push."""
        if self.cancel():
            raise Stopped("cancelled")

    def until_quiet(self, look: Callable[[], T], rows: int, *, since: int | None = None) -> T:
        """Wait until the server can no longer be working on a lost write, and return what it then holds.

        Args:
            look: Reads it.
            rows: In that write.
            since: When it was sent, in ms; None: now.

        Raises:
            Stopped: It is written to all the time, or the push was cancelled.
        """
        least = self.limits.settle + rows * self.limits.settle_row
        if since is not None:
            least = max(0.0, least - max(0.0, time.time() - since / 1000))
        self.wait(least)
        found = look()
        end = time.monotonic() + least + self.limits.patience
        while time.monotonic() < end:
            self.wait(self.limits.settle / 2)
            again = look()
            if again == found:
                return again
            found = again
        raise Stopped("the rows of a write without an answer do not come to rest")


def _may_replace(change: Change, attempt: Attempt) -> bool:
    """Tell whether a request may have replaced something: a new row has nothing to be replaced."""
    return isinstance(change, Update) or (isinstance(change, Create) and attempt.read is not None)


class Patience:
    """Waits of growing length for a server that is away or busy, until there is no patience left."""

    def __init__(self, run: Run) -> None:
        self._run, self._pause = run, FIRST_PAUSE
        self._end: float | None = None

    def wait(self, failure: Exception, least: float) -> None:
        """Wait for some time.

        Args:
            failure: What is waited for to go away.
            least: Seconds that the server asked for.

        Raises:
            Stopped: That would take too long, or the push was cancelled.
        """
        pause, now = max(self._pause, least), time.monotonic()
        if self._end is None:
            self._end = now + self._run.limits.patience
        if now + pause > self._end:
            raise Stopped(f"the server does not answer: {failure}") from failure
        self._run.wait(pause)
        self._pause = min(2 * pause, 5.0)


def _in_conflict(conflicts: tuple[Conflict, ...], written: Mapping[str, tuple[Any, Any]] | None) -> str:
    names = ", ".join(conflict.field for conflict in conflicts)
    text = f"somebody else changed {names}"
    return f"{text}; written: {', '.join(written)}" if written else text

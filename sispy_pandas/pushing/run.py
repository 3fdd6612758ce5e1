"""A push on its way: what is open, what was sent, and what each row came to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from sispy import errors
from sispy.remedies import what_of

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
from ..values.progress import show_all
from ..values.references import with_targets
from ..values.types.cells import get_path
from .server import NotSent, Server, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from sispy.client import Endpoint

    from ..planning.change_set import ChangeSet
    from ..planning.merge import OnConflict
    from ..values.changes import Overwrite, Word
    from ..values.progress import Bar
    from ..values.schema import Schema
    from .guards import Guard
    from .journal import Journal, Nowhere
    from .record import Mark
    from .server import FateUnknown

_AS_TEXT = json.JSONEncoder(default=str).encode
T = TypeVar("T")
C = TypeVar("C", bound=Change)


@dataclass
class Run:
    """One push. Rows have at most one outcome; what was sent and not answered is in `pending`."""

    plan: ChangeSet
    server: Server
    journal: Journal | Nowhere
    guard: Guard
    on_conflict: OnConflict
    bar: Bar
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
    """`_id`s of rows that earlier pushes of this journal made, and which need no other explanation."""
    claimed: set[str] = field(default_factory=set)
    """`_id`s of new rows in answers that did not fit what was sent: they may be ours."""
    seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Rows that appeared after the last request for new ones, also those that are gone again, by `_id`."""
    once_more: set[Hashable] = field(default_factory=set)
    """New rows that were sent again: nothing was there of what a request without an answer had sent."""
    failing: dict[Hashable, FateUnknown] = field(default_factory=dict)
    """Rows that the server fails on again and again: what did not arrive by now is not sent again."""
    taken: set[Hashable] = field(default_factory=set)
    """New rows whose unique value was refused as taken: they are looked for once more."""
    marks: dict[Hashable, Mark] = field(default_factory=dict)
    """What tells new rows without a unique value from others, once they are sent."""
    insisted: set[Hashable] = field(default_factory=set)
    """Those of them that are to be sent though it is not known whether they were created."""
    to_come: Mapping[str, Hashable] = field(default_factory=dict)
    """New rows that others refer to, by the ids that they had, or that stand for them."""
    made: dict[Hashable, str] = field(default_factory=dict)
    """New rows that are there and have no outcome yet: their `_id`s."""
    waiting: set[Hashable] = field(default_factory=set)
    """Those that are to be completed when the rows are there that they refer to."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the report has to know."""
    senders: dict[Hashable, str | None] = field(default_factory=dict)
    """Who sent rows that an interrupted push left open."""
    noted: dict[Hashable, Change] = field(default_factory=dict)
    """The changes as the journal begins with them: what is sent just so need not be written down again."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the plan is pushed to."""
        return self.plan.endpoint

    @property
    def schema(self) -> Schema:
        """The schema of the rows."""
        return self.plan.schema

    def is_open(self, change: Change) -> bool:
        """Return whether there is something to send for a row."""
        row = row_of(change)
        return row not in self.outcomes and row not in self.waiting

    def aim(self, changes: Iterable[C]) -> list[C]:
        """Return changes that refer to new rows by the `_id`s that these have by now."""
        ids: dict[str, str] = {}
        for name, row in self.to_come.items():
            outcome = self.outcomes.get(row)
            id_ = self.made.get(row) if outcome is None or outcome.word == "conflict" else outcome.id
            ids |= {name: id_} if id_ else {}
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
            self._learn_user(self.entities.get(outcome.id or "", {}))
        if last is not None and not attempts and outcome == _as_sent(change, outcome, last):
            self.journal.done(row, receipt, outcome.id if isinstance(change, Create) else None)
            self._count(word)
            return
        self.journal.event(
            "row",
            row=row,
            id=outcome.id,
            action=outcome.action,
            outcome=word,
            status=status,
            **({"reason": what_of(reason)} if reason else {}),
            written={path: list(pair) for path, pair in outcome.written.items()},
            receipt=receipt,
            read=outcome.read,
            **({"overwrites": list(map(asdict, outcome.overwrites))} if outcome.overwrites else {}),
            **({"ambiguous": True} if ambiguous else {}),
            **({"doubted": list(map(asdict, doubted))} if doubted else {}),
        )
        for c in conflicts:
            self.journal.event("conflict", row=row, field=c.field, base=c.base, mine=c.mine, theirs=c.theirs)
        self._count(word)

    def _count(self, word: Word) -> None:
        if word != "unsent":
            self.bar.update(1)

    def _learn_user(self, answer: Mapping[str, Any]) -> None:
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
            planned = _is_planned(self.noted.get(row), cells, read)
            lines.append(
                [row] if planned else [row, {path: list(pair) for path, pair in cells.items()}, read]
            )
        self.journal.event("send", action=action, rows=lines, **more)
        self.journal.keep()
        show_all(self.bar)  # the request may take a while

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

    def fail(self, changes: Iterable[Change], text: object, status: int | None) -> None:
        """End rows that the server refused, and of which it stored nothing."""
        for change in changes:
            self.not_sent([change])
            self.settle(change, "failed", str(text), status=status)

    def stopped_by(self, error: Stopped | errors.Error) -> str:
        """Return why the push stops at an error, and keep its status for the rows that are not sent."""
        if isinstance(error, Stopped):
            return str(error)
        self.stop_status = 401 if isinstance(error, errors.Unauthorized) else error.http_status_code
        return f"the server could not be asked: {error}"

    def write(self, send: Callable[[Endpoint], T], *, single: bool = False) -> T:
        """Do a write, once.

        Args:
            send: Does it with the endpoint given.
            single: It writes one object, so that "unauthorized" may be said of that object alone; of a bulk
                request it is said of the token.

        Raises:
            NotSent: It had no effect.
            FateUnknown: It may have had one.
            Stopped: The token is dead; or the push was cancelled before its turn came: it had no effect.
            sispy.BadAnswer: The request was refused.
        """
        try:
            return self.server.write(send)
        except (NotSent, Stopped):
            self.not_sent(self.sending)
            raise
        except errors.Unauthorized as error:
            if single and not self.server.is_token_dead(error, self.user):
                raise
            self.stop_status = 401
            self.not_sent(self.sending)
            raise Stopped(self._refused(error)) from error

    def _refused(self, error: errors.Unauthorized) -> str:
        why = "" if "sis_tokens" in error.error else f": {error}"  # its name for a token that it has not
        return f"the server does not accept the token{' any more' if self.wrote else ''}{why}"

    @property
    def wrote(self) -> bool:
        """Return whether this push has changed anything, or may have."""
        return bool(self.pending) or any(outcome.written for outcome in self.outcomes.values())


def _as_sent(change: Change, outcome: Outcome, sent: Attempt) -> Outcome | None:
    """Return the outcome of a row that was written as its only request said; None: it was to be deleted."""
    if isinstance(change, Delete):
        return None
    return Outcome(
        outcome.row,
        outcome.action,
        "done",
        outcome.id,
        change.key,
        200,
        written=dict(sent.cells),
        receipt=outcome.receipt,
        read=sent.read,
    )


def _is_planned(planned: Change | None, cells: Mapping[str, tuple[Any, Any]], read: int | None) -> bool:
    """Return whether a row is sent just as its change was written down, in the state it was made from."""
    if planned is None or isinstance(planned, Delete):
        return False
    before: Mapping[str, Any] = planned.before if isinstance(planned, Update) else {}
    after = planned.after if isinstance(planned, Update) else planned.values
    return (
        read == getattr(planned, "receipt", None)
        and cells.keys() == after.keys()
        and all(_same(old, before.get(p)) and _same(new, after[p]) for p, (old, new) in cells.items())
    )


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same in a journal."""
    if one is other:
        return True
    if isinstance(one, (str, int, float)) and isinstance(other, (str, int, float)):
        return type(one) is type(other) and one == other
    return _AS_TEXT(one) == _AS_TEXT(other)


def _may_replace(change: Change, attempt: Attempt) -> bool:
    """Return whether a request may have replaced something: a new row has nothing to be replaced."""
    return isinstance(change, Update) or (isinstance(change, Create) and attempt.read is not None)


def _in_conflict(conflicts: tuple[Conflict, ...], written: Mapping[str, tuple[Any, Any]] | None) -> str:
    names = ", ".join(conflict.field for conflict in conflicts)
    text = f"somebody else changed {names}"
    return f"{text}; written: {', '.join(written)}" if written else text

"""What the server's commits tell about one written row: whether a value of somebody else was lost to it.

The server reads a row, then writes it. Of two writes that race, the later one may have read what the earlier
one wrote (its commits then tell A -> B, B -> C), or not (A -> B, A -> C). In both cases B was written over,
although the guard has read A.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sispy.delta import DeltaError

from ..values.changes import Overwrite
from ..values.entity import EDITABLE_META, body, stored
from ..values.types.equality import equal
from .steps import Step, made_upon, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..values.changes import Delete, Outcome
    from ..values.schema import Schema
    from ..values.types.base import Field

    Document = Mapping[str, Any]

SILENT = "changes of owners, tags and locks leave no trace in the history"
UNTOLD = "the commits do not tell how the row was written"

DELIVERED_AGAIN = 60_000
"""Milliseconds within which a network may deliver a request once more: so long do proxies keep one."""


_ODD = (DeltaError, AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError)
"""Errors that commits of another shape than the server's lead to."""


class Unclear(Exception):  # noqa: N818 - no error: what is said of such a row
    """The commits do not tell what a write replaced."""


def examine(
    schema: Schema,
    outcome: Outcome,
    commits: Sequence[Document],
    *,
    user: str | None,
    current: Callable[[], Document],
) -> tuple[Overwrite, ...]:
    """Return the cells in which a write replaced a value that the guard had not read.

    Args:
        schema: Of the row.
        outcome: What was written, and what the guard had read.
        commits: Of the row since `since_of(outcome)`, the newest first.
        user: Who pushed; None: not known.
        current: Reads the row as it is stored now; called where two writes raced.

    Raises:
        Unclear: The commits do not tell.
    """
    found: list[Overwrite] = []
    unclear: Unclear | None = None
    for part, until in _parts(outcome):
        try:
            some = [c for c in commits if _is_since(c, part.read) and _is_until(c, until, commits)]
            if part.action == "delete":
                found += _deleted(schema, part, some, user)
            elif part.doubted:
                found += _doubted(schema, part, some, user, current)
            else:
                found += _updated(schema, part, some, user, current)
        except Unclear as reason:
            unclear = reason
        except _ODD as error:
            unclear = Unclear(UNTOLD)
            unclear.__cause__ = error
    if unclear and not found:
        raise unclear
    return tuple(found)


def already(
    schema: Schema, outcome: Outcome, commits: Sequence[Document], *, user: str | None
) -> tuple[str, ...]:
    """Return the written cells that held the value when the write came: another write had given it to them.

    Arguments are those of `examine`. Of requests without an answer, and without a name, nothing is told.
    """
    at = outcome.receipt
    if outcome.action != "update" or outcome.doubted or at is None or user is None:
        return ()
    some = [commit for commit in commits if _is_since(commit, outcome.read)]
    found = []
    for path, (base, mine) in outcome.written.items():
        column = schema.field(path)
        try:
            steps = steps_of(column, some, base, mine, outcome)
        except _ODD:
            continue
        earlier = (step for step in steps if step.at < at or (step.at == at and step.by != user))
        last = next(earlier, None)
        if last is None or not equal(column, last.new, mine):
            continue
        if last.by != user or at - last.at > DELIVERED_AGAIN:  # else it may be this very request
            found.append(path)
    return tuple(found)


def since_of(outcome: Outcome) -> int | None:
    """Return from when on the commits of a row tell what was lost, in ms; None: it had not been read."""
    reads = [part.read for part, _ in _parts(outcome)]
    return None if None in reads else min(read for read in reads if read is not None)


def _parts(outcome: Outcome) -> list[tuple[Outcome, int | None]]:
    """Return each request for a row as an outcome of its own, and the time after which it was over.

    The one whose answer came is the last; the others stand in their own `doubted`. Of cells that no later
    request holds it is never over: a network may deliver it once more.
    """
    left = {p: pair for p, pair in outcome.written.items() if not any(p in a.found for a in outcome.doubted)}
    later = set(left)
    found: list[tuple[Outcome, int | None]] = []
    for one in reversed(outcome.doubted):
        over = {path: pair for path, pair in one.cells.items() if path in later}
        rest = {path: pair for path, pair in one.cells.items() if path not in later}
        at = outcome.receipt if one.found and outcome.status is None else None
        for cells, until in ((over, one.until), (rest, None)):
            if cells:
                part = replace(one, cells=cells, found=tuple(path for path in one.found if path in cells))
                own = replace(outcome, written=cells, read=one.read, receipt=at, status=None, doubted=(part,))
                found.append((own, until))
        later.update(one.cells)
    found.reverse()
    if left and (outcome.action != "create" or outcome.read is not None):
        found.append((replace(outcome, written=left, doubted=()), None))
    return found


def differing(
    schema: Schema, row: Delete | Outcome, written: Mapping[str, tuple[Any, Any]], entity: Document
) -> Iterable[Overwrite]:
    """Yield the cells in which a deleted row was not what the guard had read."""
    for column in (*schema.fields, *map(schema.field, EDITABLE_META)):
        base, _ = written.get(column.path, (None, None))
        theirs = stored(column, entity)
        if not equal(column, base, theirs):
            yield Overwrite(str(row.id), column.path, base, None, theirs, row.key)


def _deleted(
    schema: Schema, outcome: Outcome, commits: Sequence[Document], user: str | None
) -> Iterable[Overwrite]:
    last = next((commit for commit in commits if commit["action"] == "delete"), None)
    if last is None or (user is not None and last["modified_by"] != user):
        raise Unclear(UNTOLD)
    lost = {cell.field: cell for cell in differing(schema, outcome, outcome.written, last["commit_data"])}
    for column in schema.fields:
        base, _ = outcome.written.get(column.path, (None, None))
        try:
            steps = steps_of(column, commits, base, None, outcome)
        except DeltaError:
            if column.path in lost:
                continue  # what was lost is known, if not to whom it belonged
            raise
        if steps and column.path in lost:
            lost[column.path] = replace(lost[column.path], by=steps[0].by, at=steps[0].at)
        elif steps and not equal(column, steps[0].new, base):  # written while the server was deleting
            lost[column.path] = _overwrite(outcome, column, base, None, steps[0].new, steps[0])
    return lost.values()


def _updated(
    schema: Schema,
    outcome: Outcome,
    commits: Sequence[Document],
    user: str | None,
    current: Callable[[], Document],
) -> Iterable[Overwrite]:
    unclear = ""
    made = next((c["commit_data"] for c in commits if c["action"] == "insert"), None)
    cells = []
    for path, (base, mine) in outcome.written.items():
        column = schema.field(path)
        if outcome.action == "create" and made is not None:
            base = stored(column, made)
        cells.append(_Cell(column, base, mine, outcome, commits, user, current))
    if outcome.action == "create":  # the other cells were written with the row itself
        cells = [cell for cell in cells if cell.own]
        unclear = "" if cells and made is not None else UNTOLD
    return _lost(cells, unclear)


def _doubted(
    schema: Schema,
    attempt: Outcome,
    commits: Sequence[Document],
    user: str | None,
    current: Callable[[], Document],
) -> Iterable[Overwrite]:
    """Return what a request without an answer has replaced, if it was carried out.

    Raises:
        Unclear: Nothing tells whether it was, or what it has replaced.
    """
    silent = [path for path in attempt.written if path.startswith("_sis.")]
    by_us = any(commit["action"] == "update" and user in (None, commit["modified_by"]) for commit in commits)
    cells = [
        _Cell(schema.field(path), base, mine, attempt, commits, user, current)
        for path, (base, mine) in attempt.written.items()
        if by_us or attempt.doubted[0].found
    ]
    own = [cell for cell in cells if cell.own or cell.column.path in attempt.doubted[0].found]
    return _lost(own, SILENT if silent and (own or len(silent) == len(attempt.written)) else "")


def _lost(cells: Iterable[_Cell], unclear: str) -> list[Overwrite]:
    """Return what was lost of some cells.

    Raises:
        Unclear: Nothing is known to be lost, but something may be; `unclear` is why, if that is known.
    """
    found = []
    for cell in cells:
        try:
            lost = cell.lost()
        except Unclear as reason:
            unclear = str(reason)
        else:
            if lost is not None:
                found.append(lost)
            elif cell.column.path.startswith("_sis."):
                unclear = SILENT
    if unclear and not found:
        raise Unclear(unclear)
    return found


@dataclass
class _Cell:
    """One cell that was written, and what the commits since then say about it."""

    column: Field
    base: Any
    mine: Any
    outcome: Outcome
    commits: Sequence[Document]
    user: str | None
    current: Callable[[], Document]
    steps: list[Step] = field(init=False)
    """What the guard cannot have read, the newest first."""
    own: list[Step] = field(init=False)
    """Those of this push."""
    again: list[Step] = field(init=False)
    """Those of the same request, which the network delivered once more."""
    ours: list[Any] = field(init=False)
    """Values that this push has given it: the server merges some with what is there."""

    def __post_init__(self) -> None:
        self.steps = steps_of(self.column, self.commits, self.base, self.mine, self.outcome)
        self.ours = [self.mine]
        named = [
            step
            for step in self.steps
            if (self.user is None and self._is_mine(step.new))
            or (step.by == self.user and self._is_by_us(step))
        ]
        self.own = [step for step in named if step.at == self.outcome.receipt]
        self.again = [step for step in named if self._is_delivered_again(step)]
        if not self.own and (self.user is not None or self.outcome.status is None):
            self.own = named  # sent more than once: no answer told the time of the one that arrived
        self.ours += [step.new for step in self.own]

    def lost(self) -> Overwrite | None:
        """Return what somebody else had written and this push replaced.

        Raises:
            Unclear: No commit tells how the value came there.
        """
        newest = next((i for i, step in enumerate(self.steps) if step in self.own), 0)
        earlier, later = self.steps[newest:], self.steps[:newest]
        for step in earlier:
            if self._is_mine(step.new) and step not in self.own:
                break  # the same value: nothing is lost, and what was there before it, they replaced
            if step.by == self.user and self._is_base(step.new):
                break  # one's own, and what the plan had seen: what was there before it, that replaced
            if self._is_lost(step, newest):
                return self._overwrite(step.new, step)
        for step in [*self.own, *self.again]:
            if not self._is_base(step.old) and not self._is_mine(step.old):
                wrote = (one for one in self.steps if equal(self.column, one.new, step.old))
                return self._overwrite(step.old, next(wrote, None))
        seen = self.own[0].new if self.own else self.mine
        for step in reversed(later):  # what came first may have the later time
            if equal(self.column, step.old, seen):
                seen = step.new  # made upon ours, or upon what was made upon ours
            elif self._is_lost(step, newest):
                return self._overwrite(step.new, step)
        if not any(self._is_mine(step.new) for step in self.steps):
            raise Unclear(SILENT if self.column.path.startswith("_sis.") else UNTOLD)
        return None

    def _is_delivered_again(self, step: Step) -> bool:
        answered = self.outcome.receipt
        return self.user is not None and answered is not None and 0 < step.at - answered < DELIVERED_AGAIN

    def _is_lost(self, step: Step, newest: int) -> bool:
        """Return whether this push wrote over what a step had written."""
        if step in self.own or self._is_mine(step.new):
            return False
        at = self.steps.index(step)
        return not self._is_later(step, at < newest or not self.own) and not self._stands(at, newest)

    def _overwrite(self, theirs: Any, step: Step | None = None) -> Overwrite:
        return _overwrite(self.outcome, self.column, self.base, self.mine, theirs, step)

    def _is_later(self, step: Step, newer: bool) -> bool:
        """Return whether somebody changed what this push had written, knowing it."""
        return self._is_mine(step.old) and (newer or step.upon == self.outcome.receipt)

    def _stands(self, i: int, newest: int) -> bool:
        """Return whether a value is stored, and so was written after ours, though its commit says otherwise.

        What later commits have read proves nothing: they may have raced as well.
        """
        step = self.steps[i]
        if min(i, newest) > 0 or (i > 0 and any(equal(self.column, own.old, step.new) for own in self.own)):
            return False
        return equal(self.column, stored(self.column, self._last_seen()), step.new)

    def _last_seen(self) -> Document:
        gone = next((c["commit_data"] for c in self.commits if c["action"] == "delete"), None)
        return self.current() if gone is None else gone

    def _is_by_us(self, step: Step) -> bool:
        merges = self.column.kind.merges
        return self._is_mine(step.new) or merges((self.base, self.mine), (step.old, step.new))

    def _is_mine(self, value: Any) -> bool:
        return any(equal(self.column, value, ours) for ours in self.ours)

    def _is_base(self, value: Any) -> bool:
        return equal(self.column, value, self.base)


def _overwrite(
    outcome: Outcome, column: Field, base: Any, mine: Any, theirs: Any, step: Step | None = None
) -> Overwrite:
    who = (step.by, step.at) if step else (None, None)
    theirs = stored(column, body({column.path: theirs}))
    return Overwrite(str(outcome.id), column.path, base, mine, theirs, outcome.key, *who)


def _is_since(commit: Document, read: int | None) -> bool:
    """Return whether a commit may have come after the guard read the row.

    Those of that very time may; and those of a process whose clock is slow, upon the state that was read.
    """
    if read is None or commit["action"] == "delete" or int(commit["date_modified"]) >= read:
        return True
    upon = made_upon(commit)
    return upon is not None and upon >= read


def _is_until(commit: Document, until: int | None, commits: Sequence[Document]) -> bool:
    """Return whether a commit came before a state was read, or may have: clocks differ."""
    if until is None or commit["action"] == "delete":
        return True
    at = int(commit["date_modified"])
    return at <= until or any(int(c["date_modified"]) <= until and made_upon(c) == at for c in commits)

"""What this machine remembers of earlier pushes: what is done, what was undone, which rows came back.

Every push with a journal is noted in the folder of journals, wherever its journal is; of one without a
journal this process alone knows.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..planning.change_set import anonymous, new_rows_of
from ..planning.plan_file import changes_in, digest
from ..reading.commits import commits_of
from ..reading.lookup import each
from ..reading.lookup import read as read_rows
from ..values.changes import Change, Create, Delete, action_of, row_of
from ..values.entity import receipt
from ..values.times import clock
from ..values.types.object_id import is_object_id
from .journal import resuming, short
from .recall import lost, recalled, remember
from .record import Entry, Record

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
    from pathlib import Path

    from sispy import Endpoint

    from ..planning.change_set import ChangeSet
    from ..values.changes import Outcome


@dataclass(frozen=True)
class Before:
    """A row of a plan that an earlier push wrote, and nobody undid."""

    id: str
    receipt: int | None
    reason: str


@dataclass(frozen=True)
class Back:
    """A row that was deleted and that an undo or a revert brought back under a new `_id`."""

    id: str
    receipt: int | None
    undo: Record
    row: str
    """What that one names it by: the `_id` that it had when it was deleted, or one before that."""


_AS_TEXT = json.JSONEncoder(default=str).encode
_HERE: dict[str, dict[str, Entry]] = {}
"""Of pushes of this process that kept no journal: the plan -> row -> what became of it."""


@dataclass(frozen=True)
class Memory:
    """What is remembered of earlier pushes of a plan: of all its changes, or of its new rows alone.

    New rows without a unique value are known again also where the rest of the plan is another now, or was
    left out.
    """

    plan: ChangeSet
    content: str
    new_rows: tuple[str, ...] | None

    @classmethod
    def of(cls, plan: ChangeSet) -> Memory:
        """Return the memory of a plan."""
        new = new_rows_of(plan) if anonymous(plan) else None
        table = plan.endpoint.client.url, plan.schema.name
        return cls(plan, digest(plan), (*table, new) if new else None)

    def note(self, path: Path) -> None:
        """Remember the push with this journal, before its first row is sent."""
        remember("plan", self.content, path)
        if self.new_rows is not None:
            remember("new rows", self.new_rows, path)
        for undone in self.plan.undoes:
            remember("undo of", undone, path)
        for completed in self.plan.completes:
            remember("completes", completed, path)
        if any(isinstance(c, Create) and is_object_id(c.row) for c in self.plan.changes):
            remember("brings back on", self.plan.endpoint.client.url, path)

    def note_end(self, outcomes: Iterable[Outcome], *, journal: bool) -> None:
        """Remember in this process how a push without a journal ended, and forget one that is undone now."""
        for undone in self.plan.undoes:
            _HERE.pop(undone, None)
        if journal:
            return
        known = _HERE.setdefault(self.content, {})
        now = int(time.time() * 1000)
        known.update((_name(o.row), Entry.of(o, sent_at=now)) for o in outcomes)

    def refuse_open(self, *, again: bool) -> None:
        """Raise if it is not known which new rows of the plan an earlier push made.

        Those that ended so are known: `ambiguous` has them.

        Args:
            again: They are to be sent once more.

        Raises:
            ValueError: The fate of some is open, and that push has to be resumed first; or, unless `again`,
                its journal is gone or damaged.
        """
        names = {_name(create.row) for create in anonymous(self.plan)}
        if self.new_rows is None:
            return
        for why in [] if again else lost("new rows", self.new_rows):
            raise ValueError(
                Message(
                    f"new rows of this plan were pushed before, and which of them is not known: {why}",
                    Argument("again", "sends them all", True),
                )
            )
        for record in self._records():
            if any(entry.word is None and _name(row) in names for row, entry in record.entries.items()):
                raise ValueError(
                    Message(
                        "a push of the same new rows was interrupted", resuming(record.path, "finishes it")
                    )
                )

    def ambiguous(self) -> dict[Hashable, Entry]:
        """Return the new rows of which an earlier push left open whether they were created."""
        new = {_name(create.row): create.row for create in anonymous(self.plan)}
        latest = {_name(row): entry for record in self._records() for row, entry in record.entries.items()}
        return {new[name]: entry for name, entry in latest.items() if name in new and entry.ambiguous}

    def made(self) -> set[str]:
        """Return the `_id`s of the rows that pushes of the same new rows made."""
        return {e.id for record in self._records() for e in record.entries.values() if e.id}

    def _records(self) -> list[Record]:
        """Return the journals of the same new rows without a unique value, the oldest first."""
        return recalled("new rows", self.new_rows) if self.new_rows else []

    def done(self) -> dict[Hashable, Before]:
        """Return the rows that were pushed before and not undone since, and that the server agrees on.

        It does not if it is another world at the same address, such as a sandbox begun anew: a row that was
        written is missing or older, a deleted one is there. Of a new row that is missing the history tells
        whether somebody deleted it.

        Raises:
            sispy.Error: The server could not be asked.
        """
        found: dict[Hashable, Before] = {}
        changes = {_name(row_of(change)): change for change in self.plan.changes}
        new_rows = {change.row for change in self.plan.changes if isinstance(change, Create)}
        new = {_name(create.row): create for create in anonymous(self.plan)}
        for mine, records in (
            (changes, recalled("plan", self.content)),
            (new, self._records()),
        ):
            for record in records:
                undone = taken_back(record)
                left = {_name(row): entry for row, entry in record.entries.items() if row not in undone}
                found |= _written(mine, left, f" as {short(record.path)}")
        found |= _written(changes, _HERE.get(self.content, {}), "")
        deleted = {change.id for change in self.plan.changes if isinstance(change, Delete)}
        back = came_back(self.plan.endpoint.client.url)
        for row, before in found.items():
            if before.id in back and before.id not in deleted:
                today = back[before.id]
                found[row] = replace(before, id=today.id, receipt=today.receipt)
        ids = sorted({before.id for before in found.values()})
        there = {
            entity["_id"]: receipt(entity) or 0
            for entity in read_rows(self.plan.endpoint, "_id", ids, fields=["_id", "_sis"])
        }
        gone = {row: before for row, before in found.items() if row in new_rows and before.id not in there}
        return _deleted_since(self.plan, gone) | {
            row: before
            for row, before in found.items()
            if (before.id in deleted) == (before.id not in there)
            and (before.receipt or 0) <= there.get(before.id, before.receipt or 0)
        }


def _deleted_since(plan: ChangeSet, gone: Mapping[Hashable, Before]) -> dict[Hashable, Before]:
    """Return those new rows of earlier pushes of which the history knows that somebody deleted them."""
    if not plan.schema.track_history:
        return {}

    def deletion(endpoint: Endpoint, row: Hashable) -> Mapping[str, Any] | None:
        commits = commits_of(endpoint, gone[row].id)
        return next((commit for commit in commits if commit["action"] == "delete"), None)

    found = {}
    for row, commit in each(plan.endpoint, deletion, list(gone)):
        if commit is not None:
            when = f"{clock(int(commit['date_modified']))} by {printable(str(commit['modified_by']))}"
            found[row] = replace(gone[row], reason=Message(f"deleted since, {when}; ", gone[row].reason))
    return found


def _written(
    changes: Mapping[str, Change], entries: Mapping[str, Entry], name: str
) -> Iterator[tuple[Hashable, Before]]:
    for row, entry in entries.items():
        change = changes.get(row)
        if change is None or entry.word != "done" or not entry.id or entry.action != action_of(change):
            continue
        values = change.values if isinstance(change, Create) else {}
        less = [path for path in values if path not in entry.written]
        without = f" without {', '.join(less)}" if less else ""
        sending = Argument("again", "sends it all the same", True)
        reason = Message(f"pushed {clock(entry.sent_at)}{name}{without}", sending)
        yield row_of(change), Before(entry.id, entry.receipt, reason)


def taken_back(record: Record, *, seen: frozenset[Path] = frozenset()) -> dict[Any, Record]:
    """Return the rows of a push that were undone, and by which push; not those whose undo was undone.

    A deleted row is undone by whatever brought it back.
    """
    found: dict[Any, Record] = {}
    deleted = {row for row, entry in record.entries.items() if _has_deleted(entry)}
    brought = brought_back(record.head["server"]) if deleted else {}
    for row in deleted & brought.keys():
        back = brought[row].undo
        if back.path not in seen and brought[row].row not in taken_back(back, seen=seen | {record.path}):
            found[row] = back
    for undo, left in _undos_of(record, seen=seen):
        found.update((row, undo) for row, _ in pairs(record.entries, left, undo.head["server"]))
    return found


def standing(record: Record, undone: Collection[Any]) -> int:
    """Return how many rows of a push are as it made them, or may be; `undone`: see `taken_back`."""
    return sum(
        row not in undone and (entry.word is None or entry.ambiguous or _has_changed(entry))
        for row, entry in record.entries.items()
    )


def _has_changed(entry: Entry) -> bool:
    return bool(entry.written) or _has_deleted(entry)


def _has_deleted(entry: Entry) -> bool:
    return (entry.action, entry.word) == ("delete", "done")


def _undos_of(
    record: Record, *, seen: frozenset[Path] = frozenset()
) -> Iterator[tuple[Record, dict[Any, Entry]]]:
    """Yield the undos of a push, the oldest first, each with its rows that were not undone in turn."""
    for undo in recalled("undo of", str(record.path.absolute())):
        if undo.path not in seen:
            redone = taken_back(undo, seen=seen | {record.path})
            # a row that it deleted and that was brought back for another push was made anew
            anew = {
                row for row in redone if _has_deleted(undo.entries[row]) and row not in redone[row].entries
            }
            yield undo, {row: e for row, e in undo.entries.items() if row not in redone.keys() - anew}


def pairs(pushed: Mapping[Any, Entry], undone: Mapping[Any, Entry], server: str) -> Iterator[tuple[Any, Any]]:
    """Yield the rows of a push that an undo of it took back, each with what the undo names it by."""
    back = {row: entry.action for row, entry in undone.items() if entry.written}
    ids = came_back(server) if back else {}
    for row, entry in pushed.items():
        if not _has_changed(entry):  # who took back several pushes may have brought it back for another one
            continue
        name = entry.id if entry.action == "create" else row
        today = ids[name].id if name in ids else name
        found = name if name in back else today
        # a deleted row comes back by being created; who writes to it then has not brought it back
        if found in back and (entry.action != "delete" or back[found] == "create"):
            yield row, found


def brought_back(server: str) -> dict[str, Back]:
    """Return the rows of a server that pushes of this machine brought back: old `_id` -> the next one.

    A row that was brought back, deleted by the undo of that, and brought back once more was known by the
    `_id` between as well.
    """
    found: dict[str, Back] = {}
    for undo in recalled("brings back on", server):
        for row, entry in undo.entries.items():
            if entry.action == "create" and entry.id and entry.written and isinstance(row, str):
                back = Back(entry.id, entry.receipt, undo, row)
                between = [one.id for _, one in _chain(found, row)]
                found |= dict.fromkeys([row, *between], back)
    return found


Sent = tuple[Change, Entry]
"""What a push meant to do to a row, and what became of it."""


def bringing(server: str, rows: Iterable[str]) -> dict[str, list[Sent]]:
    """Return what pushes of this machine did to bring rows back: by the old `_id`, the oldest first.

    Each begins with the row's creation; what completed it later follows, as far as nobody undid that. So it
    goes on where a row was deleted and brought back once more.
    """
    steps = brought_back(server)
    sent: dict[Path, list[dict[Any, Sent]]] = {}
    found: dict[str, list[Sent]] = {}
    for row in filter(steps.__contains__, rows):
        found[row] = []
        for _, back in _chain(steps, row):
            path = back.undo.path
            if path not in sent:
                completed = recalled("completes", str(path))
                sent[path] = [_sent(back.undo), *(_sent(record, taken_back(record)) for record in completed)]
            made, *later = sent[path]
            found[row] += [made[back.row], *(those[back.id] for those in later if back.id in those)]
    return found


def _sent(record: Record, undone: Collection[Any] = ()) -> dict[Any, Sent]:
    """Return what a push did to rows, without those that were undone."""
    entries = record.entries
    changes = {row_of(change): change for change in changes_in(record.plan)}
    return {row: (changes[row], entries[row]) for row in entries if row in changes and row not in undone}


def came_back(server: str) -> dict[str, Back]:
    """Return the rows of a server that this machine brought back: old `_id` -> the latest one."""
    steps = brought_back(server)
    return {old: back for old in steps for _, back in _chain(steps, old)}


def _chain(steps: Mapping[str, Back], row: str) -> Iterator[tuple[str, Back]]:
    """Yield under which `_id` a row was known each time that it was deleted, and how it came back."""
    seen = set()
    while row in steps and row not in seen:
        seen.add(row)
        yield row, steps[row]
        row = steps[row].id


def _name(row: object) -> str:
    """Return what a row is called in a journal."""
    return _AS_TEXT(row)

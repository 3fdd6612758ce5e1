"""What a push in parts has done before it was cut off, as its journals tell: a few bytes for each row.

A row that was changed or deleted is known by its `_id`. A new one is known by its values: each that was made
stands for one that comes with the same values, whichever part that is in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sispy.remedies import Argument, Call, Message

from ..planning.change_set import ChangeSet, anonymous, new_rows_of
from ..planning.plan_file import creates_in
from ..values.blocks import count, name_of
from ..values.changes import Create, Delete, Update, row_of
from ..values.times import clock
from .earlier import taken_back
from .journal import in_use, short, undoing
from .parts import is_cut, parts_of
from .recall import SAME, noted
from .record import Entry, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from ..values.changes import Change
    from .record import Record

C = TypeVar("C", bound=ChangeSet)


@dataclass
class Made:
    """New rows that were made, of which each stands for one that comes."""

    stamps: np.ndarray[Any, Any]
    """Of their values, in their order."""
    ids: np.ndarray[Any, Any]
    """Their `_id`s."""
    used: np.ndarray[Any, Any]
    """At the first of equal stamps: how many of them stand for a row by now."""

    def take(self, stamp: bytes) -> str | None:
        """Return the `_id` of such a row that stands for none yet, and does so now; None: there is none."""
        sought = np.bytes_(stamp)
        first, end = (int(np.searchsorted(self.stamps, sought, side=side)) for side in ("left", "right"))
        if first == end or first + self.used[first] >= end:
            return None
        self.used[first] += 1
        return str(self.ids[first + self.used[first] - 1].decode())


@dataclass(frozen=True)
class Cut:
    """The rows that a push in parts has written before it was cut off."""

    name: str
    at: int
    paths: tuple[Path, ...]
    ids: np.ndarray[Any, Any]
    """Of the rows that it changed, in their order."""
    stamps: np.ndarray[Any, Any]
    """What was written to each."""
    gone: frozenset[str]
    """Rows that it deleted."""
    new: np.ndarray[Any, Any]
    """What stands for the rows that it made, in their order."""
    new_ids: np.ndarray[Any, Any]
    """Their `_id`s."""
    left: frozenset[bytes]
    """What stands for new rows that it did not come to, or of which it is not known."""
    named: bool
    """New rows have the same names whenever the change is made, so that equal ones are told apart."""

    @classmethod
    def of(cls, paths: Sequence[Path], schema: str, *, mine: bool = True, named: bool = True) -> Cut:
        """Read the parts of a push, one after the other.

        Args:
            paths: The parts.
            schema: Of the rows.
            mine: It goes on, also if it is an undo. What any other undo put back is as it was before: to
                change that is nobody's second edit.
            named: See `named`.
        """
        ids: list[np.ndarray[Any, Any]] = [np.array([], "S24")]
        stamps: list[np.ndarray[Any, Any]] = [np.array([], "S8")]
        new: list[np.ndarray[Any, Any]] = [np.array([], "S8")]
        new_ids: list[np.ndarray[Any, Any]] = [np.array([], "S24")]
        gone: set[str] = set()
        left: set[bytes] = set()
        at = 0
        for path in paths:
            record = read(path)
            at = max(at, record.last)
            if record.head["schema"] != schema or (record.head.get("undoes") and not mine):
                continue
            undone = taken_back(record)
            rows = {row: entry for row, entry in _updated(record) if row not in undone}
            ids.append(np.array(list(rows), "S24"))
            written = ({p: after for p, (_, after) in entry.written.items()} for entry in rows.values())
            stamps.append(np.array([_stamp(cells) for cells in written], "S8"))
            gone |= {
                str(row)
                for row, entry in record.entries.items()
                if entry.action == "delete" and entry.word == "done" and row not in undone
            }
            created = [
                (stamp_of(create, named=named), record.entries.get(create.row, Entry("unsent")))
                for create in creates_in(record.plan)
                if create.row not in undone
            ]
            made = [(stamp, entry.id) for stamp, entry in created if entry.word == "done"]
            new.append(np.array([stamp for stamp, _ in made], "S8"))
            new_ids.append(np.array([id_ for _, id_ in made], "S24"))
            left |= {stamp for stamp, entry in created if not entry.settled}
        every = np.concatenate(ids)
        order = np.argsort(every)
        every_new = np.concatenate(new)
        order_new = np.argsort(every_new)
        return cls(
            short(paths[0]),
            at,
            tuple(paths),
            every[order],
            np.concatenate(stamps)[order],
            frozenset(gone),
            every_new[order_new],
            np.concatenate(new_ids)[order_new],
            frozenset(left),
            named,
        )

    @property
    def reason(self) -> str:
        """Why a row of it is left out."""
        return f"pushed before {clock(self.at)} as {self.name}"

    @property
    def wrote(self) -> bool:
        """Return whether it has written anything that nobody took back."""
        return bool(len(self.ids) or len(self.new) or self.gone)

    def made(self) -> Made:
        """Return the rows that it made, none of which stands for another yet."""
        return Made(self.new, self.new_ids, np.zeros(len(self.new), np.int32))

    def again(self, plan: ChangeSet) -> Iterator[Change]:
        """Yield the changes that would do once more what was done, or was about to be.

        New rows with a unique value are none of them: the server has each once.
        """
        made = self.made()
        for create in anonymous(plan):
            stamp = stamp_of(create, named=self.named)
            if stamp in self.left or made.take(stamp) is not None:
                yield create
        for change, place in self._updates(plan.changes):
            before = {path: change.before.get(path) for path in change.after}
            if self.stamps[place] == np.bytes_(_stamp(before)):
                yield change

    def done(self, changes: Iterable[Change], made: Made) -> dict[Any, str]:
        """Return the rows that were written, with their `_id`s; `made`: the new ones not found yet."""
        changes = tuple(changes)
        creates = ((c.row, stamp_of(c, named=self.named)) for c in changes if isinstance(c, Create))
        return {
            **{c.id: c.id for c in changes if isinstance(c, Delete) and c.id in self.gone},
            **{row: id_ for row, stamp in creates if (id_ := made.take(stamp)) is not None},
            **{change.id: change.id for change, _ in self._updates(changes)},
        }

    def _updates(self, changes: Iterable[Change]) -> Iterator[tuple[Update, int]]:
        """Yield the changes of rows that were changed, with where these are among them."""
        updates = [change for change in changes if isinstance(change, Update) and len(change.id) == 24]
        if not len(self.ids):
            return
        wanted = np.array([change.id for change in updates], "S24")
        places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        for change, place, there in zip(updates, places, self.ids[places] == wanted, strict=True):
            if there:
                yield change, int(place)

    def left_of(self, plans: Iterable[C]) -> Iterator[C]:
        """Yield what plans of the change that goes on have to do, from the first one on."""
        made = self.made()
        for plan in plans:
            yield without(plan, self.done(plan.changes, made))

    def question(self, found: Sequence[Change]) -> Message:
        """Return what has to be decided where something would be done a second time."""
        new = any(isinstance(change, Create) for change in found)
        did = "made them, or was about to," if new else "wrote to them"
        return Message(
            f"{count(len(found), 'row')}, such as {name_of(found[0])}, would be "
            f"{'created' if new else 'changed'} a second time: "
            f"the push {self.name} {did} before it was cut off, {clock(self.at)}",
            self._going_on("goes on with that push"),
            Argument("again", f"{'creates' if new else 'changes'} them once more", True),
        )

    def apart(self) -> Message:
        """Return what there is to say of it where another push writes to its table."""
        return Message(
            f"the push {self.name}, which was cut off {clock(self.at)}, is another one",
            self._going_on("had gone on with it"),
            undoing(self.paths[0], "takes it back"),
        )

    def _going_on(self, does: str) -> Call:
        return Call(f"sp.push_parts(..., resume={str(self.paths[0])!r})", does)


def cut_push(what: str) -> tuple[Path, ...]:
    """Return the parts of the push of a change that was cut off last, as long as it may go on; else none.

    It does not where somebody is at it, or has undone some of it, or it was followed by another.
    """
    there = [path for path in noted(SAME, what) if path.exists()]
    if not there or not is_cut(there[-1]):
        return ()
    parts = parts_of(there[-1])
    return () if any(in_use(path) or taken_back(read(path)) for path in parts) else tuple(parts)


def stamp_of(create: Create, *, named: bool) -> bytes:
    """Return what stands for a new row: its values and, if these are the same each time, its name."""
    return _stamp({"values": create.values, "row": create.row if named else None})


def without(plan: C, rows: Collection[Any]) -> C:
    """Return a plan without some rows."""
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if row_of(change) not in rows),
        problem_list=tuple(problem for problem in plan.problem_list if problem.row not in rows),
        made_with=new_rows_of(plan),
    )


def _updated(record: Record) -> Iterator[tuple[str, Entry]]:
    for row, entry in record.entries.items():
        if isinstance(row, str) and entry.action == "update" and entry.word == "done" and entry.written:
            yield row, entry


def _stamp(cells: dict[str, Any]) -> bytes:
    text = json.dumps(cells, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest().replace(b"\0", b"\1")

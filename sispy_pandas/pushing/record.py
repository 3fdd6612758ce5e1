"""What a journal says: the plan, who pushed it, and what is known about each row by now.

| event | says |
|---|---|
| `begin` | who pushes, when, with which options; `resume` the same of a later push that goes on |
| `user` | whose the token is, where only the server's first answer tells |
| `send` | rows are about to be sent, with what the guard read (cells, `_updated_at`); their fate is open |
| `made` | a new row is there, and waits for other new rows that it refers to |
| `row` | the outcome of a row: its fate is known |
| `done` | rows that were written as they were sent last: each with its `_updated_at`, a new one its `_id` |
| `conflict` | a cell that was not written, with base, mine and theirs |
| `end` | the push ended; with `stopped` it ended early |
| `parts` | in the last part of a push: how many parts there are, where that was not known before |
| `verified` | what the commits of rows tell: values of others that were replaced, cells that were so before |

A row in `send` that stands there alone was sent with the cells of the plan, in the state that the plan was
made from. In `begin`, `together` has name, number and count of the parts of a push in several, and `open` the
`send`s of an earlier push of the same new rows, of which it is not known what they came to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy.text import printable

from ..values.changes import Attempt, Overwrite, then
from ..values.times import LAST
from ..values.types.frozen import decode_json
from .journal import refuse_device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..values.changes import Outcome


SETTLED = ("done", "unchanged", "conflict", "failed", "problem")
"""The outcomes that no resumption changes."""
_WORDS = (*SETTLED, "unsent")
_ACTIONS = ("create", "update", "delete")


Together = tuple[str, int, int | None]
"""Of a part of a push: the name of the push, which part this is, of how many; None: that is not known yet."""


@dataclass(frozen=True)
class Mark:
    """What tells the new rows of a request from others afterwards, where they have no unique value."""

    since: int
    """A time of the server's clock, in ms: they were created later."""
    known: frozenset[str]
    """`_id`s of the rows that were created since then and before they were sent."""
    rows: tuple[Any, ...]
    """What names the rows of the request, in its order; None: rows that have a unique value."""

    def as_event(self) -> dict[str, Any]:
        """Return what the event `send` says of it."""
        return {"since": self.since, "known": sorted(self.known), "request": self.rows}


@dataclass(frozen=True)
class Entry:
    """What a journal says about one row so far."""

    word: str | None = None
    """Its outcome; None: it was sent and its fate is open."""
    ambiguous: bool = False
    """Whether it failed as a new row that may have been created."""
    id: str | None = None
    action: str = ""
    written: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Path -> (before, after) of all cells that were written, by any push of this journal."""
    attempts: tuple[Attempt, ...] = ()
    """The requests for it, in their order, where its fate is open."""
    receipt: int | None = None
    read: int | None = None
    """`_sis._updated_at` of the state that the guard read before the row was written, in ms."""
    sent_at: int = 0
    """When it was sent last, in ms."""
    mark: Mark | None = None
    """Of a new row without a unique value, as it was sent last."""
    sender: str | None = None
    """Who sent it last."""
    status: int | None = None
    """The HTTP status that the server gave for it."""
    overwrites: tuple[Overwrite, ...] = ()
    """Values of others that the write replaced, as far as that was looked up."""
    unverified: str | None = None
    """Why it is not known whether there are more; empty: there are none; None: it was not looked up."""
    already: tuple[str, ...] = ()
    """Paths of `written` that held the value when the write came, as far as that was looked up."""
    doubted: tuple[Attempt, ...] = ()
    """The requests for it that no answer came to."""

    @classmethod
    def of(cls, outcome: Outcome, *, sent_at: int = 0) -> Entry:
        """Return what a journal would say about a row whose push kept none."""
        return cls(
            outcome.word,
            outcome.ambiguous,
            outcome.id,
            outcome.action,
            outcome.written,
            receipt=outcome.receipt,
            read=outcome.read,
            sent_at=sent_at,
            status=outcome.status,
            overwrites=outcome.overwrites,
            unverified=outcome.unverified,
            already=outcome.already,
            doubted=outcome.doubted,
        )

    @property
    def settled(self) -> bool:
        """Return whether no resumption changes its outcome."""
        return self.word in SETTLED and not self.ambiguous


@dataclass(frozen=True)
class Record:
    """A journal that was read."""

    path: Path
    plan: tuple[str, ...]
    """The lines of the plan."""
    begin: Mapping[str, Any]
    """When it began, by whom (`user`), with which options."""
    entries: Mapping[Any, Entry]
    """By row: `_id`, or `Create.row`."""
    ended: bool
    """Whether the last push of this journal came to its end."""
    stopped: str | None
    last: int
    """When the last of it was written, in ms."""
    parts: int | None = None
    """Of the last part of a push that did not know before how many it would have: how many they are."""

    @property
    def head(self) -> dict[str, Any]:
        """The first line of the plan: server, schema, counts, and what it undoes."""
        head: dict[str, Any] = json.loads(self.plan[0])
        return head

    @property
    def together(self) -> Together | None:
        """What a part of a push is said to be in the event that begins it."""
        return _together(self.begin)

    @property
    def wrote(self) -> bool:
        """Return whether it changed anything, or may have."""
        return any(not entry.settled or entry.written for entry in self.entries.values())

    def brief(self) -> Record:
        """Return the record with no more of its rows than tell whether it wrote something."""
        telling = ((row, e) for row, e in self.entries.items() if not e.settled or e.written)
        return replace(self, plan=self.plan[:1], entries=dict(islice(telling, 1)))

    @property
    def open(self) -> bool:
        """Return whether it did not come to its end: `resume` goes on with it."""
        return not self.ended or self.stopped is not None


def read(file: str | Path) -> Record:
    """Read a journal, also one whose last line was cut off by a crash.

    Raises:
        ValueError: The file is not a journal, or a line of it is damaged.
        OSError: It cannot be read.
    """
    file = Path(file)
    refuse_device(file)
    reader, number = _Reader(), 0
    try:
        with file.open("rb") as content:
            for line in content:
                number += 1
                if line.endswith(b"\n"):
                    reader.take(line[:-1].decode())
        return reader.record(file)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        why = f"line {number} cannot be read" if number else "it is empty"
        began = not isinstance(error, NeverBegan)
        kind = ValueError if began or not reader.plan else NeverBegan
        said = why if began else str(error)
        raise kind(f"{printable(file)} is not a journal of a push: {printable(said)}") from None


def schema_in(file: Path) -> str:
    """Return the name of the table that a journal is for; no more than its first line is read."""
    with file.open("rb") as content:
        return str(decode_json(content.readline())["schema"])


def table_in(file: Path) -> tuple[str, str]:
    """Return server and table that a journal is for; no more than its first line is read."""
    with file.open("rb") as content:
        head = decode_json(content.readline())
    return str(head["server"]), str(head["schema"])


def together_of(file: Path) -> Together | None:
    """Return which part of a push a journal is; None: it is whole, or none that can be read.

    No more of it is read than the lines before the push began.
    """
    try:
        refuse_device(file)
        with file.open("rb") as content:
            first = next((line for line in content if line.startswith(b'{"event"')), b"")
        return _together(decode_json(first)) if first.endswith(b"\n") else None
    except (OSError, ValueError, TypeError, AttributeError, IndexError):
        return None


def _together(begin: Mapping[str, Any]) -> Together | None:
    found = begin.get("together")
    return None if found is None else (str(found[0]), int(found[1]), _number(found[2]))


class NeverBegan(ValueError):  # noqa: N818 - what `read` raises, told from damage
    """What was read is in order, but the push of it never began: nothing was sent."""


class _Reader:
    """Makes a record of the lines of a journal; whatever is no line of one raises."""

    def __init__(self) -> None:
        self.plan: list[str] = []
        self.begin: dict[str, Any] = {}
        self.entries: dict[Any, Entry] = {}
        self.last: dict[str, Any] = {}
        self.user: str | None = None
        self.parts: int | None = None
        self.nameless: set[Any] = set()
        """Rows that were sent by a user whose name was not known then."""
        self.planned: dict[Any, Attempt] = {}
        """What a request for a row holds that is sent as it was planned."""

    def take(self, line: str) -> None:
        found = decode_json(line)
        name = found.get("event")
        if name is None:
            if not self.plan:
                _check_head(found)
            else:
                self._planned(found)
            self.plan.append(line)
            return
        if name == "parts":
            self.parts = _whole(found["count"])
            return
        if name == "verified":
            for row, cells, why, *already in found["rows"]:
                self._verified(_row(row), cells, str(why), already)
            return
        self.last = {**found, "at": _moment(found["at"])}
        if name in ("begin", "resume", "user"):
            self.user = _text(found["user"])
        if name in ("begin", "resume"):
            self.nameless.clear()
        if name == "begin":
            _check_begin(found)
            self.begin = self.last
            for sent in found.get("open", ()):
                self._sent(sent)
        elif name == "user":
            self.begin = {**self.begin, "user": self.begin.get("user") or self.user}
            for row in self.nameless:
                self.entries[row] = replace(self.entries[row], sender=self.user)
        elif name == "send":
            self._sent(found)
        elif name == "made":
            row = _row(found["row"])
            self.entries[row] = replace(self.entries[row], id=_text(found["id"]))
        elif name == "row":
            self._ended(_row(found["row"]), found, _pairs(found["written"]))
        elif name == "done":
            for row, *receipt_and_id in found["rows"]:
                self._done(_row(row), *receipt_and_id)

    def _planned(self, found: Any) -> None:
        """Take a cell of the plan."""
        verb = next(filter(found.__contains__, ("update", "create")), None)
        if verb is not None and "after" in found:
            none = Attempt({}, _number(found.get("receipt")))
            attempt = self.planned.setdefault(_row(found[verb]), none)
            cells = {**attempt.cells, found["field"]: (found.get("before"), found["after"])}
            self.planned[_row(found[verb])] = replace(attempt, cells=cells)

    def _done(self, row: Any, receipt: Any, new_id: Any = None) -> None:
        sent = self.entries[row]
        last = sent.attempts[-1]
        told = {
            "outcome": "done",
            "id": row if new_id is None else new_id,
            "action": sent.action,
            "status": 200,
            "receipt": receipt,
            "read": last.read,
        }
        self._ended(row, told, dict(last.cells))

    def _sent(self, found: Any) -> None:
        action = _one_of((*_ACTIONS, "complete"), found["action"])
        lines = [
            (_row(row), _attempt(*sent) if sent else self.planned[_row(row)]) for row, *sent in found["rows"]
        ]
        mark = None
        if "request" in found:
            request = tuple(map(_row, found["request"]))
            mark = Mark(_whole(found["since"]), frozenset(found["known"]), request)
        for row, attempt in lines:
            old = self.entries.get(row, Entry())
            attempts = then(old.attempts if old.word is None else (), attempt)
            if action == "complete":  # what a new row that is there could not be created with
                self.entries[row] = replace(old, attempts=attempts, sent_at=self.last["at"])
                continue
            self.entries[row] = Entry(
                id=old.id,
                action=action,
                written=old.written,
                attempts=attempts,
                sent_at=self.last["at"],
                mark=mark if mark is not None and row in mark.rows else None,
                sender=_text(found.get("sender", self.user)),
            )
            if "sender" not in found and self.user is None:
                self.nameless.add(row)

    def _ended(self, row: Any, now: Mapping[str, Any], written: dict[str, tuple[Any, Any]]) -> None:
        old = self.entries.get(row, Entry())
        all_written = dict(old.written)
        for path, (before, after) in written.items():
            all_written[path] = (all_written[path][0] if path in all_written else before, after)
        ambiguous = bool(now.get("ambiguous"))
        self.entries[row] = Entry(
            word=_one_of(_WORDS, now["outcome"]),
            ambiguous=ambiguous,
            id=_text(now["id"]) or old.id,
            action=_one_of(_ACTIONS, now["action"]),
            written=all_written,
            attempts=old.attempts if ambiguous else (),
            receipt=_number(now["receipt"]),
            read=_number(now.get("read")),
            sent_at=self.last["at"],
            mark=old.mark,
            sender=old.sender if ambiguous else old.sender or self.user,
            status=_number(now.get("status")),
            overwrites=tuple(Overwrite(**cell) for cell in now.get("overwrites", ())),
            doubted=tuple(_attempt(**one) for one in now.get("doubted", ())),
        )

    def _verified(self, row: Any, cells: Any, why: str, already: list[Any]) -> None:
        lost, paths = tuple(Overwrite(**cell) for cell in cells), tuple(map(str, already))
        self.entries[row] = replace(self.entries[row], overwrites=lost, unverified=why, already=paths)

    def record(self, file: Path) -> Record:
        if not self.begin or not self.plan:
            raise NeverBegan("it never began")
        ended = self.last.get("event") == "end"
        plan = tuple(self.plan)
        stopped = _text(self.last.get("stopped"))
        return Record(file, plan, self.begin, self.entries, ended, stopped, self.last["at"], self.parts)


def _check_head(head: Any) -> None:
    """Raise unless this is the first line of a plan."""
    _whole(head["counts"]["creates"] + head["counts"]["updates"] + head["counts"]["deletes"])
    made = head.get("made", {})
    names = (head["schema"], head["server"], *head.get("undoes", ()), *head.get("completes", ()))
    if not all(isinstance(text, str) for text in (*names, *made.values())):
        raise TypeError("names of a plan are texts")


def _check_begin(found: Mapping[str, Any]) -> None:
    """Raise unless a push can have begun so."""
    for name in ("note", "reviewer", "digest"):
        _text(found.get(name))
    if found.get("together") is not None:
        name, number, parts = found["together"]
        texts = (name, found["digest"])
        last = _whole(number if parts is None else parts)
        if not (all(isinstance(text, str) for text in texts) and 1 <= _whole(number) <= last):
            raise ValueError("it is not part of a push")


def _one_of(words: tuple[str, ...], found: Any) -> str:
    if found not in words:
        raise ValueError(f"{found!r} is not one of {words}")
    return str(found)


def _moment(value: Any) -> int:
    if not 0 <= _whole(value) <= LAST:
        raise ValueError(f"{value!r} is not a time")
    return int(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _number(value: Any) -> int | None:
    return None if value is None else _whole(value)


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _row(value: Any) -> Any:
    """Return what names a row, as `Create.row` was before it became JSON: labels of two levels are tuples."""
    return tuple(map(_row, value)) if isinstance(value, list) else value


def _attempt(cells: Any, read: Any = None, until: Any = None, found: Any = ()) -> Attempt:
    return Attempt(_pairs(cells), _number(read), _number(until), tuple(map(str, found)))


def _pairs(cells: Any) -> dict[str, tuple[Any, Any]]:
    return {path: (before, after) for path, (before, after) in cells.items()}

"""The history: one commit per write, and the states that commits lead to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from sispy import delta
from sispy.sandbox.js.json import decode, encode
from sispy.sandbox.js.numbers import number_of_text
from sispy.sandbox.mongoose.definition import compile_definition
from sispy.sandbox.sis.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sispy.sandbox.mongo.store import Document

DEFINITION = compile_definition(
    {
        "type": "String",
        "entity_id": "String",
        "entity_oid": "String",
        "action": "String",
        "modified_by": "String",
        "date_modified": "Number",
        "commit_data": "Mixed",
    }
)


class Commit(NamedTuple):
    """One write: who, when, what; `data` is the JSON of an object or of a delta."""

    oid: str
    type: str
    entity_id: str
    entity_oid: str
    action: str
    by: str
    at: int
    data: bytes
    written_at: int
    bulk: bool

    def document(self) -> Document:
        """Return the commit as the server shows it."""
        shown: Document = {
            "_id": self.oid,
            "type": self.type,
            "entity_id": self.entity_id,
            "entity_oid": self.entity_oid,
            "action": self.action,
            "modified_by": self.by,
            "date_modified": self.at,
            "commit_data": decode(self.data),
            "_sis": {"_created_at": self.written_at, "_updated_at": self.written_at},
        }
        return shown if self.bulk else {**shown, "_v": 0}


class Commits:
    """All commits by type and id; they stay when their object is deleted."""

    def __init__(self) -> None:
        self.by_object: dict[tuple[str, str], list[Commit]] = {}
        self.fresh: list[Commit] = []
        """Commits that were not yet written to the disk."""

    def add(self, commit: Commit) -> None:
        """Append a commit to the history of its object."""
        self.by_object.setdefault((commit.type, commit.entity_id), []).append(commit)

    def note(self, commit: Commit) -> None:
        """Append a commit that is not on the disk yet."""
        self.add(commit)
        self.fresh.append(commit)

    def of(self, kind: str, name: str) -> list[Commit]:
        """Return the commits of an object, the oldest first."""
        return self.by_object.get((kind, name), [])

    def one(self, kind: str, name: str, oid: str) -> Document:
        """Return a commit with the state it led to, or that it deleted.

        Raises:
            Missing: The object has no such commit, or the history has no beginning.
        """
        history = self.of(kind, name)
        at = next((index for index, commit in enumerate(history) if commit.oid == oid), None)
        if at is None:
            raise Missing("commit", oid)
        shown = history[at].document()
        state = _state(history[: at + 1]) if shown["action"] == "update" else shown["commit_data"]
        if state is None:
            raise Missing("commit", oid)
        return {**shown, "value_at": state}

    def revision(self, kind: str, name: str, when: str) -> Document:
        """Return the state of an object at a time in milliseconds.

        Raises:
            Missing: It has none at that time, or that is no time.
        """
        missing = Missing("commit at time", when)
        moment = number_of_text(when)
        if moment is None:
            raise missing
        state = _state(commit for commit in self.of(kind, name) if commit.at <= moment)
        if state is None:
            raise missing
        return state


def difference(old: Document, new: Document) -> bytes | None:
    """Return the JSON of what an update has changed; None if it has changed no field of the object's own."""
    changes = delta.diff(decode(encode(old)), decode(encode(new))) or {}
    return encode(changes) if any(not key.startswith("_") for key in changes) else None


def _state(history: Iterable[Commit]) -> Document | None:
    """Replay commits since the last insert."""
    commits = list(history)
    start = next((i for i in range(len(commits) - 1, -1, -1) if commits[i].action == "insert"), None)
    if start is None:
        return None
    state: Document = decode(commits[start].data)
    for commit in commits[start + 1 :]:
        change = decode(commit.data)
        state = _changed(state, change) if commit.action == "update" else change
    return state


def undone(state: Document, change: Document) -> Document:
    """Return the state before a change, from the one after it."""
    return _changed(state, change, delta.unpatch)


def _changed(state: Document, change: Document, apply: Callable[[Any, Any], Any] = delta.patch) -> Document:
    """Apply a delta key by key: one that does not fit, as commits in between are missing, changes nothing."""
    for name, inner in change.items():
        before = state.get(name)
        if isinstance(before, dict) and isinstance(inner, dict) and inner.get("_t") != "a":
            state = {**state, name: _changed(before, inner, apply)}
            continue
        with contextlib.suppress(delta.DeltaError):
            state = apply(state, {name: inner})
    return state

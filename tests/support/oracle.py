"""What a push says of itself, held against what the server did: every difference is a violation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ledger import Ledger, Loss, Write, at, leaves
from sispy_pandas.pushing.record import read
from sispy_pandas.values.changes import Change, Create, Delete, Update, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from faulty_proxy import Passage
    from sispy_pandas.pushing.record import Entry

AMBIGUOUS = re.compile("may have been created")


@dataclass(frozen=True)
class Violation:
    """Something that a push did or said and that must not be."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class Told:
    """What journal and reports say of a row."""

    word: str = "unsent"
    id: str | None = None
    reason: str = ""
    written: dict[str, Any] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)


@dataclass
class Account:
    """All that a push says: the journal of all its parts, and the last report."""

    rows: dict[Any, Told] = field(default_factory=dict)
    replaced: set[tuple[str, str]] = field(default_factory=set)
    """Cells that were reported as somebody's, and replaced."""
    unverified: set[str] = field(default_factory=set)
    """Rows that are counted as not verified."""

    def read(self, journal: Path) -> Account:
        """Read the events of a journal."""
        entries: Mapping[Any, Entry] = {}
        for line in journal.read_text().splitlines() if journal.exists() else []:
            event = json.loads(line)
            told = self.rows.setdefault(event.get("row"), Told()) if "row" in event else Told()
            if event.get("event") == "row":
                told.word, told.reason = event["outcome"], event.get("reason", "")
                told.id = event["id"] or told.id
                told.written |= {path: after for path, (_, after) in event["written"].items()}
                self.replaced |= {(cell["id"], cell["field"]) for cell in event.get("overwrites", ())}
            elif event.get("event") == "done":  # as they were sent, which a reader of journals knows
                entries = entries or read(journal).entries
                for row, *_ in event["rows"]:
                    told = self.rows.setdefault(row, Told())
                    told.word, told.reason, told.id = "done", "", entries[row].id
                    told.written |= {path: after for path, (_, after) in entries[row].written.items()}
            elif event.get("event") == "verified":
                for row, cells, why in event["rows"]:
                    self.replaced |= {(cell["id"], cell["field"]) for cell in cells}
                    (self.unverified.add if why else self.unverified.discard)(row)
            elif event.get("event") == "conflict":
                told.conflicts.add(event["field"])
        return self

    def add(self, outcomes: Mapping[Any, tuple[str, str]]) -> Account:
        """Add what the last report says of rows that have no end in the journal: word and reason."""
        for row, (word, reason) in outcomes.items():
            told = self.rows.setdefault(row, Told())
            if told.word == "unsent":
                told.word, told.reason = word, reason
        return self


@dataclass(frozen=True)
class Case:
    """What happened."""

    changes: tuple[Change, ...]
    ledger: Ledger
    since: int
    """The number of the first write after the plan was made."""
    us: str
    account: Account
    passages: tuple[Passage, ...]
    ended: float
    """When the push had ended, and what it wrote been verified."""

    def violations(self) -> Iterator[Violation]:
        """Yield everything that must not be."""
        for loss in self.ledger.losses(self.us, self.since):
            if not self._is_told(loss):
                how = self._how(loss)
                text = f"{loss.path} of {loss.id}: {loss.value!r} of {loss.theirs.by}"
                yield Violation(f"foreign write lost, {how}", text)
        for change in self.changes:
            told = self.account.rows.get(row_of(change), Told("nothing"))
            writes = [w for w in self.ledger.writes if w.number >= self.since]
            if isinstance(change, Update):
                yield from _update(change, told, [w for w in writes if w.id == change.id], self)
            elif isinstance(change, Delete):
                yield from _delete(change, told, [w for w in writes if w.id == change.id], self)
        yield from self._creates()

    def _is_told(self, loss: Loss) -> bool:
        if loss.id in self.account.unverified or self._is_too_late(loss):
            return True
        return any(
            id_ == loss.id and (loss.path == path or loss.path.startswith(f"{path}."))
            for id_, path in self.account.replaced
        )

    def _is_too_late(self, loss: Loss) -> bool:
        """Tell whether the network delivered a write once more after everything had been looked at."""
        looked = [p.ended for p in self.passages if f"/{loss.id}/commits" in p.asked.target]
        return self._by_network(loss.ours) and loss.ours.at > max(looked, default=self.ended)

    def _how(self, loss: Loss) -> str:
        """Tell how a value could be lost: the names of the holes that are looked for."""
        carriers = [p for p in self.passages if p.asked.writes and p.started <= loss.ours.at <= p.ended]
        carrier = next((p for p in carriers if loss.id in p.asked.names), carriers[0] if carriers else None)
        if carrier is None:
            return "by a write that no passage explains"
        if carrier.again:
            return f"delivered again by the network ({carrier.fault})"
        reads = [
            p
            for p in self.passages
            if not p.asked.writes and loss.id in p.shown and p.ended <= carrier.started
        ]
        read_at = max((p.started for p in reads), default=0.0)
        if loss.theirs.at < read_at:
            return "although it was read"
        earlier = [
            p
            for p in self.passages
            if p.asked.writes
            and p is not carrier
            and loss.id in p.asked.names
            and read_at < p.started < carrier.started
        ]
        return "sent again without reading" if earlier else "within the window"

    def _creates(self) -> Iterator[Violation]:
        """Compare new rows as groups of equal ones."""
        groups: dict[str, list[Create]] = {}
        for change in self.changes:
            if isinstance(change, Create):
                groups.setdefault(_content(_nested(change.values)), []).append(change)
        made: dict[str, list[Write]] = {}
        for write in self.ledger.writes:
            if write.number >= self.since and write.by == self.us and write.action == "insert":
                made.setdefault(_content(write.after or {}), []).append(write)
        if strange := made.keys() - groups.keys():
            yield Violation("a new row that the plan does not name", f"{sorted(strange)}")
        for content, group in groups.items():
            yield from self._group(content, group, made.get(content, []))

    def _group(self, content: str, group: list[Create], made: list[Write]) -> Iterator[Violation]:
        told = [self.account.rows.get(create.row, Told("nothing")) for create in group]
        ids = {write.id for write in made}
        done = [t.id for t in told if t.word == "done"]
        ambiguous = any(t.word == "failed" and AMBIGUOUS.search(t.reason) for t in told)
        text = f"{content}: stored as {sorted(ids)}, told {[(t.word, t.id, t.reason) for t in told]}"
        if len(set(done)) < len(done) or not ids.issuperset(done):
            yield Violation("done, but not created, or one twice", text)
        elif len(made) > len(done) and not ambiguous and not self._is_counted(group, made, done):
            kind = "new rows doubled" if len(made) > len(group) else "created, told as not done"
            by_network = any(self._by_network(write) for write in made)
            yield Violation(f"{kind}, by the network" if by_network else kind, text)
        gone = {w.id for w in self.ledger.writes if w.after is None and w.by != self.us}
        sent = [write for write in made if write.id not in gone and not self._is_second(write)]
        if len(sent) > len(group):
            yield Violation("new rows sent again", text)
        for create, t in zip(group, told, strict=True):
            excused = t.word == "problem" and self._is_taken(create)
            if t.word in ("nothing", "problem") and not excused:
                yield Violation(f"new row ended as {t.word}", f"{create.row}: {t.reason}")

    def _is_counted(self, group: list[Create], made: list[Write], done: list[str | None]) -> bool:
        """Tell whether the push says that there are more rows than it sent, as far as it could know."""
        if any(create.row in self.account.unverified for create in group):
            return True
        looked = max((p.started for p in self.passages if "_created_at" in p.asked.target), default=0.0)
        return all(write.at > looked for write in made if write.id not in done)

    def _is_taken(self, create: Create) -> bool:
        """Tell whether somebody else has made a row of that name."""
        return any(
            w.action == "insert"
            and w.by != self.us
            and w.after is not None
            and w.after.get("name") == create.values.get("name")
            for w in self.ledger.writes
        )

    def _is_second(self, write: Write) -> bool:
        """Tell whether the network had delivered a request once more."""
        return any(p.again and p.started <= write.at <= p.ended and p.asked.writes for p in self.passages)

    def _by_network(self, write: Write) -> bool:
        carriers = [p for p in self.passages if p.asked.writes and p.started <= write.at <= p.ended]
        again = [p.asked for p in self.passages if p.again]
        return any(p.asked is asked for p in carriers for asked in again)


def _content(document: Mapping[str, Any]) -> str:
    """Return what equal new rows have in common."""
    return json.dumps(leaves({k: v for k, v in document.items() if k != "_sis"}), sort_keys=True)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        inner = found
        for key in parents:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return found


def _update(change: Update, told: Told, writes: list[Write], case: Case) -> Iterator[Violation]:
    ours = [w for w in writes if w.by == case.us and w.after is not None]
    theirs = [w for w in writes if w.by != case.us]
    wrote = _written(change, writes, case)
    text = f"{change.id} {change.after}: {told}"
    if told.word == "done":
        if lacking := change.after.keys() - wrote - _there(change, theirs):
            yield Violation("done, but never written", f"{sorted(lacking)} {text}")
        if strange := told.written.keys() - change.after.keys():
            yield Violation("a cell that the plan does not name", f"{sorted(strange)} {text}")
    elif told.word in ("failed", "problem", "nothing", "unsent"):
        if told.word != "failed":
            yield Violation(f"update ended as {told.word}", text)
        partly = told.reason.startswith("the server took the request but does not hold")
        held = {
            path for path, mine in change.after.items() if ours and at(ours[-1].after, path) == _value(mine)
        }
        if (wrote & held if partly else wrote) - told.written.keys():
            yield Violation(f"{told.word}, but written", text)
    elif told.word == "unchanged":
        if wrote - _there(change, theirs):
            yield Violation("unchanged, but written", text)
    elif told.word == "conflict":
        touched = _touched(writes, case)
        gone = any(w.after is None for w in theirs)
        for path in told.conflicts:
            if path == "_id" and not gone:
                yield Violation("a deletion that nobody made", text)
            elif path != "_id" and not any(t == path or t.startswith(f"{path}.") for t in touched):
                yield Violation("a conflict that nobody made", f"{path} {text}")
        if wrote - told.written.keys() - told.conflicts and not gone:
            yield Violation("conflict, but written", text)


def _written(change: Update, writes: list[Write], case: Case) -> set[str]:
    """Return the cells that we gave the value of the plan."""
    found: set[str] = set()
    before = [w for w in case.ledger.of(change.id) if w.number < case.since][-1].after
    for write in writes:
        if write.by == case.us:
            found |= {
                path
                for path, mine in change.after.items()
                if at(write.after, path) == _value(mine) != at(before, path)
            }
        before = write.after
    return found


def _there(change: Update, theirs: list[Write]) -> set[str]:
    return {
        path for path, mine in change.after.items() if any(at(w.after, path) == _value(mine) for w in theirs)
    }


def _touched(writes: list[Write], case: Case) -> set[str]:
    """Return the cells that others changed."""
    found: set[str] = set()
    for write in writes:
        if write.by != case.us and write.after is not None:
            before = [w for w in case.ledger.of(write.id) if w.number < write.number][-1].after
            old, new = leaves(before or {}), leaves(write.after)
            found |= {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    return found


def _delete(change: Delete, told: Told, writes: list[Write], case: Case) -> Iterator[Violation]:
    ours = [w for w in writes if w.by == case.us and w.after is None]
    theirs = [w for w in writes if w.by != case.us]
    gone = any(w.after is None for w in theirs)
    text = f"{change.id}: {told}"
    if told.word == "done" and not ours:
        yield Violation("done, deleted by somebody else" if gone else "done, but not deleted", text)
    elif told.word == "unchanged" and not gone:
        yield Violation("unchanged, but deleted by us" if ours else "gone, but it is there", text)
    elif told.word == "conflict":
        if ours:
            yield Violation("conflict, but deleted", text)
        if not theirs:
            yield Violation("a conflict that nobody made", text)
    elif told.word == "failed" and ours:
        yield Violation("failed, but deleted", text)
    elif told.word in ("problem", "nothing", "unsent"):
        yield Violation(f"delete ended as {told.word}{', but deleted' if ours else ''}", text)


def _value(mine: Any) -> Any:
    found = at({"it": mine}, "it")
    return None if found in ([], {}) else found

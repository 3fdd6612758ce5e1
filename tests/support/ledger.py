"""What a sandbox really did to a table, taken where it writes its commits, and what was lost by it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.json import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sispy.sandbox import Sandbox

Leaves = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """A write that was carried out: the row after it, None after a deletion."""

    number: int
    at: float
    id: str
    action: str
    by: str
    after: Mapping[str, Any] | None


@dataclass(frozen=True)
class Loss:
    """Somebody's value that a write of ours replaced or deleted."""

    id: str
    path: str
    value: Any
    theirs: Write
    ours: Write


@dataclass(eq=False)
class Ledger:
    """The writes of one table in their order."""

    table: str
    writes: list[Write] = field(default_factory=list)

    def keep(self, sandbox: Sandbox) -> None:
        """Begin to listen to a sandbox in which the table is.

        What a write has made of a row is what is stored then, not what its writer believes: of two that race,
        each tells of the other's cells as it had read them.
        """
        table = sandbox.world.entities[self.table]
        record = table.record

        def heard(action: str, by: str, document: Any, *args: Any, **options: Any) -> None:
            stored = table.collection.documents.get(document["_id"]) if action != "delete" else None
            after = json.loads(encode(table.written(stored))) if stored is not None else None
            number = len(self.writes)
            self.writes.append(Write(number, time.monotonic(), document["_id"], action, by, after))
            record(action, by, document, *args, **options)

        table.record = heard  # type: ignore[method-assign]

    def of(self, id_: str) -> list[Write]:
        """Give the writes of a row."""
        return [write for write in self.writes if write.id == id_]

    def rows(self) -> dict[str, Mapping[str, Any]]:
        """Give the rows that are there, by `_id`."""
        found: dict[str, Mapping[str, Any]] = {}
        for write in self.writes:
            if write.after is None:
                found.pop(write.id, None)
            else:
                found[write.id] = write.after
        return found

    def losses(self, us: str, since: int) -> Iterator[Loss]:
        """Yield every value of somebody else that a write of ours replaced, from a number on.

        A value is lost if it is another than the one at that number, or if we had written the cell before.
        """
        for id_ in dict.fromkeys(write.id for write in self.writes):
            yield from _losses(self.of(id_), us, since)


def _losses(writes: list[Write], us: str, since: int) -> Iterator[Loss]:
    base: Leaves = {}
    now: Leaves = {}
    owner: dict[str, Write] = {}
    touched: set[str] = set()
    for write in writes:
        after = {} if write.after is None else leaves(write.after)
        changed = [path for path in now.keys() | after.keys() if now.get(path) != after.get(path)]
        if write.number < since:
            base = after
        elif write.by == us:
            for path in sorted(changed):
                theirs = owner.get(path)
                if theirs is not None and (now.get(path) != base.get(path) or path in touched):
                    yield Loss(write.id, path, now.get(path), theirs, write)
                owner.pop(path, None)
            touched.update(changed)
        else:
            owner.update(dict.fromkeys(changed, write))
        now = after


def leaves(document: Mapping[str, Any], prefix: str = "") -> Leaves:
    """Return the values of a row by dotted path, in a form in which equal values are equal.

    An address is the text that was sent, arrays are whole, members lose their `_id`. What is null, `[]` or
    `{}` is not there.
    """
    found: Leaves = {}
    for key, value in document.items():
        path = f"{prefix}{key}"
        if path == "_sis":
            found |= {f"_sis.{k}": list(value[k]) for k in ("owner", "tags") if value.get(k)}
        elif key.startswith("_") or value is None or value in ([], {}):
            continue
        elif isinstance(value, dict) and "ip_address" not in value:
            found |= leaves(value, f"{path}.")
        else:
            found[path] = plain(value)
    return found


def plain(value: Any) -> Any:
    """Return a value without what the server adds to it."""
    if isinstance(value, Mapping):
        if "ip_address" in value:
            return f"{value['ip_address']}/{value['cidr']}"
        return {key: plain(inner) for key, inner in value.items() if key != "_id"}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def at(document: Mapping[str, Any] | None, path: str) -> Any:
    """Return the value at a dotted path, in the form of `plain`; None for what is empty."""
    found: Any = document
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    found = plain(found)
    return None if found in ([], {}) else found

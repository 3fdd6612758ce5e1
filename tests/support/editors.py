"""Colleagues who work on a table while it is pushed to."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import sispy

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from faulty_proxy import Asked
    from ledger import Ledger
    from sispy.sandbox import Sandbox
    from torture import Settings

FIELDS: dict[str, Any] = {
    "s": "String",
    "n": "Number",
    "since": "Date",
    "ip": "IpAddress",
    "tags": ["String"],
    "disks": [{"dev": "String", "gb": "Number"}],
    "extra": "Mixed",
    "bios": {"vendor": "String", "version": "String"},
}
PATHS = ["s", "n", "since", "ip", "tags", "disks", "extra", "bios.vendor", "bios.version"]
EDITS = 60
"""How often the workers write at most."""
POUNCES = 6
"""How often somebody writes at the very moment in which a write of ours arrives, at most."""


def value_of(rng: random.Random, path: str, mark: str) -> Any:
    """Give a value for a cell that no other writer gives it."""
    number = rng.randrange(1000, 10**9)
    if path in ("s", "bios.vendor", "bios.version"):
        return mark
    if path == "n":
        return number
    if path == "since":
        return f"20{rng.randint(25, 29)}-0{rng.randint(1, 9)}-11T12:13:14.{rng.randrange(1000):03}Z"
    if path == "ip":
        return f"10.{rng.randint(1, 250)}.{rng.randint(0, 250)}.{rng.randint(1, 250)}/24"
    if path == "tags":
        return rng.choice([[mark], ["a", mark], [mark, "b", mark], []])
    if path == "disks":
        return [{"dev": mark, "gb": number}, {"dev": "sdb"}][: rng.randint(1, 2)]
    return {rng.choice(["a", "k", "z"]): mark}


class Editors:
    """Two who write between the requests of a push, and one who writes into its writes.

    All is drawn from the seed, at moments that the requests of the push make.
    """

    def __init__(self, settings: Settings, sandbox: Sandbox, ledger: Ledger, names: Sequence[str]) -> None:
        self._ledger = ledger
        self._boxes = {name: sandbox.client(name).entities("box") for name in names}
        *self._workers, self._lurker = names
        self._eagerness = settings.rng("eagerness").choice([0.1, 0.3, 0.6])
        self._boldness = settings.rng("pounce").choice([0.0, 0.3, 0.8])
        self._rng = settings.rng("editors")
        self._edits, self._pounces = EDITS, POUNCES
        self._lock = threading.Lock()

    def rest(self) -> None:
        """Let them end."""
        self._edits = self._pounces = 0

    def work(self) -> None:
        """Let the workers write what they write before a request."""
        with self._lock:
            while self._edits > 0 and self._rng.random() < self._eagerness:
                self._edits -= 1
                rng, name = self._rng, self._rng.choice(self._workers)
                id_ = rng.choice(sorted(self._ledger.rows()))
                self._edit(rng, name, f"{name}{self._edits}", id_, rng.choice(PATHS))

    def pounce(self, asked: Asked, item: str | None = None) -> None:
        """Write to a cell that a request is about to write.

        Args:
            asked: The request.
            item: The row that is written next; None: any of those that it names.
        """
        with self._lock:
            rng = self._rng
            known = sorted(asked.names & self._ledger.rows().keys() & ({item} if item else asked.names))
            if not known or self._pounces <= 0 or rng.random() >= self._boldness:
                return
            self._pounces -= 1
            id_ = rng.choice(known)
            paths = _paths(asked, id_)
            self._edit(rng, self._lurker, f"lurker{self._pounces}", id_, rng.choice(paths or PATHS))

    def _edit(self, rng: random.Random, name: str, mark: str, id_: str, path: str) -> None:
        boxes = self._boxes[name]
        what = rng.random()
        try:
            if what < 0.03:
                boxes.delete(id_)
            elif what < 0.06:
                boxes.create({"name": f"n{rng.randrange(4)}", "s": "new0", "n": 0})
            elif what < 0.1:
                boxes.update(id_, {"_sis": {"tags": [mark]}, "s": mark})
            else:
                boxes.update(id_, _nested(path, value_of(rng, path, mark)))
        except (sispy.NotFound, sispy.BadRequest, sispy.DuplicateKey, sispy.ServerError):
            return  # the row is gone, or the name taken: they look for other work


def _paths(asked: Asked, id_: str) -> list[str]:
    """Return the cells that a request writes in a row."""
    try:
        content = json.loads(asked.body)
    except ValueError:
        return []
    items = content if isinstance(content, list) else [content]
    item = next((item for item in items if isinstance(item, dict) and item.get("_id", id_) == id_), {})
    return [path for path in PATHS if path.split(".", maxsplit=1)[0] in item]


def _nested(path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split(".")
    found = {last: value}
    for key in reversed(parents):
        found = {key: found}
    return found

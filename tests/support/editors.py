"""Colleagues who work on a table while it is pushed to: each a thread with a name and a seed."""

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
EDITS = 30
"""How often each of them writes at most."""
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
    """Two who write now and then, and one who writes right before a write of ours arrives."""

    def __init__(self, settings: Settings, sandbox: Sandbox, ledger: Ledger, names: Sequence[str]) -> None:
        self._settings, self._ledger = settings, ledger
        self._boxes = {name: sandbox.client(name).entities("box") for name in names}
        *self._workers, self._lurker = names
        self._over = threading.Event()
        self._pause = settings.rng("pause").choice([0.01, 0.05, 0.2])
        self._boldness = settings.rng("pounce").choice([0.0, 0.3, 0.8])
        self._pounces = settings.rng("pounces")
        self._left = POUNCES
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(name,)) for name in self._workers]

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def rest(self) -> None:
        """Let them end."""
        self._over.set()
        self._left = 0

    def stop(self) -> None:
        """Return when they have ended."""
        self.rest()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self, name: str) -> None:
        rng = self._settings.rng("editor", name)
        for number in range(EDITS):
            if self._over.wait(rng.uniform(0, 2) * self._pause):
                return
            self._edit(
                rng, name, f"{name}{number}", rng.choice(sorted(self._ledger.rows())), rng.choice(PATHS)
            )

    def pounce(self, asked: Asked) -> None:
        """Write to a cell that a request is about to write."""
        with self._lock:
            rng = self._pounces
            known = sorted(asked.names & self._ledger.rows().keys())
            if not known or self._left <= 0 or rng.random() >= self._boldness:
                return
            self._left -= 1
            id_ = rng.choice(known)
            paths = _paths(asked, id_)
            self._edit(rng, self._lurker, f"lurker{self._left}", id_, rng.choice(paths or PATHS))

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

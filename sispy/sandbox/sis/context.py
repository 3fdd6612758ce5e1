"""What every kind of object is handed: time, ids, defects, the history, and where changes are noted."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sispy.sandbox.js.scalars import new_object_id
from sispy.sandbox.sis.commits import Commits
from sispy.sandbox.sis.envelope import now

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document


def _order() -> random.Random:
    return random.Random(0)  # noqa: S311  # the order in which items of a bulk end is no secret


@dataclass
class Context:
    """What all objects of one server share."""

    clock: Callable[[], int] = now
    ids: Callable[[], str] = new_object_id
    defects: bool = False
    """Whether bulk operations have the defects of the server."""
    order: random.Random = field(default_factory=_order)
    """For the order of the items of a bulk operation, which nobody may rely on."""
    commits: Commits = field(default_factory=Commits)
    keeps: bool = False
    """Whether changes are noted, as they are written to a file."""
    dirty: dict[tuple[str, str], Document | None] = field(default_factory=dict)
    """Documents changed since the last flush, by collection and id; None: deleted."""
    dropped: list[str] = field(default_factory=list)
    """Schemas whose entities were dropped since the last flush."""

    def changed(self, collection: str, name: str, document: Document | None) -> None:
        """Note that a document has changed."""
        if self.keeps:
            self.dirty[collection, name] = document

    def drop(self, collection: str) -> None:
        """Note that all documents of a collection are gone."""
        self.dirty = {key: value for key, value in self.dirty.items() if key[0] != collection}
        if self.keeps:
            self.dropped.append(collection)

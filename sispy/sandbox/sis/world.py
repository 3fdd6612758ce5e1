"""Everything the server knows: all collections, the history, and what is to be told to hooks and disk."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.scalars import new_object_id
from sispy.sandbox.sis.commits import Commits
from sispy.sandbox.sis.envelope import now
from sispy.sandbox.sis.named import Hiera, Hooks
from sispy.sandbox.sis.schemas import Schemas
from sispy.sandbox.sis.tokens import Tokens
from sispy.sandbox.sis.users import Users
from sispy.sandbox.web.answers import Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.entities import Entities
    from sispy.sandbox.sis.resources import Resource


@dataclass(frozen=True)
class Event:
    """Something that hooks may want to know."""

    kind: str
    action: str
    data: Any
    bulk: bool = False
    old: Document | None = None
    bare: bool = False
    """Neither data nor old value: the create of an upsert."""


class World:
    """The state of one server. It is used by one thread at a time."""

    def __init__(self) -> None:
        self.clock: Callable[[], int] = now
        self.ids: Callable[[], str] = new_object_id
        self.defects = False
        """Whether bulk operations have the defects of the server."""
        self.order = random.Random(0)  # noqa: S311  # the order in which items of a bulk end is no secret
        self.events: list[Event] = []
        self.dirty: dict[tuple[str, str], Document | None] = {}
        """Documents changed since the last flush, by collection and id; None: deleted."""
        self.dropped: list[str] = []
        """Schemas whose entities were dropped since the last flush."""
        self.keeps = False
        """Whether somebody flushes."""
        self.copy_of: str | None = None
        """Address of the server whose entities these are a copy of."""
        self.commits = Commits()
        self.entities: dict[str, Entities] = {}
        self.schemas = Schemas(self)
        self.hiera = Hiera(self)
        self.hooks = Hooks(self)
        self.users = Users(self)
        self.tokens = Tokens(self)

    def changed(self, collection: str, name: str, document: Document | None) -> None:
        """Note that a document has changed."""
        if self.keeps:
            self.dirty[collection, name] = document

    def named(self) -> dict[str, Resource]:
        """Give the kinds of objects that are there from the beginning, by the word in the URL."""
        return {"schemas": self.schemas, "hiera": self.hiera, "hooks": self.hooks, "users": self.users}

    def of_schema(self, name: str) -> Entities:
        """Give the entities of a schema.

        Raises:
            Missing: there is no such schema.
        """
        found = self.entities.get(name)
        if found is None:
            raise Missing("sis_schemas", name)
        return found

    def drop_entities(self, name: str) -> None:
        """Forget the entities of a deleted schema."""
        gone = self.entities.pop(name).collection
        gone.documents.clear()  # an update that is under way finds nothing,
        gone.on_change = lambda *_: None  # and a create is kept by nobody
        self.dirty = {key: value for key, value in self.dirty.items() if key[0] != name}
        if self.keeps:
            self.dropped.append(name)

    def announce(self, resource: Resource, action: str, data: Any, **more: Any) -> None:
        """Note an event for the hooks; what they get is what the answer shows."""
        if resource.fires and any(hook["entity_type"] == resource.type for hook in self.hooks.collection):
            self.events.append(Event(resource.type, action, data, **more))

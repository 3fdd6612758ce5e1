"""Everything that the server knows: all collections, wired to what they need of each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sispy.sandbox.sis.context import Context
from sispy.sandbox.sis.errors import Missing
from sispy.sandbox.sis.hooks import Event
from sispy.sandbox.sis.named import Hiera, Hooks
from sispy.sandbox.sis.schemas import Schemas
from sispy.sandbox.sis.tokens import Tokens
from sispy.sandbox.sis.users import Users

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.commits import Commits
    from sispy.sandbox.sis.entities import Entities
    from sispy.sandbox.sis.resources import Resource


@dataclass(frozen=True)
class Copy:
    """Whose copy a world is: address, when it was begun and ended, and what was asked for."""

    copy_of: str
    begun: int
    """Milliseconds since 1970; no row is older."""
    ended: int | None = None
    """None: it is not complete."""
    only: dict[str, dict[str, Any]] | None = None
    """Table -> which of its rows; None: all tables."""
    history: int = 0
    """How many commits per row."""
    hooks: tuple[str, ...] = ()
    """The ids of those that came along."""
    reached: dict[str, str] = field(default_factory=dict)
    """Table -> the last `_id` of what was read in the order of `_id`."""


class World:
    """The state of one server. It is used by one thread at a time."""

    def __init__(self) -> None:
        self.context: Context = Context()
        self.commits: Commits = self.context.commits
        self.events: list[Event] = []
        """What hooks are still to be told of."""
        self.copy: Copy | None = None
        self.calls_copied_hooks = False
        self.entities: dict[str, Entities] = {}
        self.schemas: Schemas = Schemas(self.context, self.entities)
        self.hiera: Hiera = Hiera(self.context)
        self.hooks: Hooks = Hooks(self.context)
        self.tokens: Tokens = Tokens(self.context)
        self.users: Users = Users(self.context, self.tokens)

    def named(self) -> dict[str, Resource]:
        """Return the kinds of objects that are there from the beginning, by the word in the URL."""
        return {"schemas": self.schemas, "hiera": self.hiera, "hooks": self.hooks, "users": self.users}

    def of_schema(self, name: str) -> Entities:
        """Return the entities of a schema.

        Raises:
            Missing: There is no such schema.
        """
        found = self.entities.get(name)
        if found is None:
            raise Missing("sis_schemas", name)
        return found

    def mark(self, copy: Copy) -> None:
        """Note whose copy this is, and how far it is."""
        self.copy = copy
        self.context.changed("info", "copy_of", asdict(copy))

    def called(self) -> list[Document]:
        """Return the hooks that are called: a copy's only if that is wanted, as their receivers are real."""
        silent = self.copy.hooks if self.copy is not None and not self.calls_copied_hooks else ()
        return [hook for hook in self.hooks.collection if hook["_id"] not in silent]

    def announce(self, resource: Resource, action: str, data: Any, **more: Any) -> None:
        """Note an event for the hooks; what they get is what the answer shows."""
        if resource.fires and any(hook["entity_type"] == resource.type for hook in self.called()):
            self.events.append(Event(resource.type, action, data, **more))

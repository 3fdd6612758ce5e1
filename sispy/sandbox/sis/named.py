"""Hiera entries and hooks: objects with a name, an owner and a fixed definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.sandbox.mongoose.casting import minimised
from sispy.sandbox.mongoose.definition import ENTITY_META, compile_definition
from sispy.sandbox.sis import access
from sispy.sandbox.sis.errors import Bad
from sispy.sandbox.sis.resources import Resource, Shown

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document

META: Document = {name: node for name, node in ENTITY_META.items() if name != "any_owner_can_modify"}
HIERA = compile_definition(
    {"name": {"type": "String", "required": True, "unique": True}, "hieradata": "Mixed"}, META
)
HOOK = compile_definition(
    {
        "name": {"type": "String", "required": True, "unique": True, "match": "/^[a-z0-9_]+$/"},
        "entity_type": {"type": "String", "required": True},
        "target": {"type": "Mixed", "required": True},
        "events": [{"type": "String", "enum": ["insert", "update", "delete"]}],
        "retry_count": {"type": "Number", "min": 0, "max": 20, "default": 0},
        "retry_delay": {"type": "Number", "min": 1, "max": 60, "default": 1},
    },
    META,
)


class Hiera(Resource):
    """All hiera entries: a name and any data."""

    type = "sis_hiera"
    definition = HIERA

    def finished(self, shown: Shown) -> Shown:
        """Return an entry; data that is empty, or not selected, is shown as an object."""
        return {"hieradata": {}, **shown}

    def created(self, document: Document, body: Document, *, remove_empty: bool = False) -> Document:
        """Return a new entry as its POST is answered: with the empty objects that are not stored."""
        shown = super().created(document, body, remove_empty=remove_empty)
        return {**shown, "hieradata": minimised(body["hieradata"], keep_empty=True)}

    def shown_one(self, document: Document) -> Any:
        """Return the data alone, under its name."""
        return {document["name"]: self.shown(document)["hieradata"]}

    def check_body(self, body: Document) -> None:
        """Check name, owner and data.

        Raises:
            Bad: One of them is missing.
        """
        if not body.get("name") or not isinstance(body["name"], str):
            raise Bad("Hiera entry has an invalid or missing name")
        if not access.owners(body):
            raise Bad("owner field is required in _sis")
        if body.get("hieradata") is None:
            raise Bad("hieradata is missing")


class Hooks(Resource):
    """All hooks: which events of which schema call which URL."""

    type = "sis_hooks"
    replaces_mixed = True
    definition = HOOK
    fires = False
    keeps_creation = False

    def check_body(self, body: Document) -> None:
        """Check that nothing is missing.

        Raises:
            Bad: A part is missing or of the wrong kind.
        """
        if not body.get("name") or not isinstance(body["name"], str):
            raise Bad("Hook has no name.")
        if not access.owners(body):
            raise Bad("owner field is required in _sis")
        if not body.get("entity_type"):
            raise Bad("Hook has no entity_type.")
        target = body.get("target")
        if not isinstance(target, dict) or not target.get("url") or not target.get("action"):
            raise Bad("Hook has an invalid or missing target.")
        events = body.get("events")
        if not events or not isinstance(events, list | str):
            raise Bad("Hook has no events.")

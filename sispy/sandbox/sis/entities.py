"""Entities: the objects of one user-defined schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.sandbox.mongoose.definition import compile_definition
from sispy.sandbox.sis import access, references
from sispy.sandbox.sis.envelope import sent_sis
from sispy.sandbox.sis.errors import Bad
from sispy.sandbox.sis.resources import Resource

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.context import Context
    from sispy.sandbox.sis.references import BySchema


class Entities(Resource):
    """The entities of a schema, by `_id` or by the value of its `id_field`."""

    by_oid = True
    keeps_creation = False

    def __init__(self, context: Context, by_schema: BySchema, schema: Document) -> None:
        self.type: Any = schema["name"]
        self.by_schema = by_schema
        super().__init__(context)
        self.use(schema)

    def use(self, schema: Document) -> None:
        """Take over a schema, new or changed; stored entities are not touched."""
        self.schema = schema
        self.definition = compile_definition(schema["definition"])
        self.id_field = schema.get("id_field") or "_id"
        self.tracked = schema.get("track_history") is not False
        self.collection.encoded.clear()
        self.collection.index(self.definition.unique)

    def check_new(self, body: Any) -> Document:
        """Return the body of a create.

        Raises:
            Bad: It is empty, has a reserved field or owners that the schema does not have.
        """
        if not isinstance(body, dict):
            raise Bad("entity cannot be empty")
        for key in body:
            if key.startswith("_") and key != "_sis":
                raise Bad(f"{key} is a reserved field")
        if not any(key != "_sis" for key in body):
            raise Bad("entity cannot be empty")
        new: Document = body
        self._check_owners(new)
        return new

    def check_change(self, body: Any, stored: Document) -> Document:  # noqa: ARG002  # the rule of the others
        """Return the body of an update, without what is dropped from it.

        Raises:
            Bad: Nothing remains, or an owner is not among the schema's.
        """
        if isinstance(body, list):
            body = {str(index): item for index, item in enumerate(body)}
        if not isinstance(body, dict):
            raise Bad("entity cannot be empty")
        kept: Document = {key: value for key, value in body.items() if key == "_sis" or key[:1] != "_"}
        if not kept or kept == {"_sis": {}}:
            raise Bad("entity cannot be empty")
        self._check_owners(kept)
        return kept

    def _check_owners(self, body: Document) -> None:
        sent = sent_sis(body)
        owners = sent.get("owner", [])
        if sent.get("locked", False) is None or not isinstance(owners, list | str):
            raise Bad("_sis is invalid.")
        if access.is_shared(self.schema):
            return
        allowed = access.owners(self.schema)
        if not all(owner in allowed for owner in owners):  # a text goes by its characters, as on the server
            raise Bad("entity owners must be a subset of the schema owners.")

    def fill(self, user: Document, body: Document) -> Document:
        """Return a body with the owners that an ordinary user's new entity gets."""
        sis = sent_sis(body)
        missing = "owner" not in sis if access.is_shared(self.schema) else not sis.get("owner")
        if self.schema.get("any_owner_can_modify"):
            sis = {"any_owner_can_modify": True, **sis}
        if missing and not access.is_super(user):
            sis = {**sis, "owner": access.default_owners(user, self.schema)}
        return {**body, "_sis": sis}

    def allow(self, user: Document, document: Document, text: str = access.SOURCE) -> None:
        """Refuse users without a role in the schema or in the entity's owners."""
        access.check_entities(user, self.schema)
        access.check_entity(user, document, text)

    def complete_change(
        self,
        before: Document,
        after: Document,
        body: Document,  # noqa: ARG002  # schemas look at it
        user: Document,
    ) -> Document:
        """Return a changed entity with owners and tags; one without owners gets those of an ordinary user."""
        sis = {"owner": [], "tags": [], **after["_sis"]}
        if not sis["owner"] and not (access.is_super(user) or access.is_shared(self.schema)):
            sis["owner"] = access.default_owners(user, self.schema)
        if any(sis[name] != after["_sis"].get(name) for name in ("owner", "tags")):
            after = {**after, "_v": max(after.get("_v") or 0, (before.get("_v") or 0) + 1)}
        return {**after, "_sis": sis}

    def verify_new(self, body: Document) -> None:
        """Check the references of a body that is to be created."""
        references.verify_new(self.definition, body, self.by_schema)

    def verify_change(self, document: Document) -> None:
        """Check all references of a changed entity."""
        references.verify_change(self.definition, document, self.by_schema)

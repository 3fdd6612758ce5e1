"""Schemas as objects: what they must have, and what a change of theirs does to stored entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.sandbox.mongoose import casting
from sispy.sandbox.mongoose.definition import check_locked, choose_id_field, compile_definition, removed_paths
from sispy.sandbox.mongoose.parser import FieldNameError, SchemaError
from sispy.sandbox.sis import access
from sispy.sandbox.sis.entities import Entities
from sispy.sandbox.sis.errors import Bad, Internal
from sispy.sandbox.sis.named import META
from sispy.sandbox.sis.resources import Resource, Shown

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.context import Context

FLAG = {"type": "Boolean", "default": False}
DEFINITION = compile_definition(
    {
        "name": {"type": "String", "required": True, "unique": True, "match": "/^[a-z0-9_]+$/"},
        "description": "String",
        "definition": {"type": "Mixed", "required": True},
        "id_field": {"type": "String", "default": "_id"},
        "locked_fields": ["String"],
        "track_history": {"type": "Boolean", "default": True},
        "is_open": FLAG,
        "is_public": FLAG,
        "any_owner_can_modify": FLAG,
    },
    {**META, "_references": ["String"]},
)


class Schemas(Resource):
    """All schemas by name; each one has entities of its own."""

    type = "sis_schemas"
    replaces_mixed = True
    definition = DEFINITION

    def __init__(self, context: Context, by_schema: dict[str, Entities]) -> None:
        super().__init__(context)
        self.by_schema = by_schema

    def check_body(self, body: Document) -> None:
        """Check name, owner, definition, locked fields and id field of a schema.

        Raises:
            Bad: Something is missing or cannot be.
            Internal: The database does not take the name of a field.
        """
        name, definition = body.get("name"), body.get("definition")
        if not name or not isinstance(name, str):
            raise Bad("Schema has an invalid or missing name")
        if name.startswith("sis_"):
            raise Bad("Schema name cannot start with sis_")
        if not access.owners(body):
            raise Bad("owner field is required in _sis")
        if not isinstance(definition, dict):
            raise Bad("Schema definition is missing or invalid.")
        if not isinstance(body.get("locked_fields", []), list):
            raise Bad("locked_fields must be an array.")
        try:
            compile_definition(definition)
            # and as it will be stored: empty objects are lost, even where one was the type of a field
            compile_definition(casting.build(DEFINITION, self.fields(body))[0].get("definition"))
            choose_id_field(definition, body.get("id_field") or None, pick=False)
        except FieldNameError as error:
            raise Internal(str(error)) from error
        except SchemaError as error:
            raise Bad(str(error)) from error

    def allow(self, user: Document, document: Document, text: str = "") -> None:  # noqa: ARG002  # it has its own
        """Refuse users who are not admin of the owners."""
        access.check_schema(user, document)

    def fields(self, body: Document) -> Document:
        """Return what a schema is made of; a field `{}` is a Mixed one, and named so."""
        fields = super().fields(body)
        definition = fields["definition"].items()
        named = {name: {"type": "Mixed"} if entry == {} else entry for name, entry in definition}
        return {**fields, "definition": named}

    def complete(self, document: Document) -> None:
        """Choose the id field of a new schema and note its references."""
        definition = document["definition"]
        compiled = compile_definition(definition)
        wanted = document["id_field"] if document.get("id_field") != "_id" else None
        document["id_field"] = choose_id_field(definition, wanted, pick=True)
        references = [reference.schema for reference in compiled.references]
        document["_sis"] = {**document["_sis"], "_references": references}

    def complete_change(
        self,
        before: Document,
        after: Document,
        body: Document,
        user: Document,  # noqa: ARG002  # entities ask for the user
    ) -> Document:
        """Return a changed schema: what an update resets, and its references.

        Raises:
            Bad: A locked field would be removed.
        """
        compiled = compile_definition(body["definition"])
        try:
            old = compile_definition(before["definition"])
            check_locked(old, compiled, after.get("locked_fields") or [])
        except SchemaError as error:
            raise Bad(str(error)) from error
        after = {**after, "id_field": body.get("id_field") or "_id"}
        if "description" not in body:
            after.pop("description", None)
        references = [reference.schema for reference in compiled.references]
        return {**after, "_sis": {**after["_sis"], "_references": references}}

    def begin(self, schema: Document) -> Entities:
        """Return the entities of a new schema, none yet."""
        entities = self.by_schema[schema["name"]] = Entities(self.context, self.by_schema, schema)
        return entities

    def after_change(self, before: Document | None, after: Document) -> None:
        """Make the entities of a new schema, or fit those of a changed one."""
        if before is None:
            self.begin(after)
            return
        entities = self.by_schema[after["name"]]
        compiled = compile_definition(after["definition"])
        gone = [path.split(".") for path in removed_paths(entities.definition, compiled)]
        entities.use(after)
        if gone:
            entities.collection.rewrite(lambda document: without(document, gone))
            entities.use(after)

    def after_delete(self, document: Document) -> None:
        """Drop the entities of a deleted schema."""
        dropped = self.by_schema.pop(document["name"]).collection
        dropped.documents.clear()  # an update that is under way finds nothing,
        dropped.on_change = lambda *_: None  # and a create is kept by nobody
        self.context.drop(dropped.name)

    def with_count(self, shown: Shown, document: Document) -> Document:
        """Return a shown schema with the number of its entities."""
        return {**shown, "entity_count": len(self.by_schema[document["name"]].collection)}


def without(document: Document, paths: list[list[str]]) -> Document:
    """Return a document without the values at some paths; the same one if it has none of them."""
    for path in paths:
        document = _cut(document, path)
    return document


def _cut(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_cut(item, path) for item in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {key: item for key, item in value.items() if key != path[0]}
    return {**value, path[0]: _cut(value[path[0]], path[1:])}

"""What all kinds of objects have in common: how they are found, shown, checked and permitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sispy.delta import same
from sispy.sandbox.js.json import encode
from sispy.sandbox.mongo import query
from sispy.sandbox.mongo.store import Collection
from sispy.sandbox.sis import access
from sispy.sandbox.sis.commits import Commit, difference
from sispy.sandbox.sis.envelope import sent_sis, with_defaults
from sispy.sandbox.sis.errors import Bad, Denied
from sispy.sandbox.sis.presentation import present

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.mongoose.nodes import Definition
    from sispy.sandbox.sis.context import Context

Shown = Mapping[str, Any]
"""What is shown of an object; often the stored one itself, so never to be changed."""


class Resource:
    """One kind of object: hiera entries, hooks, users, schemas, or the entities of one schema.

    The methods here are those of hiera and hooks; other kinds override what they do in their own way.
    """

    type = ""
    id_field = "name"
    tracked: bool = True
    fires = True
    by_oid = False
    """Whether `_id` does as an id in URLs, and is the id in the history."""
    keeps_creation = True
    """Whether an update cannot change author and time of the creation."""

    replaces_mixed = False
    """Whether an update replaces Mixed values: definitions, targets and roles are one thing each."""

    definition: Definition

    def __init__(self, context: Context) -> None:
        self.context = context
        self.collection: Collection = Collection(self.type, {self.id_field: False}, context.changed)

    # Reading

    def find(self, name: str) -> Document | None:
        """Return the object with an id, None if there is none."""
        if self.id_field != "_id":
            found = self._by_key(name)
            if found is not None:
                return found
        return self.collection.documents.get(name) if self.by_oid else None

    def _by_key(self, name: str) -> Document | None:
        keys = self.collection.keys.get(self.id_field)
        if keys is not None and self.definition.leaves[self.id_field].type == "String":
            return self.collection.find(self.id_field, name)
        try:
            matches = query.compile_query({self.id_field: name}, self.definition)
        except query.CastError:
            return None
        return next((document for document in self.collection if matches(document)), None)

    def shown(self, document: Document) -> Shown:
        """Return an object as lists show it."""
        return self.finished(present(self.definition, document))

    def finished(self, shown: Shown) -> Shown:
        """Return an object without what must not be seen, and with what is not stored."""
        return shown

    def shown_one(self, document: Document) -> Any:
        """Return an object as GET of one shows it."""
        return self.shown(document)

    def written(self, document: Document, *, remove_empty: bool = False) -> Document:
        """Return an object as the answer to a write shows it: with the defaults of `_sis`."""
        shown = self.finished(present(self.definition, document, answer=True, remove_empty=remove_empty))
        return {**shown, "_sis": with_defaults(self.definition, shown.get("_sis") or {})}

    def created(
        self,
        document: Document,
        body: Document,  # noqa: ARG002  # hiera looks at it
        *,
        remove_empty: bool = False,
    ) -> Document:
        """Return a new object as the answer to its POST shows it."""
        return self.written(document, remove_empty=remove_empty)

    def encoded(self, document: Document) -> bytes:
        """Return the JSON of an object as lists show it; it is kept until the object changes."""
        found = self.collection.encoded.get(document["_id"])
        if found is None:
            found = self.collection.encoded[document["_id"]] = encode(self.shown(document))
        return found

    # Shape of what is sent

    def check_new(self, body: Any) -> Document:
        """Return the body of a create, checked for what it must have.

        Raises:
            Bad: Something is missing.
        """
        if not isinstance(body, dict) or not body:
            raise Bad(f"{self.type} cannot be empty")
        sent_sis(body)
        self.check_body(body)
        return body

    def check_change(self, body: Any, stored: Document) -> Document:
        """Return the body of an update, checked for what it must have.

        Raises:
            Bad: Something is missing, or the name is another one.
        """
        if not isinstance(body, dict) or not body:
            raise Bad(f"{self.type} cannot be empty")
        sent_sis(body)
        self.check_body(body)
        if body.get("name") != stored.get("name"):
            raise Bad("name cannot be changed.")
        return body

    def check_body(self, body: Document) -> None:
        """Check what creates and updates of this kind must have."""

    def fields(self, body: Document) -> Document:
        """Return the part of a body that the definition speaks of."""
        return {key: value for key, value in body.items() if not key.startswith("_") or key == "_sis"}

    def fill(self, user: Document, body: Document) -> Document:  # noqa: ARG002  # entities ask for the user
        """Return the body of a create with the owners that are set for a user."""
        return body

    # Permissions

    def allow(self, user: Document, document: Document, text: str = access.SOURCE) -> None:
        """Refuse users who may not write such an object."""
        access.check_owned(user, document, text)

    def may_insert(self, user: Document, body: Document) -> None:
        """Refuse users who may not create this object."""
        self.allow(user, body)

    def may_change(self, user: Document, before: Document, after: Document) -> None:
        """Refuse users who may not change the object as it was, or as it shall be."""
        self.allow(user, before)
        self.allow(user, after, access.UPDATE)

    def may_delete(self, user: Document, document: Document) -> None:
        """Refuse users who may not delete this object."""
        self.allow(user, document)

    # History

    def record(
        self, action: str, by: str, document: Document, before: Document | None = None, *, bulk: bool = False
    ) -> None:
        """Note a write in the history; an update that changes no field of its own leaves no commit."""
        if not self.tracked:
            return
        at = self.context.clock()
        if action == "update":
            data = difference(self.written(before or {}), self.written(document))
            if data is None:
                return
        else:
            data = self.encoded(document) if action == "insert" else encode(self.shown(document))
        updated = (document.get("_sis") or {}).get("_updated_at", at)
        modified = max(at, updated) if action == "delete" else updated
        oid = document["_id"]
        name = oid if self.by_oid else str(document["name"])
        commit = Commit(self.context.ids(), self.type, name, oid, action, by, modified, data, at, bulk)
        self.context.commits.note(commit)

    # Steps of a write

    def complete(self, document: Document) -> None:
        """Set what the server adds to a new object; errors of values are found before."""

    def complete_change(
        self,
        before: Document,  # noqa: ARG002  # schemas and entities ask for all of them
        after: Document,
        body: Document,  # noqa: ARG002  # as above
        user: Document,  # noqa: ARG002  # as above
    ) -> Document:
        """Return a changed object with what the server adds to it."""
        return after

    def verify_new(self, body: Document) -> None:
        """Check the references of a body that is to be created."""

    def verify_change(self, document: Document) -> None:
        """Check the references of a changed object."""

    def after_change(self, before: Document | None, after: Document) -> None:
        """Do what follows from a create or an update."""

    def after_delete(self, document: Document) -> None:
        """Do what follows from a delete."""


def check_locks(document: Document) -> None:
    """Refuse to delete a locked object."""
    if (document.get("_sis") or {}).get("locked"):
        raise Denied("Cannot delete a locked object.")


def check_immutable(before: Document, after: Document) -> None:
    """Refuse to change an immutable object, but for one key of its `_sis`."""
    old, new = before.get("_sis") or {}, after.get("_sis") or {}
    if not old.get("immutable"):
        return
    changed = {key for key in old.keys() | new.keys() if not same(old.get(key), new.get(key))}
    changed -= {"_updated_at", "_updated_by", "_version"}
    fields = {key for key in before.keys() | after.keys() if not key.startswith("_")}
    if len(changed) > 1 or not all(same(before.get(key), after.get(key)) for key in fields):
        raise Denied("Cannot change an immutable object unless only changing immutable state")

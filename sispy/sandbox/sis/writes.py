"""Writes of single objects: create, update, compare-and-set, upsert, delete.

Every write is made in two steps, as the server does it: what is stored is read, and the change is checked and
computed; then it is made in what is stored by then. Between the two, in the window of the request, others may
write. The answer and the history tell what the first step has read and computed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.delta import same
from sispy.sandbox.mongo import query
from sispy.sandbox.mongo.store import Document, DuplicateKey
from sispy.sandbox.mongoose import casting
from sispy.sandbox.mongoose.merge import apply
from sispy.sandbox.sis import envelope
from sispy.sandbox.sis.errors import Bad, Internal, Missing, Raw, SisError
from sispy.sandbox.sis.resources import Resource, check_immutable, check_locks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sispy.sandbox.mongoose.nodes import Definition, Node
    from sispy.sandbox.sis.resources import Resource


Window = Callable[[str | None], Awaitable[None]]
"""Awaited between the reading and the writing of stored objects, with the id of the one that is written next
or None for several: here others may write."""


@dataclass(frozen=True)
class Change:
    """An update that was computed but not made: the object as it was read, and as it shall be."""

    before: Document
    after: Document


def find(resource: Resource, name: str) -> Document:
    """Return the object with an id.

    Raises:
        Missing: There is none.
    """
    found = resource.find(name)
    if found is None:
        raise Missing(resource.type, name)
    return found


def build(
    resource: Resource, body: Document, user: Document, trans: Document | None = None
) -> tuple[Document, dict[str, str]]:
    """Build a new object from a checked body, and say what is wrong with it."""
    fields, errors = casting.build(resource.definition, resource.fields(envelope.for_create(body)))
    fields["_sis"] = envelope.stamped(fields["_sis"], user["name"], resource.context.clock())
    if trans is not None:
        fields["_sis"]["_trans_id"] = trans
    document: Document = {"_id": resource.context.ids(), **fields}
    if trans is None:
        document["_v"] = 0
    resource.complete(document)
    if resource.context.defects:
        document = _reversed(resource.definition, document)
    return document, errors


def _reversed(definition: Definition, document: Document) -> Document:
    """Return a new object with the keys of its Mixed values in the order that the server gives them."""
    turned = {name for name, node in definition.fields.items() if node.kind == "mixed"}
    return {
        name: dict(reversed(value.items())) if name in turned and isinstance(value, dict) else value
        for name, value in document.items()
    }


def create(resource: Resource, body: Any, user: Document) -> Document:
    """Create an object, without a window.

    Raises:
        SisError: What the server answers when it does not.
    """
    document = draft(resource, body, user)
    store(resource, document)
    return document


def draft(resource: Resource, body: Any, user: Document) -> Document:
    """Return a new object, checked but not stored.

    Raises:
        SisError: What the server answers when it cannot be.
    """
    body = resource.check_new(body)
    body = resource.fill(user, body)
    resource.may_insert(user, body)
    resource.verify_new(body)
    document, errors = build(resource, body, user)
    if errors:
        raise invalid(errors)
    check_keys(document)
    return document


def store(resource: Resource, document: Document) -> None:
    """Put a new object into its collection.

    Raises:
        Internal: A unique value is taken.
    """
    try:
        resource.collection.insert(document)
    except DuplicateKey as error:
        raise Internal(f"MongoError: {error}") from error
    resource.after_change(None, document)


def check_keys(value: Any) -> None:
    """Refuse keys that the database does not take in an insert: in Mixed values, wherever they stand.

    Raises:
        Internal: A key has a dot or begins with `$`.
    """
    if isinstance(value, list):
        for item in value:
            check_keys(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if "." in key or key.startswith("$"):
                raise Internal(f"Error: key {key} must not contain '.' or start with '$'")
            check_keys(item)


def invalid(errors: dict[str, str]) -> Bad:
    """Make the error of a validation."""
    return Bad("ValidationError: " + ", ".join(f"{path}: {text}" for path, text in errors.items()))


def prepare(
    resource: Resource,
    stored: Document,
    body: Any,
    user: Document,
    *,
    force_mixed: bool = False,
    wrong: Callable[[dict[str, str]], SisError] = invalid,
) -> Change:
    """Compute an update; `wrong` makes the error of values that do not fit.

    Raises:
        SisError: The shape of the body, a permission, a reference or a value is wrong.
    """
    body = resource.check_change(body, stored)
    after, errors = _applied(resource, stored, body, user, force_mixed=force_mixed)
    check_immutable(stored, after)
    resource.may_change(user, stored, after)
    resource.verify_change(after)
    if errors:
        raise wrong(errors)
    return Change(stored, after)


def _applied(
    resource: Resource, stored: Document, body: Document, user: Document, *, force_mixed: bool
) -> tuple[Document, dict[str, str]]:
    sent = envelope.for_update(body, keeps_creation=resource.keeps_creation)
    force = force_mixed or resource.replaces_mixed
    after, errors = apply(resource.definition, stored, resource.fields(sent), force_mixed=force)
    # Flags that a compare-and-set has wiped out stay so; arrays come back.
    kept = {*(stored.get("_sis") or {}), *envelope.sent_sis(sent), "owner", "tags"}
    after["_sis"] = {
        **{key: value for key, value in (after.get("_sis") or {}).items() if key in kept},
        "_updated_at": later(resource, stored),
        "_updated_by": user["name"],
    }
    after = resource.complete_change(stored, after, body, user)
    return after, errors


def later(resource: Resource, stored: Document) -> int:
    """Return the time of an update; two of one object never share a millisecond: the server is slower."""
    before = (stored.get("_sis") or {}).get("_updated_at")
    at = resource.context.clock()
    return max(at, before + 1) if isinstance(before, int) and before - at < 1000 else at


def install(resource: Resource, change: Change) -> Change:
    """Make a computed update; of what others have written meanwhile stays what it does not touch.

    Returns what the writer believes to have changed: from what was read, not from what is stored.

    Raises:
        Missing: The object was deleted meanwhile.
        Internal: A unique value is taken, or both writers have set an array.
    """
    name = change.before["_id"]
    current = resource.collection.documents.get(name)
    if current is None:
        raise Missing(resource.type, name)
    stored = after = change.after
    if current is not change.before:
        moved = after.get("_v") != change.before.get("_v")
        if moved and current.get("_v") != change.before.get("_v"):
            raise Internal("VersionError: No matching document found.")
        after = {**after, "_sis": {**after["_sis"], "_updated_at": later(resource, current)}}
        fields = {**resource.definition.fields, "_sis": resource.definition.meta}
        stored = rebased(fields, change.before, after, current)
    _replace(resource, current, stored)
    return Change(change.before, after)


def _replace(resource: Resource, before: Document, after: Document) -> None:
    try:
        resource.collection.replace(after)
    except DuplicateKey as error:
        raise Internal(f"MongoError: {error}") from error
    resource.after_change(before, after)


def rebased(fields: Mapping[str, Node], before: Document, after: Document, current: Document) -> Document:
    """Set in the current object what differs between two states; only nested objects go by keys."""
    merged = dict(current)
    for key in before.keys() | after.keys():
        old, new, node = before.get(key), after.get(key), fields.get(key)
        if same(old, new) and (key in before) == (key in after):
            continue
        if node is None and key != "_v":  # the field was removed from the schema meanwhile
            continue
        if key not in after:
            merged.pop(key, None)
        elif node is not None and node.kind == "nested" and isinstance(old, dict) and isinstance(new, dict):
            merged[key] = rebased(node.fields, old, new, current.get(key) or {})
        else:
            merged[key] = new
    return merged


async def compare_and_set(
    resource: Resource, read: Document, body: Any, user: Document, condition: Any, window: Window
) -> Change:
    """Write the body over an object that meets a condition; `_sis` and nested values are replaced.

    The condition is looked at in the very step that writes.

    Raises:
        SisError: As for an update, but what is wrong with a value is a 500.
    """
    prepare(resource, read, body, user, wrong=raw_invalid)
    try:
        matches = query.compile_query(condition, resource.definition)
        await window(read["_id"])
        stored = resource.collection.documents.get(read["_id"])
        if stored is None or not matches(stored):
            raise Bad("CAS update failed.")
    except query.CastError as error:
        raise Raw("CastError", str(error)) from error
    body = resource.check_change(body, stored)
    sent = envelope.for_update(body, keeps_creation=resource.keeps_creation)
    after, _ = apply(resource.definition, stored, resource.fields(sent), cas=True)
    sis = {key: value for key, value in after["_sis"].items() if key in envelope.sent_sis(sent)}
    author = envelope.sent_sis(body).get("_updated_by")
    if isinstance(author, str):
        sis["_updated_by"] = author
    after["_sis"] = {"_version": envelope.VERSION, **sis, "_updated_at": later(resource, stored)}
    _replace(resource, stored, after)
    return Change(read, after)


def raw_invalid(errors: dict[str, str]) -> Raw:
    """Make the error of a validation under a compare-and-set."""
    details = {path: {"message": text, "path": path} for path, text in errors.items()}
    return Raw("ValidationError", "Validation failed", errors=details, _message="Validation failed")


def check_delete(resource: Resource, stored: Document, user: Document) -> None:
    """Refuse to delete an object.

    Raises:
        Denied: It is locked, or the user may not.
    """
    check_locks(stored)
    resource.may_delete(user, stored)


def remove(resource: Resource, read: Document) -> None:
    """Take an object out of its collection, whatever became of it since it was read."""
    stored = resource.collection.documents.get(read["_id"])
    if stored is not None:
        resource.collection.delete(stored["_id"])
        resource.after_delete(stored)

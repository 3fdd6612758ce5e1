"""References between entities: verified on writes, populated on reads, followed by queries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from sispy.sandbox.mongo import query
from sispy.sandbox.sis.errors import Bad, Internal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.mongoose.nodes import Definition, Reference
    from sispy.sandbox.sis.resources import Resource, Shown

BySchema = Mapping[str, "Resource"]
"""The entities of all schemas by the schema's name: what references lead to."""

_INDEX = re.compile(r"\.\d+(?=\.|$)")
_OID = re.compile(r"[0-9a-fA-F]{24}")


def values(document: Any, path: list[str]) -> Iterator[Any]:
    """Return what a document has at a path, members of arrays one by one."""
    if isinstance(document, list):
        for item in document:
            yield from values(item, path)
    elif not path:
        yield document
    elif isinstance(document, dict) and path[0] in document:
        yield from values(document[path[0]], path[1:])


def target(by_schema: BySchema, name: str) -> Resource:
    """Return the entities a reference points to.

    Raises:
        Bad: There is no such schema.
    """
    found = by_schema.get(name)
    if found is None:
        raise Bad(f"Invalid schema found with name {name}")
    return found


def verify_new(definition: Definition, body: Document, by_schema: BySchema) -> None:
    """Check the references of a body before it is cast.

    Raises:
        Bad: A reference points to nothing, or an object has no `_id`.
        Internal: A reference is no id.
    """
    for reference in definition.references:
        for value in _sent(body, reference.path.split(".")):
            if value is None or value == "":
                continue
            if isinstance(value, dict):
                if "_id" not in value:
                    text = f"One ore more references could not be verified at {reference.path}"
                    raise Bad(text if reference.documents else "Reference Object has no _id")
                value = value["_id"]
            if not isinstance(value, str) or not (_OID.fullmatch(value) or len(value.encode()) == 12):
                raise Internal("Error verifying references")
            _exists(by_schema, reference.schema, value)


def _sent(document: Any, path: list[str]) -> Iterator[Any]:
    """The references of a body; an array of them that holds objects is refused."""
    if isinstance(document, list):
        for item in document:
            if not path and isinstance(item, dict):
                raise Internal("Error verifying references")
            yield from _sent(item, path)
    elif not path:
        yield document
    elif isinstance(document, dict) and path[0] in document:
        yield from _sent(document[path[0]], path[1:])


def verify_change(definition: Definition, document: Document, by_schema: BySchema) -> None:
    """Check every reference of a changed entity, those that were not sent, too.

    Raises:
        Bad: A reference points to nothing.
    """
    for reference in definition.references:
        for value in values(document, reference.path.split(".")):
            if value is not None:
                _exists(by_schema, reference.schema, value)


def _exists(by_schema: BySchema, name: str, value: Any) -> None:
    if str(value).lower() not in target(by_schema, name).collection.documents:
        raise Bad("Reference does not exist.")


def populate(
    definition: Definition, documents: list[Shown], paths: list[str], by_schema: BySchema
) -> list[Shown]:
    """Replace ids by what they point to, one level deep; dangling ones become null or vanish from arrays."""
    for reference in definition.references:
        other = by_schema.get(reference.schema)
        if other is None or reference.path not in paths:
            continue
        keys, look_up = reference.path.split("."), _look_up_in(other)
        documents = [_filled(document, keys, look_up) for document in documents]
    return documents


_DANGLING = object()


def _look_up_in(other: Resource) -> Callable[[Any], Any]:
    """Make the function from an id to the JSON of what it points to."""
    known: dict[str, Any] = {}

    def look_up(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = known.get(value)
        if found is None:
            document = other.collection.documents.get(value)
            found = _DANGLING if document is None else msgspec.Raw(other.encoded(document))
            known[value] = found
        return found

    return look_up


def _filled(value: Any, path: list[str], look_up: Callable[[Any], Any]) -> Any:
    """Return a copy of a value with everything at a path looked up; what dangles vanishes from arrays."""
    if isinstance(value, list):
        items = [_filled(item, path, look_up) for item in value]
        return [item for item in items if item is not _DANGLING]
    if not path:
        return look_up(value)
    if not isinstance(value, dict) or path[0] not in value:
        return value
    inner = _filled(value[path[0]], path[1:], look_up)
    return {**value, path[0]: None if inner is _DANGLING else inner}


def resolve(definition: Definition, condition: Document, by_schema: BySchema) -> Document:
    """Return a query whose joins are replaced by the ids they lead to.

    Conditions through one reference are intersected; they overwrite one on the reference itself. That holds
    for lists of references, too: one member has to meet all of them. (SIS-API 6.5 says both that, and that
    each may be met by another member. A path has one condition: for the same reason joins overwrite.)

    Raises:
        Bad: A referenced schema does not exist.
        Internal: A value behind a join cannot be cast.
    """
    resolved: Document = {}
    joined: dict[str, set[str]] = {}
    for key, value in condition.items():
        if key in {"$and", "$or", "$nor"} and isinstance(value, list):
            resolved[key] = [
                resolve(definition, item, by_schema) if isinstance(item, dict) else item for item in value
            ]
            continue
        plain = _INDEX.sub("", key)
        reference = next((r for r in definition.references if plain.startswith(f"{r.path}.")), None)
        if reference is None:
            resolved[key] = value
            continue
        ids = _joined(reference, plain[len(reference.path) + 1 :], value, by_schema)
        joined[reference.path] = joined[reference.path] & ids if reference.path in joined else ids
    return resolved | {path: {"$in": sorted(ids)} for path, ids in joined.items()}


def _joined(reference: Reference, beyond: str, value: Any, by_schema: BySchema) -> set[str]:
    """Return the ids of what is referred to and meets a condition beyond the reference."""
    other = target(by_schema, reference.schema)
    if beyond == "_id":
        return set()
    try:
        matches = query.compile_query(resolve(other.definition, {beyond: value}, by_schema), other.definition)
        return {document["_id"] for document in other.collection if matches(document)}
    except query.CastError as error:
        raise Internal(f"CastError: {error}") from error

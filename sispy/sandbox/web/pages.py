"""Lists: which objects a request means, in which order, and what of them it wants to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.json import decode, encode
from sispy.sandbox.js.scalars import cast_object_id
from sispy.sandbox.mongo import listing, query
from sispy.sandbox.mongo.errors import QueryError
from sispy.sandbox.sis import references
from sispy.sandbox.sis.entities import Entities
from sispy.sandbox.sis.errors import Bad, Empty, Raw
from sispy.sandbox.sis.presentation import present, presenter
from sispy.sandbox.sis.schemas import Schemas
from sispy.sandbox.web.answers import JSON_TYPE, Answer, error_answer, json_answer, list_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sispy.sandbox.mongo.store import Collection, Document
    from sispy.sandbox.mongoose.nodes import Definition
    from sispy.sandbox.sis.commits import Commit
    from sispy.sandbox.sis.resources import Resource
    from sispy.sandbox.web.request import Request

CAP = 10_000
_BOUNDS = {"$gt", "$gte", "$lt", "$lte"}


def condition_of(request: Request, name: str = "q") -> Any:
    """Return the query of a request as an object, `{}` if there is none.

    Raises:
        Bad: It is no JSON object.
    """
    value = request.query.get(name, "")
    if isinstance(value, dict):
        return value
    if value == "":
        return {}
    try:
        condition = decode(value.encode()) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        condition = None
    if not isinstance(condition, dict):
        raise Bad("Query parameter is invalid.  Must be JSON")
    return condition


def matching(resource: Resource, condition: Document) -> list[Document]:
    """Return all objects that meet a condition, in the order of the collection.

    Raises:
        CastError: A value cannot be cast, or an operator is unknown.
        Bad, Internal: A join leads nowhere.
    """
    if isinstance(resource, Entities) and resource.definition.references:
        condition = references.resolve(resource.definition, condition, resource.by_schema)
    if not condition:
        return list(resource.collection)
    matches = query.compile_query(condition, resource.definition)
    found, exact = candidates(resource.collection, condition, resource.definition)
    return list(found) if exact else [document for document in found if matches(document)]


def candidates(
    collection: Collection, condition: Document, definition: Definition
) -> tuple[Iterable[Document], bool]:
    """Return the documents that an index leaves over, and whether these are exactly those that match.

    The condition was compiled before: its values can be cast.
    """
    documents = collection.documents
    wanted = condition.get("_id")
    exact = len(condition) == 1
    if isinstance(wanted, str):
        found = documents.get(cast_object_id(wanted))
        return ([] if found is None else [found]), exact
    if isinstance(wanted, dict):
        if isinstance(wanted.get("$in"), list):
            ids = {cast_object_id(name) for name in wanted["$in"] if name is not None} & documents.keys()
            return [documents[name] for name in sorted(ids)], False
        bounds = {
            name: cast_object_id(value)
            for name, value in wanted.items()
            if name in _BOUNDS and isinstance(value, str)
        }
        if bounds:
            low, high = (bounds.get(a, bounds.get(b)) for a, b in (("$gt", "$gte"), ("$lt", "$lte")))
            between = collection.ids_between(
                low, high, low_in="$gt" not in bounds, high_in="$lt" not in bounds
            )
            exact = exact and len(bounds) == len(wanted) == (low is not None) + (high is not None)
            return [documents[name] for name in between], exact
    name = condition.get("name")
    if isinstance(name, str) and "name" in collection.keys and "name" not in collection.clashing:
        node = definition.leaves["name"]
        if node.kind == "scalar" and node.cast is not None:
            found = collection.find("name", node.cast(name))
            return ([] if found is None else [found]), False
    return documents.values(), False


def answer_list(resource: Resource, request: Request, *, among: list[Document] | None = None) -> Answer:
    """Answer a request for a list.

    Args:
        resource: What is listed.
        request: Its options.
        among: The objects to look at, in place of all.

    Raises:
        Bad, Internal: The query is no object, or a join leads nowhere.
    """
    condition = condition_of(request)
    try:
        found = matching(resource, condition)
    except query.CastError:  # of the count, which the server swallows, whatever else is asked for
        return list_answer([], {"x-total-count": "0"})
    if among is not None:
        chosen = {document["_id"] for document in among}
        found = [document for document in found if document["_id"] in chosen]
    headers = {"x-total-count": str(len(found))}
    try:
        page = _page(_sorted(resource, found, request), request)
        return list_answer(_items(resource, page, request), headers)
    except QueryError as error:
        return error_answer(raw(error), headers)
    except (Raw, Empty) as error:
        return error_answer(error, headers)


def raw(error: QueryError) -> Raw:
    """Make the answer of the database's own exception."""
    details = error.document()
    return Raw(details.pop("name"), details.pop("message"), **details)


def _sorted(resource: Resource, found: list[Document], request: Request) -> list[Document]:
    spec = request.query.get("sort")
    if not spec:
        return found
    if not isinstance(spec, str):
        raise Raw("MongoError", "bad sort specification", ok=0, errmsg="bad sort specification", code=2)
    if spec in {"_id", "+_id", "-_id"}:
        ascending = spec != "-_id"
        if resource.collection.ordered:
            return found if ascending else found[::-1]
        return sorted(found, key=lambda document: document["_id"], reverse=not ascending)
    ordered: list[Any] = listing.sorter(spec, resource.definition)(found)
    return ordered


def _page(found: list[Document], request: Request) -> list[Document]:
    offset = request.integer("offset")
    if offset < 0:
        text = "Skip value must be non-negative"
        raise Raw("MongoError", text, ok=0, errmsg=text, code=2, codeName="BadValue")
    limit = min(abs(request.integer("limit")) or CAP, CAP)
    return found[offset : offset + limit]


def _items(resource: Resource, page: list[Document], request: Request) -> list[bytes]:
    spec = (request.text("fields") or "").strip()
    populated = population(resource, request)
    remove_empty = removes_empty(resource, request)
    counted = isinstance(resource, Schemas) and request.query.get("with_counts") == "true"
    if not (spec or populated or remove_empty or counted):
        return [resource.encoded(document) for document in page]
    projection: listing.Projection | None = None
    if spec and populated and not spec.startswith("-"):
        named = {name.strip() for name in spec.split(",")}
        projection = listing.Projection(spec, extra=[path for path in populated if path not in named])
    elif spec:
        projection = listing.Projection(spec)
    show = presenter(resource.definition, projection=projection, remove_empty=remove_empty)
    shown = [resource.finished(show(document)) for document in page]
    if populated and not remove_empty and isinstance(resource, Entities):
        shown = references.populate(resource.definition, shown, populated, resource.by_schema)
    if counted and isinstance(resource, Schemas):
        if any("definition" not in document for document in shown):
            raise Empty("definition is not selected")
        shown = [resource.with_count(document, page[i]) for i, document in enumerate(shown)]
    return [encode(document) for document in shown]


def population(resource: Resource, request: Request) -> list[str]:
    """Return the paths of references that a request wants populated: all of them unless it says otherwise."""
    if not isinstance(resource, Entities) or not resource.definition.references:
        return []
    paths = [reference.path for reference in resource.definition.references]
    wanted = request.text("populate")
    if wanted == "false":
        return []
    if wanted in {None, "", "true"}:
        return paths
    named = {name.strip() for name in (wanted or "").split(",")}
    return [path for path in paths if path in named]


def removes_empty(resource: Resource, request: Request) -> bool:
    """Return whether a request wants `removeEmpty`: no empty values, references as ids (SIS-API 5.6)."""
    if not isinstance(resource, Entities) or not resource.definition.arrays:
        return False
    return bool(request.query.get("removeEmpty"))


def answer_one(resource: Resource, document: Document, request: Request) -> Answer:
    """Answer a request for one object."""
    if removes_empty(resource, request):
        return json_answer(present(resource.definition, document, remove_empty=True))
    populated = population(resource, request)
    if isinstance(resource, Entities) and not populated:
        return Answer(200, resource.encoded(document), {"content-type": JSON_TYPE})
    shown = resource.shown_one(document)
    if populated and isinstance(resource, Entities):
        shown = references.populate(resource.definition, [shown], populated, resource.by_schema)[0]
    if isinstance(resource, Schemas) and request.query.get("with_counts") == "true":
        shown = resource.with_count(shown, document)
    return json_answer(shown)


def answer_commits(history: list[Commit], definition: Definition, request: Request) -> Answer:
    """Answer a request for the commits of an object, the newest first; `sort` does not matter.

    Raises:
        Bad: The query is no object.
    """
    condition = condition_of(request)
    documents: list[Document] = [commit.document() for commit in reversed(history)]
    if condition:
        try:
            matches = query.compile_query(condition, definition)
            documents = [document for document in documents if matches(document)]
        except query.CastError as error:
            raise Bad("Query parameter is invalid.") from error
    headers = {"x-total-count": str(len(documents))}
    spec = (request.text("fields") or "").strip()
    try:
        page = _page(documents, request)
        projection = listing.Projection(spec) if spec else None
    except QueryError as error:
        return error_answer(raw(error), headers)
    except Raw as error:
        return error_answer(error, headers)
    return list_answer([encode(projection(d) if projection else d) for d in page], headers)

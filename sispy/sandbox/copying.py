"""Copies of a real server, to rehearse a change on: its tables, who may write to them, what happened to them.

The server is only read. A copy that was interrupted goes on where it ended: tables are read in the order of
`_id`, and what was read is kept page by page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sispy import Error
from sispy.sandbox.js.json import decode, encode
from sispy.sandbox.mongoose.parser import SchemaError
from sispy.sandbox.sis.commits import Commit, undone
from sispy.sandbox.sis.references import values
from sispy.sandbox.sis.world import Copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sispy import Client
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.entities import Entities
    from sispy.sandbox.sis.resources import Resource
    from sispy.sandbox.sis.world import World

Keep = Callable[[], None]
"""Keeps what was copied so far."""
PAGE = 10_000
PAGE_WITH_HISTORY = 500
"""Rows: each costs a request here, so what was read is kept, and reported, more often."""
READERS = 2
"""Connections: more than two gain nothing."""
IDS = 100
"""How many ids a request names: its URL stays below 6 KB."""


@dataclass(frozen=True)
class Order:
    """What shall be copied.

    Attributes:
        client: Of the server to read from.
        only: Table -> which of its rows; rows that these refer to come along. None: all tables.
        history: How many commits per row, the newest ones, by one request per row.
        tell: Called with what is being copied, how much of it is there, and how much there will be.
    """

    client: Client
    only: Mapping[str, Mapping[str, Any]] | None = None
    history: int = 0
    tell: Callable[[str, int, int], object] = lambda *_: None


def copy(world: World, order: Order, keep: Keep) -> None:
    """Fill a world with what a server has, or go on with that.

    Ids, `_sis` and what a later definition would refuse are taken as they are. Users come without passwords,
    hooks are not called, tokens stay where they are. `GET /info` names the original from then on, so that the
    toolkit takes files of it.

    Args:
        world: Where to.
        order: What.
        keep: Called where what was copied so far may be kept.

    Raises:
        ValueError: The world is no copy of this server, or was begun as another one; there is no such table.
        sispy.Error: The server does not answer; a note says what it was asked for.
    """
    url, only = order.client.url, decode(encode(order.only))
    begun = world.copy or _begin(world, Copy(url, world.context.clock(), only=only, history=order.history))
    if begun.copy_of != url:
        raise ValueError(f"this is a copy of {begun.copy_of}, not of {url}: give it a file of its own")
    if (begun.only, begun.history) != (only, order.history):
        raise ValueError("the copy in it has other tables or another history: give this one another file")
    if begun.ended is not None:
        return
    order.tell(f"Copying {url}" if not world.entities else f"Going on to copy {url}", 0, 0)
    _copy_named(world, order)
    with _noting("schemas"):
        _copy_schemas(world, order)
    keep()
    for name in list(world.entities if only is None else only):
        if name in world.entities:
            with _noting(name):
                _copy_table(world, order, name, keep)
    if only is not None:
        _copy_referred(world, order, keep)
    _note(world, ended=world.context.clock())
    keep()


def _begin(world: World, begun: Copy) -> Copy:
    if world.entities:
        raise ValueError("there are tables that are no copy: give the copy a file of its own")
    world.mark(begun)
    return begun


def _note(world: World, **progress: Any) -> None:
    if world.copy is not None:
        world.mark(replace(world.copy, **progress))


@contextmanager
def _noting(part: str) -> Iterator[None]:
    """Add to an error what was being copied: the server's own words name no table."""
    try:
        yield
    except Error as error:
        error.add_note(f"while copying {part}")
        raise


def _copy_named(world: World, order: Order) -> None:
    """Copy users, hiera and hooks; they are few, and all read again after an interruption."""
    client = order.client
    pairs = ((client.users, world.users), (client.hiera, world.hiera), (client.hooks, world.hooks))
    for endpoint, resource in pairs:
        with _noting(endpoint.name):
            for page in endpoint.pages():
                for document in page:
                    if document["_id"] not in resource.collection.documents:
                        _take(resource, dict(document))
        if count := len(resource.collection):
            order.tell(endpoint.name, count, count)
    _note(world, hooks=tuple(world.hooks.collection.documents))


def _copy_schemas(world: World, order: Order) -> None:
    """Copy the schemas that are wanted, and those that they refer to."""
    there = {schema["name"]: dict(schema) for page in order.client.schemas.pages() for schema in page}
    wanted = list(there if order.only is None else order.only)
    if unknown := [name for name in wanted if name not in there]:
        names = ", ".join(sorted(there)) or "none at all"
        raise ValueError(f"no schema {', '.join(unknown)} at {order.client.url}; there are {names}")
    for name in wanted:  # which grows
        if name in world.entities or name not in there:
            continue
        try:
            entities = world.schemas.begin(there[name])
        except SchemaError as error:
            order.tell(f"{name} is left out: the sandbox does not take its definition ({error})", 0, 0)
            continue
        _take(world.schemas, there[name])
        wanted += [reference.schema for reference in entities.definition.references]


def _copy_table(world: World, order: Order, name: str, keep: Keep) -> None:
    entities, endpoint = world.entities[name], order.client.entities(name)
    query = dict((order.only or {}).get(name, {}))
    total = endpoint.count(query)
    reached = dict(world.copy.reached) if world.copy is not None else {}
    beyond = {"_id": {"$gt": reached[name]}} if name in reached else {}
    wanted = {"$and": [query, beyond]} if query and beyond else query or beyond
    size = PAGE_WITH_HISTORY if order.history else PAGE
    for page in endpoint.pages({"q": wanted, "populate": False}, page_size=size):
        rows = [dict(row) for row in page]
        if not rows:
            break
        _take_rows(world, order, entities, rows)
        _note(world, reached={**reached, name: rows[-1]["_id"]})
        keep()
        count = len(entities.collection)
        order.tell(name, count, max(total, count))


def _copy_referred(world: World, order: Order, keep: Keep) -> None:
    """Copy what rows refer to, and what that refers to, but for references that lead nowhere there either."""
    looked_for: set[str] = set()
    while missing := _missing(world, looked_for):
        for name, ids in missing.items():
            looked_for.update(ids)
            for start in range(0, len(ids), IDS):
                query = {"q": {"_id": {"$in": ids[start : start + IDS]}}, "populate": False}
                with _noting(name):
                    rows = [dict(row) for row in order.client.entities(name).fetch_page(query)]
                    _take_rows(world, order, world.entities[name], rows)
                keep()
                count = len(world.entities[name].collection)
                order.tell(name, count, count)


def _missing(world: World, looked_for: set[str]) -> dict[str, list[str]]:
    """Return the ids by schema that rows refer to, that are not there and were not looked for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for entities in world.entities.values():
        for reference in entities.definition.references:
            other = world.entities.get(reference.schema)
            if other is None:
                continue
            path, there = reference.path.split("."), other.collection.documents
            for row in entities.collection:
                found[reference.schema].update(
                    value
                    for value in values(row, path)
                    if isinstance(value, str) and value not in there and value not in looked_for
                )
    return {name: sorted(ids) for name, ids in found.items() if ids}


def _take_rows(world: World, order: Order, entities: Entities, rows: Sequence[Document]) -> None:
    """Store copied rows that are not there yet, each with the history that is wanted."""
    rows = [row for row in rows if row["_id"] not in entities.collection.documents]
    if not order.history or not entities.tracked:
        for row in rows:
            _take(entities, row)
        return
    endpoint = order.client.entities(entities.type)

    def newest(row: Document) -> Iterable[Any]:
        return endpoint.commits(row["_id"]).fetch_page({"limit": order.history})

    readers = ThreadPoolExecutor(READERS, thread_name_prefix="sis-copy")
    try:
        for row, commits in zip(rows, readers.map(newest, rows), strict=True):
            _take(entities, row, _history(world, row, commits))
    finally:
        readers.shutdown(cancel_futures=True)


def _take(resource: Resource, document: Document, commits: Sequence[Commit] = ()) -> None:
    """Store a copied object with its history; without one it begins with the state that the object has."""
    resource.collection.restore(document)
    for commit in commits:
        resource.context.commits.note(commit)
    if not commits:
        by = (document.get("_sis") or {}).get("_created_by") or ""
        resource.record("insert", by, document, bulk=True)


def _history(world: World, row: Document, newest: Iterable[Mapping[str, Any]]) -> list[Commit]:
    """Return the commits of a row, the oldest first; those that do not reach its insert begin with one.

    Commits that are newer than the row as it was read are left out: somebody has written to it since.
    """
    read_at = (row.get("_sis") or {}).get("_updated_at", 0)
    told = [one for one in newest if one["date_modified"] <= read_at]
    commits = [_commit(one) for one in reversed(told)]
    if not commits or commits[0].action != "update":
        return commits
    state = row
    for one in told:
        state = undone(state, one["commit_data"])
    sis, first = state.get("_sis") or {}, commits[0]
    at = min(sis.get("_updated_at") or 0, first.at - 1)
    by = sis.get("_updated_by") or sis.get("_created_by") or ""
    begin = first._replace(
        oid=world.context.ids(), action="insert", by=by, at=at, data=encode(state), written_at=at
    )
    return [begin, *commits]


def _commit(shown: Mapping[str, Any]) -> Commit:
    """Read a commit as the server shows it."""
    at = shown["date_modified"]
    return Commit(
        shown["_id"],
        shown["type"],
        shown["entity_id"],
        shown["entity_oid"],
        shown["action"],
        shown["modified_by"],
        at,
        encode(shown["commit_data"]),
        (shown.get("_sis") or {}).get("_created_at", at),
        bulk="_v" not in shown,
    )

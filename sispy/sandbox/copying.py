"""Copies of a real server's schemas and entities, so that a change can be rehearsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sispy import Client
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.entities import Entities
    from sispy.sandbox.sis.world import World


def copy(world: World, client: Client, names: Sequence[str] | None = None) -> None:
    """Fill a world with what a server has; it is only read.

    Ids, `_sis` and what a later definition would refuse are taken as they are. History, users, hooks and
    hiera are not copied: each entity's history begins with the copy. `GET /info` names the original from
    then on, so that the toolkit takes files of it.

    Args:
        world: where to.
        client: of the server to read from.
        names: of the schemas; None means all.

    Raises:
        ValueError: the server has no such schema.
    """
    there = {schema["name"]: dict(schema) for schema in client.schemas.fetch_all({})}
    unknown = [name for name in names or () if name not in there]
    if unknown:
        raise ValueError(
            f"no schema {', '.join(unknown)} at {client.url}; there are {', '.join(sorted(there))}"
        )
    world.copy_of = client.url
    world.context.changed("info", "copy_of", {"copy_of": client.url})
    for name in there if names is None else names:
        world.schemas.collection.restore(there[name])
        entities = world.schemas.begin(there[name])
        for page in client.entities(name).pages({"populate": False}):
            for document in page:
                _take(entities, dict(document))


def _take(entities: Entities, document: Document) -> None:
    entities.collection.restore(document)
    sis = document.get("_sis") or {}
    document["_sis"] = {"_updated_at": 0, **sis}
    entities.record("insert", sis.get("_created_by") or "", document, bulk=True)

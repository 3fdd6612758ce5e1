"""Entities to frames: all that match, with the dtypes of the schema."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sispy.errors import NotFound

from .decode import Decoder
from .pages import Page, by_key, by_offset
from .progress import bar
from .query import Query, parse_query
from .schema import META, RECEIPT, Field, Schema, nearest, parse_schema
from .snapshot import Snapshot
from .sort import sort_frame, sorts_here
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sispy import Client, Endpoint

_URL_SHARE = 3000
"""Characters of `fields` in a URL; more fields than that are not worth naming."""


def fetch(
    endpoint: Endpoint,
    query: Mapping[str, Any] | None = None,
    *,
    fields: Sequence[str] | None = None,
    progress: Any = True,
) -> Snapshot:
    """Fetch all entities that match, as a Snapshot.

    Rows come in the order of `_id`, or of the query's `sort`, and every row that existed throughout is there
    exactly once. With `limit` and `sort`, or with `offset`, the server cuts the list: rows that others insert
    or delete meanwhile may then shift it. Nothing is populated: references are ids.

    Args:
        endpoint: Entities of a schema: `client.entities("host")`.
        query: `q`, `fields`, `sort`, `limit`, `offset`, as in `endpoint.fetch_all`.
        fields: Dotted paths of the columns wanted; nothing else travels. `_sis.owner` and its like count.
        progress: True: a bar on stderr or in the notebook; False: none; a function of (done, total), or an
            object with `update(n)`.

    Raises:
        ValueError: No such schema or field, an unknown operator or a value that the server would not find.
        sispy.Error: The server could not be reached, or refused.

    Example:
        >>> snapshot = fetch(client.entities("host"), {"q": {"status": "live"}}, progress=False)
        >>> frame = snapshot.frame()
    """
    listing = Listing.of(endpoint, query, fields)
    started, clock = datetime.now(UTC), time.monotonic()
    table = Table(listing.fields)
    size = 0
    with bar(progress, total=None, unit=" rows", desc=listing.schema.name) as shown:
        for page in listing.pages():
            table.add(page.rows, page.slot)
            size += page.size
            shown.total = page.total
            seconds = max(time.monotonic() - clock, 1e-3)
            shown.set_postfix_str(f"{size / seconds / 1e6:.1f} MB/s", refresh=False)
            shown.update(len(page.rows))
    frame, warnings = table.finish()
    reason = listing.difference(len(frame), page.total)
    if reason:
        warnings.loc[len(warnings)] = [None, None, len(frame), reason]
    if listing.query.sort and sorts_here(listing.schema, listing.query):
        frame = sort_frame(frame, listing.query.sort)
    return Snapshot(
        schema=listing.schema,
        endpoint=endpoint,
        query=dict(query or {}),
        fields=listing.query.fields,
        fetched_at=started,
        warnings=warnings,
        _frame=frame[[*listing.shown]],
    )


@dataclass(frozen=True)
class Listing:
    """A list that is about to be read: what to ask for, and which columns come of it."""

    endpoint: Endpoint
    schema: Schema
    query: Query
    fields: tuple[Field, ...]
    """To be decoded: those that are shown, and those to sort by."""

    @classmethod
    def of(
        cls, endpoint: Endpoint, query: Mapping[str, Any] | None, fields: Sequence[str] | None = None
    ) -> Listing:
        """Read the schema and check the query against it; see `fetch` for what is raised."""
        if not endpoint.endpoint.startswith("entities/"):
            raise ValueError(
                f"a frame holds entities, such as client.entities('host'); {endpoint.endpoint!r} has no "
                "definition: use its fetch_all()"
            )
        schema = schema_of(endpoint.client, endpoint.name)
        asked = parse_query(schema, query, fields, lru_cache(lambda name: schema_of(endpoint.client, name)))
        known = (*schema.fields, *META)
        if asked.fields is not None:
            wanted = {*asked.fields, *(path for path, _ in asked.sort)}
            known = tuple(field for field in known if field.path in wanted)
        return cls(endpoint, schema, asked, known)

    @property
    def shown(self) -> list[str]:
        """Names of the columns, the receipt last."""
        chosen = self.query.fields
        paths = [field.path for field in self.fields if chosen is None or field.path in chosen]
        return [*paths, RECEIPT.path]

    def pages(self, *, lanes: int = 2, size: int | None = None) -> Iterator[Page]:
        """Yield the decoded pages; with one lane in order."""
        query, decoder = self.query, Decoder(self.fields)
        ask: Callable[[Mapping[str, Any]], Any] = self.endpoint.raw_page
        wire: dict[str, Any] = {"populate": False}
        if query.q:
            wire["q"] = query.q
        paths = ",".join([*(f.path for f in self.fields), f"_sis.{RECEIPT.path}"])
        if query.fields is not None and len(paths) <= _URL_SHARE:
            wire["fields"] = paths
        if query.offset or (query.sort and (query.limit or not sorts_here(self.schema, query))):
            order = [("-" if descends else "") + path for path, descends in query.sort]
            wire["sort"] = ",".join(order if "_id" in dict(query.sort) else [*order, "_id"])
            return by_offset(ask, decoder, wire, limit=query.limit, offset=query.offset, size=size)
        return by_key(ask, decoder, wire, limit=query.limit, lanes=lanes, size=size)

    def difference(self, rows: int, total: int) -> str | None:
        """Return what to say if the rows that were read are not those that the server counts.

        Args:
            rows: Number of rows read.
            total: What the server counted when the first page was read.
        """
        expected = total
        if self.query.offset:
            return None if rows == total else f"{rows} rows were read, {total} expected"
        if self.query.limit is not None:
            expected = min(total, self.query.limit)
        if rows == expected or self.query.limit is not None:
            return None
        now = self.endpoint.count(self.query.q)
        if min(total, now) <= rows <= max(total, now):  # others inserted or deleted meanwhile
            return None
        return f"{rows} rows were read; the server counted {total} at first and {now} afterwards"


def schema_of(client: Client, name: str) -> Schema:
    """Read a schema.

    Raises:
        ValueError: There is none of that name; the message names similar ones.
    """
    try:
        return parse_schema(client.schemas.get(name).to_dict())
    except NotFound as error:
        names = [schema["name"] for schema in client.schemas.fetch_all({"fields": "name"})]
        raise ValueError(f"the server has no schema {name!r}{nearest(name, names)}") from error

"""Entities to frames: all that match, with the dtypes of the schema."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from sispy import Endpoint
from sispy.errors import NotFound

from ..reading.decode import Decoder, no_collection
from ..reading.expand import expand as expanded
from ..reading.expand import references_of
from ..reading.pages import Page, by_key, by_offset
from ..reading.query import Lookup, Query, parse_query
from ..reading.sort import sort_frame, sorts_here
from ..reading.table import Table, warnings_frame
from ..values.progress import bar
from ..values.schema import META, RECEIPT, Field, Schema, nearest, parse_schema
from .objects import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sispy import Client

_URL_SHARE = 3000
"""Characters of `fields` in a URL; more fields than that are not worth naming."""


def fetch(
    endpoint: Endpoint,
    query: Mapping[str, Any] | None = None,
    *,
    fields: Sequence[str] | None = None,
    expand: Sequence[str] | None = None,
    refs: Literal["id", "label"] | Mapping[str, str] = "id",
    progress: Any = True,
) -> Snapshot:
    """Fetch all entities that match, as a Snapshot.

    Rows come in the order of `_id`, or of the query's `sort`, and every row that existed throughout is there
    exactly once. With `limit` and `sort`, or with `offset`, the server cuts the list: rows that others insert
    or delete meanwhile may then shift it.

    Args:
        endpoint: Entities of a schema: `client.entities("host")`.
        query: `q`, `fields`, `sort`, `limit`, `offset`, as in `endpoint.fetch_all`.
        fields: Dotted paths of the columns wanted; nothing else travels. `_sis.owner` and its like count.
        expand: Columns of referenced entities to add, such as "rack.site.name" or, through an array of
            references, "services.name"; for reading only, `diff` leaves them out.
        refs: "id": references are ids. "label": frames show, and `diff` takes, the id field of the row that
            is referred to; column -> field: that field of it, in those columns alone.
        progress: True: a bar on stderr or in the notebook; False: none; a function of (done, total), or an
            object with `update(n)`.

    Raises:
        ValueError: No such schema or field, an unknown operator or a value that the server would not find.
        TypeError: Something else than an endpoint, a query or a list.
        sispy.Error: The server could not be reached, or refused.

    Example:
        >>> snapshot = fetch(client.entities("host"), {"q": {"status": "live"}}, progress=False)
        >>> frame = snapshot.frame()
    """
    if isinstance(expand, str):
        raise TypeError(f"expand takes a list: expand=[{expand!r}]")
    if isinstance(refs, str) and refs not in ("id", "label"):
        raise ValueError(f"refs={refs!r}: 'id', 'label' or a dict of column -> field")
    listing = Listing.of(endpoint, query, fields, expand=expand or ())
    started, clock = datetime.now(UTC), time.monotonic()
    table = Table(listing.fields, shifts=listing.by_offset(stream=False))
    size = 0
    with (
        no_collection(),  # else the collector looks at the cells of all pages again and again
        bar(progress, total=None, unit=" rows", desc=listing.schema.name) as shown,
    ):
        for page in listing.pages():
            table.add(page.rows, page.slot)
            size += page.size
            shown.total = page.total
            seconds = max(time.monotonic() - clock, 1e-3)
            shown.set_postfix_str(f"{size / seconds / 1e6:.1f} MB/s", refresh=False)
            shown.update(len(page.rows))
    frame, warnings = table.finish()
    reason = listing.difference(len(frame), page.total)
    odd = [*listing.unknown_types(), *([(None, None, len(frame), reason)] if reason else [])]
    if odd:
        warnings = warnings_frame([*warnings.itertuples(index=False, name=None), *odd])
    if listing.query.sort and sorts_here(listing.schema, listing.query):
        frame = sort_frame(frame, listing.query.sort)
    names = listing.names(meta=False)
    extra = expanded(endpoint.client, listing.schema, frame, expand, listing.lookup) if expand else {}
    names[-1:] = [*extra, *(name for name in listing.names() if name not in names), RECEIPT.path]
    frame = frame.assign(**extra)
    snapshot = Snapshot(
        schema=listing.schema,
        endpoint=endpoint,
        query=dict(query or {}),
        fields=listing.query.fields,
        fetched_at=started,
        warnings=warnings,
        _frame=frame if list(frame.columns) == names else frame[names],  # to choose columns copies them
        expanded=tuple(extra),
    )
    if refs == "id":
        return snapshot
    from .references import labelled

    return labelled(snapshot, refs)


@dataclass(frozen=True)
class Listing:
    """A list that is about to be read: what to ask for, and which columns come of it."""

    endpoint: Endpoint
    schema: Schema
    query: Query
    fields: tuple[Field, ...]
    """To be decoded: those that are shown, and those that are needed for sort and expand."""
    lookup: Lookup
    """Gives other schemas of the server."""

    @classmethod
    def of(
        cls,
        endpoint: Endpoint,
        query: Mapping[str, Any] | None,
        fields: Sequence[str] | None = None,
        *,
        expand: Sequence[str] = (),
    ) -> Listing:
        """Read the schema and check the query against it; see `fetch` for what is raised."""
        if not isinstance(endpoint, Endpoint):
            kind = type(endpoint).__name__
            raise TypeError(f"a frame holds entities, such as client.entities('host'), got {kind}")
        if not endpoint.endpoint.startswith("entities/"):
            raise ValueError(
                f"a frame holds entities, such as client.entities('host'); {endpoint.endpoint!r} has no "
                "definition: use its fetch_all()"
            )
        schema = schema_of(endpoint.client, endpoint.name)
        lookup = schemas_of(endpoint.client)
        asked = parse_query(schema, query, fields, lookup)
        references = references_of(schema, expand)
        known = (*schema.fields, *META)
        if asked.fields is not None:
            wanted = {*asked.fields, *references, *(path for path, _ in asked.sort)}
            known = tuple(field for field in known if field.path in wanted)
        return cls(endpoint, schema, asked, known, lookup)

    def names(self, *, meta: bool = True) -> list[str]:
        """Return the names of the columns to show, the receipt last."""
        chosen = self.query.fields
        if chosen is not None:
            return [*(field.path for field in self.fields if field.path in chosen), RECEIPT.path]
        return [*self.schema.columns, *(field.path for field in META if meta), RECEIPT.path]

    def wire(self) -> dict[str, Any]:
        """Return what every request of the list asks for."""
        wire: dict[str, Any] = {"populate": False}
        if self.query.q:
            wire["q"] = self.query.q
        paths = ",".join([*(f.path for f in self.fields), f"_sis.{RECEIPT.path}"])
        if self.query.fields is not None and len(paths) <= _URL_SHARE:
            wire["fields"] = paths
        return wire

    def by_offset(self, *, stream: bool) -> bool:
        """Tell whether pages follow by offset, because the server has to sort or to cut the list."""
        query = self.query
        by_server = query.sort and (stream or query.limit or not sorts_here(self.schema, query))
        return bool(query.offset or (by_server and query.sort != (("_id", False),)))

    def pages(self, *, stream: bool = False, size: int | None = None) -> Iterator[Page]:
        """Yield the decoded pages.

        Args:
            stream: In the order of the rows, for use one by one.
            size: Rows per page; None for the most.
        """
        query, decoder = self.query, Decoder(self.fields)
        ask: Callable[[Mapping[str, Any]], Any] = self.endpoint.raw_page
        wire = self.wire()
        if self.by_offset(stream=stream):
            order = [("-" if descends else "") + path for path, descends in query.sort]
            wire["sort"] = ",".join(order if "_id" in dict(query.sort) else [*order, "_id"])
            return by_offset(ask, decoder, wire, limit=query.limit, offset=query.offset, size=size)
        return by_key(ask, decoder, wire, limit=query.limit, lanes=1 if stream else 2, size=size)

    def unknown_types(self) -> list[tuple[Any, ...]]:
        """Return the fields whose type is not known here, as rows of a snapshot's warnings."""
        kinds = {f.path: f.unknown or (f.item.unknown if f.item else None) for f in self.fields}
        reason = "a type not known here: cells are as stored"
        return [(None, path, kind, reason) for path, kind in kinds.items() if kind]

    def difference(self, rows: int, total: int | None) -> str | None:
        """Return what to say if the rows that were read are not those that the server counts.

        Args:
            rows: Number of rows read.
            total: What the server counted when the first page was read; None: it did not.
        """
        if total is None:
            return f"{rows} rows were read; the server does not say how many there are"
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


def schemas_of(client: Client) -> Lookup:
    """Return a function that gives the schema of a name, and asks the server once for each."""
    return lru_cache(maxsize=None)(lambda name: schema_of(client, name))


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

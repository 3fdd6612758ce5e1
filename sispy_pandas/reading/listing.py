"""Lists of entities that are about to be read: what to ask for, and which columns come of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sispy import Endpoint
from sispy.errors import NotFound
from sispy.remedies import Message, nearest
from sispy.text import printable

from ..values.progress import Waits
from ..values.schema import META, RECEIPT, Schema, parse_schema
from .chunks import selecting
from .conditions import query_of
from .decode import Decoder
from .expand import references_of
from .filters import parse
from .pages import Page, by_key, by_offset
from .query import Query, parse_query
from .table import sorts_here
from .unlisted import nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sispy import Client

    from ..values.progress import Bar
    from ..values.types.base import Field
    from .paths import Lookup

_URL_SHARE = 3000
"""Characters of `fields` in a URL; more fields than that are not worth naming."""


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
        query: Mapping[str, Any] | str | None,
        fields: Sequence[str] | None = None,
        *,
        expand: Sequence[str] = (),
    ) -> Listing:
        """Read the schema and check the query against it; see `fetch` for what is raised."""
        schema, lookup = _definitions(endpoint)
        asked = parse_query(schema, query, fields, lookup)
        slip = nowhere(schema, asked.q, lookup, endpoint.count)
        if slip and asked.is_text:
            raise ValueError(slip)
        if slip:
            warnings.warn(printable(f"{schema.name}: {slip}"), stacklevel=3)
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
        if self.query.fields is not None:
            paths = [*(f.path for f in self.fields), f"_sis.{RECEIPT.path}"]
            wire |= selecting(paths, most=_URL_SHARE)
        return wire

    def by_offset(self, *, stream: bool) -> bool:
        """Return whether pages follow by offset, because the server has to sort or to cut the list."""
        query = self.query
        by_server = query.sort and (stream or query.limit or not sorts_here(self.schema, query))
        return bool(query.offset or (by_server and query.sort != (("_id", False),)))

    def watched(self, shown: Bar) -> Listing:
        """Return the same list; where its server has to be waited for, a bar says so."""
        waits = Waits(shown.set_postfix_str)
        return replace(self, endpoint=self.endpoint.watched(waits.before_another_try))

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


def where(source: Endpoint | Schema, text: str) -> dict[str, Any]:
    """Return the `q` of a filter, for whatever takes one: `hosts.count(q)`, `{"q": q}`.

    Filters compare fields, `status = live`, `cpus >= 8`, `status in live,planned`, `name ~ ^web`,
    `name like "^web.*"`, `rack is empty`, and join such conditions by `and`, `or`, `not` and parentheses.
    Paths lead into documents, members of arrays and referenced rows: `rack.site.name = fra1`. The table at
    the head of `sispy_pandas.reading.filters` is the whole language.

    Args:
        source: An endpoint, such as `client.entities("host")`; or a schema, for filters of its own fields:
            without a server nothing is known of others, nor of values that an enum does not list.
        text: The filter.

    Raises:
        ValueError: The text is no filter; or a field or value that there cannot be, with what is near it: a
            value of another type, or one that an enum does not list and that no row has.

    Example:
        >>> hosts = client.entities("host")
        >>> where(hosts, "status = live and hardware.cores >= 8")
        {'status': 'live', 'hardware.cores': {'$gte': 8}}
        >>> where(hosts, "status = lvie")
        Traceback (most recent call last):
        ValueError: 'status': no row has 'lvie', and the definition does not list it; did you mean 'live'?
    """
    if isinstance(source, Schema):
        return query_of(parse(text), source, no_server)
    schema, lookup = _definitions(source)
    q = query_of(parse(text), schema, lookup)
    slip = nowhere(schema, q, lookup, source.count)
    if slip:
        raise ValueError(slip)
    return q


def no_server(name: str) -> Schema:
    """Refuse to look up a schema, where there is no server to ask.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"a schema alone does not know {name!r}, which it refers to: give the endpoint")


def _definitions(endpoint: Endpoint) -> tuple[Schema, Lookup]:
    """Return the schema of an endpoint's entities, and what gives those of others."""
    if not isinstance(endpoint, Endpoint):
        kind = type(endpoint).__name__
        raise TypeError(f"a frame holds entities, such as client.entities('host'), got {kind}")
    if not endpoint.endpoint.startswith("entities/"):
        raise ValueError(
            f"a frame holds entities, such as client.entities('host'); {endpoint.endpoint!r} has no "
            "definition: use its fetch_all()"
        )
    return schema_of(endpoint.client, endpoint.name), schemas_of(endpoint.client)


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
        raise ValueError(Message(f"the server has no schema {name!r}", nearest(name, names))) from error

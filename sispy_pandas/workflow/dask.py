"""A table larger than one machine: a dask DataFrame whose partitions are ranges of `_id`.

Every worker reads its own rows. The dtypes are known beforehand, from the schema. Reading needs no token, so
none goes into the graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sispy import Client
from sispy.remedies import Argument, Message

from ..reading.decode import Decoder
from ..reading.listing import Listing
from ..reading.pages import by_key
from ..reading.table import Table
from ..values.extras import optional

if TYPE_CHECKING:
    import pandas as pd

    from sispy import Endpoint

    from ..reading.query import Query
    from ..values.types.base import Field

_ROWS = 200_000
"""Rows per partition if the caller does not say: about 200 MB of frame."""


def read_dask(
    endpoint: Endpoint,
    query: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    partitions: int | None = None,
    meta: bool = False,
) -> Any:
    """Return all entities that match as a dask DataFrame, which nothing is read for until it is computed.

    Numbers are Float64 in all partitions. Rows are ordered by `_id`, which is the index with known
    divisions; what others insert meanwhile is read if its range was not yet. Workers must reach the server
    at the same address; for its certificate they trust what their own environment names.

    Args:
        endpoint: Entities of a schema.
        query: A filter, or `q` and `fields` as in `fetch`; a part of a table by `limit`, or an order, dask
            makes itself.
        fields: As in `fetch`.
        partitions: How many; None: one per 200,000 rows.
        meta: Add the columns of `_sis`.

    Raises:
        ImportError: dask is missing.
        ValueError: As in `fetch`; or the query has sort, limit or offset. When computed: a value
            contradicts the definition, and so the dtype.

    Example:
        >>> len(read_dask(client.entities("host")))
        10
    """
    dataframe, config = optional("dask.dataframe", "dask"), optional("dask.config", "dask")
    listing = Listing.of(endpoint, query, fields)
    if listing.query.sort or listing.query.limit is not None or listing.query.offset:
        raise ValueError("read_dask takes q and fields: sort and cut the dask DataFrame")
    names = listing.names(meta=meta)
    part = _Part(
        endpoint.client.url,
        endpoint.client.version,
        endpoint.name,
        listing.query,
        listing.fields,
        tuple(names),
        listing.wire(),
    )
    bounds = _bounds(endpoint, listing.query, partitions)
    ranges = [
        ({"$gte": low, "$lt": high} if high != bounds[-1] else {"$gte": low, "$lte": high})
        for low, high in itertools.pairwise(bounds)
    ]
    empty = part.empty()
    with config.set({"dataframe.convert-string": False}):  # else dask makes texts of tuples and dicts
        if not ranges:
            return dataframe.from_pandas(empty, npartitions=1)
        return dataframe.from_map(part, ranges, meta=empty, divisions=tuple(bounds), label="sispy")


def _bounds(endpoint: Endpoint, query: Query, partitions: int | None) -> list[str]:
    """Return the first ids of all partitions, and the last id of the table."""

    def id_at(offset: int, sort: str = "_id") -> str | None:
        asked = {"q": query.q, "sort": sort, "offset": offset, "limit": 1, "fields": "_id", "populate": False}
        page = endpoint.fetch_page(asked)
        return page[0]["_id"] if len(page) else None

    total = endpoint.count(query.q)
    wanted = partitions or -(-total // _ROWS) or 1
    if wanted < 1:
        raise ValueError(f"partitions is 1 or more, got {partitions}")
    found = [id_at(total * number // wanted) for number in range(min(wanted, total))]
    return [*dict.fromkeys(id_ for id_ in found if id_), *filter(None, [id_at(0, "-_id")])]


@dataclass(frozen=True)
class _Part:
    """Read one range; it travels to the workers, and holds no token."""

    url: str
    version: Any
    schema: str
    query: Query
    fields: tuple[Field, ...]
    names: tuple[str, ...]
    wire: Mapping[str, Any]

    def __call__(self, ids: Mapping[str, str]) -> pd.DataFrame:
        q = {"_id": dict(ids)}
        asked = {**self.wire, "q": {"$and": [self.query.q, q]} if self.query.q else q}
        endpoint = _client(self.url, self.version).entities(self.schema)
        table = Table(self.fields, stream=True)
        for page in by_key(endpoint.raw_page, Decoder(self.fields), asked, limit=None, lanes=1):
            table.add(page.rows)
        frame, odd = table.finish()
        frame = frame[list(self.names)]
        wrong = frame.dtypes[frame.dtypes != self.empty().dtypes].index.tolist()
        if wrong:
            row = odd[odd["column"].isin(wrong)].iloc[0]
            raise ValueError(
                Message(
                    f"{self.schema} {row['_id']}: {row['column']!r} holds {row['value']!r}: {row['reason']}",
                    Argument("fields", "leaves the column out"),
                )
            )
        return frame

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows, with the dtypes of all."""
        return Table(self.fields, stream=True).finish()[0][list(self.names)]


@lru_cache(maxsize=8)
def _client(url: str, version: Any) -> Client:
    return Client(url, version)

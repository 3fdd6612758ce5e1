"""A table larger than one machine: a dask DataFrame whose partitions are ranges of `_id`.

Every worker reads its own rows, and only the columns that are used. The dtypes are known beforehand, from the
schema. Reading needs no token, so none goes into the graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy import BadAnswer, Client
from sispy.remedies import Argument, Message

from ..reading.listing import Listing
from ..reading.query import as_filter
from ..reading.table import Table
from ..values.arrow import ListDtype, arrow_column
from ..values.extras import optional
from ..values.types.base import Contradiction

if TYPE_CHECKING:
    from sispy import Endpoint

    from ..reading.query import Query
    from ..values.schema import Schema
    from ..values.types.base import Field

_ROWS = 200_000
"""Rows per partition if the caller does not say: about 200 MB of frame."""
_FIRST, _LAST = "0" * 24, "f" * 24
"""The first and the last `_id` that there may be."""
_TRIES = 12
"""Further tries of a request, of which the last is a minute after the first: long work sits out a restart."""
_BEYOND = "g"
"""Above every `_id`."""


def read_dask(
    endpoint: Endpoint,
    where: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    partitions: int | None = None,
    meta: bool = False,
) -> Any:
    """Return all entities that match as a dask DataFrame, which nothing is read for until it is computed.

    Numbers are Float64 in all partitions, lists those of Arrow, Mixed values and lists of objects JSON texts:
    so every table can be written by `to_parquet`, and `read_parquet` of pandas, dask, polars and DuckDB reads
    the folder. Columns that dask does not need are not asked for.
    Rows are ordered by `_id`, which is the index with known divisions; the ranges cover every `_id`, so what
    others insert meanwhile is read if its range was not yet. The rows of each range are counted by the
    server, too, and the ranges are all there is: a result holds every row, or it is an error, also where a
    worker died or the server was started anew meanwhile. Workers must reach the server at the same address;
    for its certificate they trust what their own environment names.

    Args:
        endpoint: Entities of a schema.
        where: A filter such as "status = live", or what `sp.where` returns; not a query, as in `fetch`: dask
            itself sorts and takes parts.
        fields: As in `fetch`.
        partitions: How many; None: one per 200,000 rows.
        meta: Add the columns of `_sis`.

    Raises:
        ImportError: dask is missing.
        ValueError: As in `fetch`. When computed: a value contradicts the definition, and so the dtype.
        sispy.BadAnswer: When computed: the rows of a range are not those that the server counts.
        sispy.NoAnswer: When computed: the server cannot be reached, for a minute.

    Example:
        >>> len(read_dask(client.entities("host"), where="hardware.cores >= 1"))
        10
    """
    dataframe, config = optional("dask.dataframe", "dask"), optional("dask.config", "dask")
    _introduce_lists()
    listing = Listing.of(endpoint, {"q": as_filter(where)}, fields)
    part = _Part(
        endpoint.client.url,
        endpoint.client.version,
        listing.schema,
        listing.query,
        listing.fields,
        tuple(listing.names(meta=meta)),
    )
    bounds = _bounds(endpoint, listing.query, partitions)
    ranges = [{"$gte": low, "$lt": high} for low, high in itertools.pairwise(bounds)]
    ranges[-1] = {"$gte": bounds[-2]}
    with config.set({"dataframe.convert-string": False}):  # else dask makes texts of what is text already
        return dataframe.from_map(part, ranges, meta=part.empty(), divisions=tuple(bounds), label="sispy")


def _bounds(endpoint: Endpoint, query: Query, partitions: int | None) -> list[str]:
    """Return the bounds of all partitions, which hold about as many rows each.

    Where they lie is no matter of right or wrong: together the ranges have every `_id`.
    """
    total = endpoint.count(query.q)
    wanted = partitions or -(-total // _ROWS) or 1
    if wanted < 1:
        raise ValueError(f"partitions is 1 or more, got {partitions}")
    found = set()
    for number in range(1, min(wanted, total)):
        asked = {"q": query.q, "sort": "_id", "offset": total * number // wanted, "limit": 1}
        found |= {row["_id"] for row in endpoint.fetch_page({**asked, "fields": "_id", "populate": False})}
    return [_FIRST, *sorted(found), _LAST]


@dataclass(frozen=True)
class _Part:
    """Read one range; it travels to the workers, and holds no token."""

    url: str
    version: Any
    schema: Schema
    query: Query
    fields: tuple[Field, ...]
    names: tuple[str, ...]

    def __call__(self, ids: Mapping[str, str], columns: Sequence[str]) -> pd.DataFrame:
        """Return the rows of a range; without a default for `columns` dask names those that it needs."""
        _introduce_lists()
        fields = tuple(field for field in self.fields if field.path in columns)
        query = replace(
            self.query.narrowed({"_id": dict(ids)}),
            fields=self.query.fields if set(columns) >= set(self.names) else tuple(columns),
        )
        endpoint = _client(self.url, self.version).entities(self.schema.name)
        listing = Listing(endpoint, self.schema, query, fields, _unasked)
        table = Table(fields, stream=True)
        for page in listing.pages(stream=True):
            table.add(page.rows)
        frame, odd = table.finish()
        reason = listing.difference(len(frame), page.total)
        if len(frame) and not (ids["$gte"] <= frame.index[0] and frame.index[-1] < ids.get("$lt", _BEYOND)):
            reason = f"the server sent rows up to {frame.index[-1]}, which are of other ranges"
        if reason:
            raise BadAnswer(f"{self.schema.name}, _id from {ids['$gte']}: {reason}")
        expected = self.empty()[list(columns)].dtypes
        found = _arrow(frame, fields)[list(columns)]
        for name in found.dtypes.index[found.dtypes != expected]:
            raise ValueError(_contradiction(self.schema.name, odd[odd["column"] == name].iloc[0]))
        return found

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows, with the dtypes of all."""
        return _arrow(Table(self.fields, stream=True).finish()[0], self.fields)[list(self.names)]


def _unasked(name: str) -> Schema:
    raise LookupError(f"{name}: paths were followed before the list was cut into ranges")


def _contradiction(schema: str, row: Any) -> Message:
    return Message(
        f"{schema} {row['_id']}: {row['column']!r} holds {row['value']!r}: {row['reason']}",
        Argument("fields", "leaves the column out"),
    )


def _arrow(frame: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Return a frame whose columns of objects are Arrow's, as in Parquet files; not those of a wrong type."""
    pa = optional("pyarrow", "dask")
    made = {}
    for field in fields:
        if frame[field.path].dtype != object:
            continue
        try:
            array = field.kind.to_arrow(frame[field.path], pa)
        except Contradiction:
            continue
        made[field.path] = pd.Series(arrow_column(array), index=frame.index)
    return frame.assign(**made)


@cache
def _introduce_lists() -> None:
    """Tell dask, in this process, what a column of lists may hold."""
    pa = optional("pyarrow", "dask")
    known = optional("dask.dataframe.extensions", "dask").make_array_nonempty
    known.register(ListDtype, lambda dtype: arrow_column(pa.array([[], []], type=dtype.pyarrow_dtype)))


@lru_cache(maxsize=8)
def _client(url: str, version: Any) -> Client:
    return Client(url, version, retries=_TRIES)

"""Tables to files, page by page: a million entities need no more memory than ten thousand.

A source is an endpoint, a snapshot or a frame. An endpoint is read while the file is written, in the order of
`_id`, so that two exports of unchanged data are the same bytes; a query with another `sort` is fetched first.
The file appears when it is complete and counted; else the old one stays.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy import Endpoint
from sispy.errors import BadAnswer
from sispy.text import printable

from ..formats import note as origin
from ..formats.atomic import replaced, replacing
from ..formats.cells import Style, write_column, write_heading
from ..formats.csv import write_columns
from ..formats.parquet import Writer
from ..reading.table import Table
from ..values.progress import bar
from ..values.records import records_of
from . import from_files as files
from .fetch import Listing, fetch
from .objects import Snapshot

if TYPE_CHECKING:
    import os

    from ..values.schema import Schema

Source = Endpoint | Snapshot | pd.DataFrame


def iter_frames(
    endpoint: Endpoint,
    query: Mapping[str, Any] | None = None,
    *,
    fields: Sequence[str] | None = None,
    rows: int = 10_000,
    meta: bool = False,
    progress: Any = False,
) -> Iterator[pd.DataFrame]:
    """Yield all entities that match as frames of some rows, each read when it is asked for.

    The dtypes of all frames are the same, and known from the schema: Numbers are always Float64. (A value
    that contradicts the definition still makes its column, in its frame, an object column.)

    Args:
        endpoint: Entities of a schema.
        query: As in `fetch`; a `sort` other than by `_id` is left to the server, and pages follow by offset.
        fields: As in `fetch`.
        rows: Rows per frame, or a few more; the last one has the rest.
        meta: Add the columns of `_sis`.
        progress: As in `fetch`.

    Raises:
        sispy.BadAnswer: After the last frame, if the rows are not as many as the server counts.

    Example:
        >>> sum(len(frame) for frame in iter_frames(client.entities("host"), rows=4))
        10
    """
    if rows < 1:
        raise ValueError(f"rows is 1 or more, got {rows}")
    listing = Listing.of(endpoint, query, fields)
    yield from _frames(listing, rows=rows, meta=meta, progress=progress, stream=True)


def to_csv(
    source: Source,
    path: str | os.PathLike[str],
    query: Mapping[str, Any] | None = None,
    *,
    fields: Sequence[str] | None = None,
    schema: Schema | None = None,
    meta: bool = False,
    tz: str | tzinfo = "UTC",
    bom: bool = False,
    delimiter: str = ",",
    progress: Any = True,
) -> int:
    """Write a table to a CSV file that can be edited anywhere and read back with `read_csv`.

    Beside it, a small `.meta.json` tells where it came from.

    Args:
        source: An endpoint, a snapshot or a frame.
        path: Of the file.
        query: Of an endpoint, as in `fetch`.
        fields: Of an endpoint, as in `fetch`.
        schema: Of a frame.
        meta: Write the columns of `_sis`, too.
        tz: Zone that times are shown in; every time carries its offset.
        bom: Begin with a byte order mark, by which Excel knows UTF-8.
        delimiter: Between cells.
        progress: Of an endpoint, as in `fetch`.

    Returns:
        The number of rows written.

    Example:
        >>> to_csv(live, "hosts.csv")
        10
        >>> sp.read_csv("hosts.csv", live.schema)["name"].tolist() == live.frame()["name"].tolist()
        True
    """
    found = _fetched_if_sorted(source, query, fields, progress)
    if not isinstance(found, Listing):
        files.to_csv(found, path, schema=schema, meta=meta, tz=tz, bom=bom, delimiter=delimiter)
        return len(found)
    style, path, started, rows = Style(files.zone_of(tz)), Path(path), datetime.now(UTC), 0
    with replaced(path, encoding="utf-8-sig" if bom else "utf-8") as file:
        names = ["_id", *found.names(meta=meta)]
        write_columns(file, [[write_heading(name)] for name in names], delimiter=delimiter)
        for frame in _frames(found, meta=meta, progress=progress):
            table = files.as_table(frame, schema=found.schema)
            texts = [write_column(field, cells, style) for field, cells in table]
            write_columns(file, texts, delimiter=delimiter)
            rows += len(frame)
        note = origin.origin(_hollow(found, query, started), zone=str(style.zone))
        origin.write_beside(path, note | {"rows": rows}, file)
    return rows


def to_ndjson(
    source: Source,
    path: str | os.PathLike[str],
    query: Mapping[str, Any] | None = None,
    *,
    fields: Sequence[str] | None = None,
    schema: Schema | None = None,
    meta: bool = False,
    progress: Any = True,
) -> int:
    """Write a table as JSON records, one per line, keys sorted.

    Args:
        source: An endpoint, a snapshot or a frame.
        path: Of the file.
        query: Of an endpoint, as in `fetch`.
        fields: Of an endpoint, as in `fetch`.
        schema: Of a frame, where it is needed.
        meta: Write all of `_sis`, not the time of the last change alone.
        progress: Of an endpoint, as in `fetch`.

    Returns:
        The number of rows written.

    Raises:
        ValueError: A frame without a schema.

    Example:
        >>> to_ndjson(live, "hosts.ndjson")
        10
        >>> len(pd.read_json("hosts.ndjson", lines=True))
        10
    """
    found, rows = _fetched_if_sorted(source, query, fields, progress), 0
    with replaced(Path(path)) as file:
        for known, frame in _parts(found, schema, meta=meta, progress=progress):
            for record in records_of(known, frame):
                text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                file.write(f"{text}\n")
            rows += len(frame)
    return rows


def to_parquet(
    source: Source,
    path: str | os.PathLike[str],
    query: Mapping[str, Any] | None = None,
    *,
    fields: Sequence[str] | None = None,
    schema: Schema | None = None,
    meta: bool = False,
    progress: Any = True,
) -> int:
    """Write a table to a Parquet file, for other programs: document arrays and Mixed are JSON text in it.

    Args:
        source: An endpoint, a snapshot or a frame.
        path: Of the file.
        query: Of an endpoint, as in `fetch`.
        fields: Of an endpoint, as in `fetch`.
        schema: Of a frame.
        meta: Write the columns of `_sis`, too.
        progress: Of an endpoint, as in `fetch`.

    Returns:
        The number of rows written.

    Raises:
        ImportError: pyarrow is missing.
        ValueError: A value contradicts the definition: a Parquet column has one type.

    Example:
        >>> to_parquet(live, "hosts.parquet")
        10
        >>> len(pd.read_parquet("hosts.parquet"))
        10
    """
    found, rows = _fetched_if_sorted(source, query, fields, progress), 0
    with replacing(Path(path)) as beside, Writer(beside) as writer:
        for known, frame in _parts(found, schema, meta=meta, progress=progress, stream=True):
            writer.write(files.as_table(frame, schema=known))
            rows += len(frame)
    return rows


def _fetched_if_sorted(
    source: Source, query: Mapping[str, Any] | None, fields: Sequence[str] | None, progress: Any
) -> Listing | Snapshot | pd.DataFrame:
    if not isinstance(source, Endpoint):
        if query is not None or fields is not None:
            raise ValueError("query and fields belong to an endpoint: a snapshot holds what was fetched")
        return source
    listing = Listing.of(source, query, fields)
    ordered = listing.query.sort in ((), (("_id", False),))
    return listing if ordered else fetch(source, query, fields=fields, progress=progress)


def _parts(
    found: Listing | Snapshot | pd.DataFrame,
    schema: Schema | None,
    *,
    meta: bool,
    progress: Any,
    stream: bool = False,
) -> Iterator[tuple[Schema, pd.DataFrame]]:
    """Yield the frames to write, with their schema."""
    if isinstance(found, Listing):
        for frame in _frames(found, meta=meta, progress=progress, stream=stream):
            yield found.schema, frame
    elif isinstance(found, Snapshot):
        yield found.schema, found.frame(meta=meta)
    elif schema is None:
        raise ValueError("a frame alone does not tell the types of its columns: give schema=snapshot.schema")
    else:
        yield schema, found


def _frames(
    listing: Listing, *, meta: bool, progress: Any, rows: int = 0, stream: bool = False
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a list in order, by default a page at a time; at least one frame, maybe empty."""
    size = -(-rows // -(-rows // 10_000)) if rows else None
    names, done, odd = listing.names(meta=meta), 0, 0
    shifts = listing.by_offset(stream=True)
    table = Table(listing.fields, stream=stream, shifts=shifts)
    with bar(progress, total=None, unit=" rows", desc=listing.schema.name) as shown:
        for page in listing.pages(stream=True, size=size):
            table.add(page.rows)
            shown.total = page.total
            shown.update(len(page.rows))
            if table.rows >= rows:
                frame, found = table.finish()
                done, odd = done + len(frame), odd + len(found)
                table = Table(listing.fields, stream=stream, shifts=shifts)
                yield frame[names]
    if table.rows or not done:
        frame, found = table.finish()
        done, odd = done + len(frame), odd + len(found)
        yield frame[names]
    reason = listing.difference(done, page.total)
    if reason:
        raise BadAnswer(f"{listing.schema.name}: {reason}")
    if odd:
        text = f"{listing.schema.name}: {odd} values contradict the definition; fetch() names them"
        warnings.warn(printable(text), stacklevel=4)


def _hollow(listing: Listing, query: Mapping[str, Any] | None, started: datetime) -> Snapshot:
    """Return a snapshot without rows, for what is written about a table beside its rows."""
    frame, odd = Table(listing.fields).finish()
    return Snapshot(
        listing.schema, listing.endpoint, dict(query or {}), listing.query.fields, started, odd, frame
    )

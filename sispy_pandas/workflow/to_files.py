"""Tables to files, page by page: a million entities need no more memory than ten thousand.

A source is an endpoint, a snapshot or a frame. An endpoint is read while the file is written, in the order of
`_id`, so that two exports of unchanged data are the same bytes; a query with another `sort` is fetched first.
The file appears when it is complete and counted; else the old one stays.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from sispy import Endpoint
from sispy.errors import BadAnswer
from sispy.remedies import Call, Message
from sispy.text import printable

from ..formats.atomic import OutFile
from ..formats.base import Outgoing
from ..formats.csv import Csv
from ..formats.excel import Excel
from ..formats.excel_write import write
from ..formats.ndjson import Ndjson
from ..formats.note import origin
from ..formats.options import WriteOptions, zone_of
from ..formats.parquet import Parquet
from ..reading.listing import Listing
from ..reading.query import as_query
from ..reading.table import Table
from ..values.arrow import described
from ..values.progress import bar
from ..values.row_set import RowSet
from .fetch import fetch
from .objects import Snapshot
from .references import LabelledSnapshot

if TYPE_CHECKING:
    import os

    from ..formats.base import Format
    from ..values.schema import Schema

Source = Endpoint | Snapshot | pd.DataFrame
Writable: TypeAlias = "str | os.PathLike[str] | IO[Any]"
"""A path, or an open file, which stays open."""


def iter_frames(
    endpoint: Endpoint,
    query: Mapping[str, Any] | str | None = None,
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


def iter_snapshots(
    endpoint: Endpoint,
    query: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    rows: int = 10_000,
    progress: Any = False,
) -> Iterator[Snapshot]:
    """Yield all entities that match as snapshots of some rows, each read when it is asked for.

    Edit a part's frame and yield its diff: `push_parts` then changes a table of any size, in the memory of
    one part, and every row is read once. Rows come in the order of `_id`, so what is written meanwhile,
    also to fields that the query asks for, neither hides nor doubles others.

    Args:
        endpoint: Entities of a schema.
        query: As in `fetch`, without `sort` and `offset`.
        fields: As in `fetch`.
        rows: Rows per snapshot, or a few more; the last one has the rest.
        progress: As in `fetch`.

    Raises:
        ValueError: A `sort` or an `offset`; or as in `fetch`.
        sispy.BadAnswer: After the last part, if the rows are not as many as the server counts.

    Example:
        >>> parts = iter_snapshots(client.entities("host"), rows=4)
        >>> [len(part.diff(part.frame().assign(notes="read once"))) for part in parts]
        [4, 4, 2]
    """
    if rows < 1:
        raise ValueError(f"rows is 1 or more, got {rows}")
    listing = Listing.of(endpoint, query, fields)
    if listing.by_offset(stream=True):
        raise ValueError("rows are read in the order of _id: leave sort and offset out of the query")
    started = datetime.now(UTC)
    *shown, receipt = listing.names(meta=False)
    names = [*shown, *(name for name in listing.names() if name not in (*shown, receipt)), receipt]
    for frame, odd in _tables(listing, rows=rows, progress=progress, stream=True):
        yield Snapshot(
            schema=listing.schema,
            endpoint=endpoint,
            query=as_query(query),
            fields=listing.query.fields,
            fetched_at=started,
            warnings=odd,
            _frame=frame[names],
        )
        started = datetime.now(UTC)


def to_csv(
    source: Source,
    path: Writable,
    query: Mapping[str, Any] | str | None = None,
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

    Beside it, a small `.meta.json` tells where it came from. What is called `.gz` is packed.

    Args:
        source: An endpoint, a snapshot or a frame.
        path: Of the file, or an open file.
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
    options = WriteOptions(zone_of(tz), bom, delimiter, meta)
    return write_file(source, path, Csv(), options, query, fields=fields, schema=schema, progress=progress)


def to_ndjson(
    source: Source,
    path: Writable,
    query: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    schema: Schema | None = None,
    meta: bool = False,
    progress: Any = True,
) -> int:
    """Write a table as JSON records, one per line, keys sorted; `read_ndjson` reads them back.

    Beside it, a small `.meta.json` tells where it came from. What is called `.gz` is packed.

    Args:
        source: An endpoint, a snapshot or a frame.
        path: Of the file, or an open file.
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
    options = WriteOptions(meta=meta)
    return write_file(source, path, Ndjson(), options, query, fields=fields, schema=schema, progress=progress)


def to_parquet(
    source: Source,
    path: Writable,
    query: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    schema: Schema | None = None,
    meta: bool = False,
    progress: Any = True,
) -> int:
    """Write a table to a Parquet file, for other programs: document arrays and Mixed are JSON text in it.

    Where it came from is in the file's metadata; `read_parquet` reads it back.

    Args:
        source: An endpoint, a snapshot or a frame.
        path: Of the file, or an open file.
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
    options = WriteOptions(meta=meta)
    return write_file(
        source, path, Parquet(), options, query, fields=fields, schema=schema, progress=progress
    )


def to_excel(
    source: Endpoint | Snapshot | pd.DataFrame | Sequence[Snapshot] | Mapping[str, Snapshot | pd.DataFrame],
    path: Writable,
    *,
    schema: Schema | None = None,
    meta: bool = False,
    tz: str | tzinfo = "UTC",
    choices: Mapping[str, Sequence[str]] | None = None,
    explode: Sequence[str] = (),
    progress: Any = True,
) -> int:
    """Write tables to an Excel workbook that can be edited for days and read back with `read_excel`.

    Ids, receipts and the rows as they were exported are hidden in it, so that a stale workbook merges
    exactly. Enums, booleans and references get dropdowns, bounds are checked, headers explain their field.
    Nothing is protected: rows may be sorted, filtered, added and marked for deletion in `_delete`.

    Args:
        source: A snapshot, a frame of one, an endpoint, which is fetched first, or several: a list of
            snapshots, or sheet name -> snapshot or frame.
        path: Of the file, which appears when it is complete; or an open file.
        schema: Of a frame.
        meta: Write the columns of `_sis`, too, where a source is a snapshot.
        tz: Zone that times are shown in; the header names it.
        choices: Column -> texts of its dropdown, besides those of enums, booleans and references by label.
        explode: Arrays of snapshots whose members get a sheet of their own, a row each; there they are
            edited, and `read_excel` puts them back.
        progress: Of the fetch of an endpoint, as for `fetch`.

    Returns:
        The number of rows of the tables.

    Raises:
        ValueError: More rows or columns than a workbook has, a name that no sheet or no workbook can have.
        FileNotFoundError: There is no such folder.
        ImportError: XlsxWriter is missing.

    Example:
        >>> to_excel(live, "hosts.xlsx")
        10
        >>> live.diff(sp.read_excel("hosts.xlsx", live.schema)).empty
        True
    """
    form, file = Excel(), OutFile.of(path)
    form.refuse(file)
    options = WriteOptions(zone_of(tz), meta=meta, explode=explode)
    found = fetch(source, progress=progress) if isinstance(source, Endpoint) else source
    return write(file, [_whole(name, one, schema, choices) for name, one in _named(found, schema)], options)


def write_file(
    source: Source,
    path: Writable | OutFile,
    form: Format,
    options: WriteOptions,
    query: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    schema: Schema | None = None,
    progress: Any = True,
) -> int:
    """Write a table to a file of any format; for arguments and errors see `to_csv` and the others."""
    file = OutFile.of(path)
    form.refuse(file)
    found, started = (
        _fetched_if_sorted(source, query, fields, progress, whole=form.is_whole),
        datetime.now(UTC),
    )
    if form.is_whole and not isinstance(found, Listing):
        (name, one), *_ = _named(found, schema)
        return form.write(file, _whole(name, one, schema), options)
    known = _without_rows(found, query, started) if isinstance(found, Listing) else found
    note = origin(known, zone=str(options.zone)) if isinstance(known, RowSet) else None
    known_schema = known.schema if isinstance(known, RowSet) else schema
    name = known_schema.name if known_schema else ""
    with closing(_parts(found, meta=options.meta, progress=progress, stream=form.has_one_dtype)) as parts:
        return form.write(file, Outgoing(name, known_schema, parts, note), options)


def _named(source: Any, schema: Schema | None) -> list[tuple[str, Any]]:
    if isinstance(source, Mapping):
        return list(source.items())
    if isinstance(source, pd.DataFrame):
        return [(schema.name if schema else "Sheet1", source)]
    snapshots = list(source) if isinstance(source, Sequence) else [source]
    for snapshot in snapshots:
        _refuse_other(snapshot)
    return [(snapshot.schema.name, snapshot) for snapshot in snapshots]


def _refuse_other(source: object) -> None:
    if not isinstance(source, RowSet | pd.DataFrame):
        raise TypeError(f"a file is made of a snapshot, a frame or an endpoint, got {described(source)}")


def _whole(
    name: str, source: Any, schema: Schema | None, choices: Mapping[str, Sequence[str]] | None = None
) -> Outgoing:
    if not isinstance(source, LabelledSnapshot):
        return Outgoing(name, schema, source=source, choices=choices or {})
    both = {**source.choices(), **(choices or {})}
    return Outgoing(name, schema, source=source, plain=source.plain, choices=both)


def _fetched_if_sorted(
    source: Source,
    query: Mapping[str, Any] | str | None,
    fields: Sequence[str] | None,
    progress: Any,
    *,
    whole: bool,
) -> Listing | Snapshot | pd.DataFrame:
    if not isinstance(source, Endpoint):
        if query is not None or fields is not None:
            raise ValueError("query and fields belong to an endpoint: a snapshot holds what was fetched")
        _refuse_other(source)
        return source
    listing = Listing.of(source, query, fields)
    streamed = not whole and listing.query.sort in ((), (("_id", False),))
    return listing if streamed else fetch(source, query, fields=fields, progress=progress)


def _parts(
    found: Listing | Snapshot | pd.DataFrame, *, meta: bool, progress: Any, stream: bool
) -> Generator[pd.DataFrame, None, None]:
    """Yield the frames to write, one below the other."""
    if isinstance(found, Listing):
        yield from _frames(found, meta=meta, progress=progress, stream=stream)
    else:
        yield found.frame(meta=meta) if isinstance(found, Snapshot) else found


def _frames(
    listing: Listing, *, meta: bool, progress: Any, rows: int = 0, stream: bool = False
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a list in order, by default a page at a time; at least one frame, maybe empty."""
    names, odd = listing.names(meta=meta), 0
    for frame, found in _tables(listing, progress=progress, rows=rows, stream=stream):
        odd += len(found)
        yield frame[names]
    if odd:
        text = f"{printable(listing.schema.name)}: {odd} values contradict the definition"
        warnings.warn(Message(text, Call("sp.fetch(...).warnings", "names them")), stacklevel=4)


def _tables(
    listing: Listing, *, progress: Any, rows: int = 0, stream: bool = False
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield the rows of a list as frames with all of its columns, each with what was odd in it."""
    size, done = -(-rows // -(-rows // 10_000)) if rows else None, 0
    shifts = listing.by_offset(stream=True)
    table = Table(listing.fields, stream=stream, shifts=shifts)
    with bar(progress, total=None, unit=" rows", desc=listing.schema.name) as shown:
        for page in listing.pages(stream=True, size=size):
            table.add(page.rows)
            shown.total = page.total
            shown.update(len(page.rows))
            if table.rows >= rows:
                made = table.finish()
                done += len(made[0])
                table = Table(listing.fields, stream=stream, shifts=shifts)
                yield made
                del made  # before the next one is gathered
    if table.rows or not done:
        frame, found = table.finish()
        done += len(frame)
        yield frame, found
    reason = listing.difference(done, page.total)
    if reason:
        raise BadAnswer(f"{listing.schema.name}: {reason}")


def _without_rows(listing: Listing, query: Mapping[str, Any] | str | None, started: datetime) -> RowSet:
    """Return a set without rows, for what is written about a table beside its rows."""
    frame, odd = Table(listing.fields).finish()
    return RowSet(
        listing.schema, listing.endpoint, as_query(query), listing.query.fields, started, odd, frame
    )

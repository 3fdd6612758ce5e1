"""Entities to frames: all that match, with the dtypes of the schema."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sispy.remedies import no_list

from ..reading.expand import expand as expanded
from ..reading.listing import Listing
from ..reading.query import as_query
from ..reading.table import Table, sort_frame, sorts_here, warnings_frame
from ..values.extras import no_collection
from ..values.progress import bar
from ..values.schema import RECEIPT
from .objects import Snapshot
from .references import labelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sispy import Endpoint


def fetch(
    endpoint: Endpoint,
    query: Mapping[str, Any] | str | None = None,
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
        query: A filter such as "status = live and hardware.cores >= 8", see `where`; or `q`, `fields`,
            `sort`, `limit`, `offset` as in `endpoint.fetch_all`, where `q` may be a filter, too.
        fields: Dotted paths of the columns wanted; nothing else travels. `_sis.owner` and its like count.
        expand: Columns of referenced entities to add, such as "rack.site.name" or, through an array of
            references, "services.name"; for reading only, `diff` leaves them out.
        refs: "id": references are ids. "label": frames show, and `diff` takes, the id field of the row that
            is referred to; column -> field: that field of it, in those columns alone.
        progress: True: a bar on stderr or in the notebook; False: none; a function of (done, total), or an
            object with `update(n)`.

    Raises:
        ValueError: No such schema or field, an unknown operator or a value that the server would not find:
            none of the field's type or, in a filter, one that its enum does not list and no row has. (In the
            `q` of a dict that is a warning.)
        TypeError: Something else than an endpoint, a query or a list.
        sispy.Error: The server could not be reached, or refused.

    Example:
        >>> snapshot = fetch(client.entities("host"), "status = live", progress=False)
        >>> frame = snapshot.frame()
    """
    if isinstance(expand, str):
        raise no_list("expand", expand)
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
        for page in listing.watched(shown).pages():
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
        query=as_query(query),
        fields=listing.query.fields,
        fetched_at=started,
        warnings=warnings,
        _frame=frame if list(frame.columns) == names else frame[names],  # to choose columns copies them
        expanded=tuple(extra),
    )
    if refs == "id":
        return snapshot
    return labelled(snapshot, refs)

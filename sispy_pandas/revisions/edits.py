"""All cells that were changed in a span of time, and by whom; revert.py puts them back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import Argument, Message, no_list
from sispy.text import SENTENCE, in_html, shorten

from ..reading.chunks import queries
from ..reading.commits import Edit, Step, edits, steps_since
from ..reading.listing import Listing
from ..reading.lookup import each, rows_of
from ..values.blocks import count
from ..values.extras import no_collection
from ..values.preview import preview
from ..values.records import table
from ..values.times import milliseconds_of, times
from ..workflow.objects import Snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import tzinfo

    from sispy import Endpoint

    from ..values.schema import Schema
    from ..values.times import When

_URL = 6_000
_COLUMNS = ("_id", "key", "field", "before", "after", "by", "at")


@dataclass(frozen=True, eq=False)
class Changes:
    """Cells that were changed in a span of time, the newest first.

    It has a length (the cells), `frame()` and `summary()`; `sp.revert(changes)` makes the plan that puts them
    back. Narrow it by `only`.

    Example:
        >>> changes = sp.changes(hosts, since="2020-01-01T00:00Z", progress=False)
        >>> list(changes.frame().columns)
        ['_id', 'key', 'field', 'before', 'after', 'by', 'at']
    """

    endpoint: Endpoint
    schema: Schema
    edits: tuple[Edit, ...]
    """The cells that were asked for."""
    history: Mapping[str, tuple[Step, ...]]
    """`_id` -> all commits of the row since the beginning of the span until it was read, the newest first:
    those of others and later ones too."""
    notes: tuple[str, ...] = ()
    """What a reader has to know: rows whose history is incomplete, deleted rows that were not looked for."""

    def __len__(self) -> int:
        return len(self.edits)

    def __repr__(self) -> str:
        rows = len({edit.id for edit in self.edits})
        people = Counter(edit.by for edit in self.edits).most_common(5)
        names = ", ".join(f"{name} ({cells:,})" for name, cells in people)
        head = f"{self.schema.name}: {count(len(self), 'cell')} of {count(rows, 'row')} changed"
        head += f" by {names}" if names else ""
        return "\n".join(shorten(line, SENTENCE) for line in (head, *self.notes))

    def _repr_html_(self) -> str:
        lines = "<br>".join(map(in_html, repr(self).splitlines()))
        return f"<p>{lines}</p>{preview(self.summary(), 20)}"

    def frame(self) -> pd.DataFrame:
        """Return one line per changed cell: _id, key, field, before, after, by, at (UTC)."""
        rows = [(e.id, e.key, e.field, e.before, e.after, e.by, e.at) for e in self.edits]
        frame = table(rows, _COLUMNS)
        frame["at"] = times([e.at for e in self.edits])
        return frame

    def summary(self) -> pd.DataFrame:
        """Return how many cells and rows each user changed in each minute, by field, in order of time."""
        cells: Counter[tuple[int, str, str, str]] = Counter()
        rows: dict[tuple[int, str, str, str], set[str]] = {}
        for e in self.edits:
            group = (e.at // 60_000 * 60_000, e.by, e.action, e.field)
            cells[group] += 1
            rows.setdefault(group, set()).add(e.id)
        groups = sorted(cells)
        frame = table(
            [
                (by, minute, path, action, cells[g], len(rows[g]))
                for g in groups
                for minute, by, action, path in [g]
            ],
            ("by", "minute", "field", "action", "cells", "rows"),
        )
        frame["minute"] = times([g[0] for g in groups])
        return frame.astype({"cells": "int64", "rows": "int64"})

    def only(
        self,
        *,
        by: str | Collection[str] | None = None,
        fields: Collection[str] | None = None,
        ids: Collection[str] | None = None,
        since: When | None = None,
        until: When | None = None,
        tz: str | tzinfo | None = None,
    ) -> Changes:
        """Return the cells that these people changed, in these fields and rows, in this span (both ends in).

        Raises:
            ValueError: An unknown field; a time without zone.
        """
        chosen = _Choice.of(self.schema, by=by, fields=fields, since=since, until=until, tz=tz)
        wanted = None if ids is None else set(ids)
        kept = (e for e in self.edits if chosen.has(e) and (wanted is None or e.id in wanted))
        return replace(self, edits=tuple(kept))


@no_collection()  # the commits of thousands of rows and no cycle among them
def changes(
    endpoint: Endpoint,
    *,
    since: When,
    until: When | None = None,
    by: str | Collection[str] | None = None,
    fields: Collection[str] | None = None,
    query: Mapping[str, Any] | str | None = None,
    known: Snapshot | pd.DataFrame | Iterable[str] | None = None,
    tz: str | tzinfo | None = None,
    progress: Any = True,
) -> Changes:
    """Return all cells changed in a span of time, of rows that are still there.

    It costs one list of the rows that were written since, and one request for the commits of each. Rows that
    were deleted since are found only among those of an older export, `known`. Changes of owners, tags and
    locks leave no trace.

    Args:
        endpoint: Entities of a schema: `client.entities("host")`.
        since: From this time on: aware datetime, ISO text with zone, ms since 1970, or a timedelta ago.
        until: Up to this time; None: now.
        by: Only what this user, or one of these, has changed.
        fields: Only these fields.
        query: Only rows that match today, and those of `known` that are gone: a filter or `{"q": {...}}`.
        known: An older export (Snapshot, frame) or ids: those of its rows that are gone are looked up too.
        tz: Zone of times that name none.
        progress: As in `fetch`.

    Raises:
        ValueError: A time names no zone, an unknown field, the schema keeps no history.
        sispy.Error: The server could not be asked.

    Example:
        >>> found = changes(client.entities("host"), since="2001-01-01T00:00Z", progress=False)
        >>> found.summary().columns.tolist()
        ['by', 'minute', 'field', 'action', 'cells', 'rows']
    """
    listing = Listing.of(endpoint, query)
    schema = listing.schema
    if not schema.track_history:
        raise ValueError(f"schema {schema.name!r} does not keep history (track_history is off)")
    chosen = _Choice.of(schema, by=by, fields=fields, since=since, until=until, tz=tz)
    start = milliseconds_of(since, tz=tz)
    current = _written_since(endpoint, start, listing.query.q)
    gone = _gone(endpoint, known, current) if known is not None else []
    notes: list[str] = []
    if known is None:
        notes.append(
            Message("rows deleted since are not looked for", Argument("known", "takes an older export"))
        )
    rows: list[str] = [*current, *gone]

    def steps_of(watched: Endpoint, id_: str) -> tuple[Step, ...] | str:
        return steps_since(watched, id_, current.get(id_), start)

    history: dict[str, tuple[Step, ...]] = {}
    unclear: list[str] = []
    for id_, steps in each(endpoint, steps_of, rows, progress=progress, desc=f"{schema.name} commits"):
        if isinstance(steps, str):
            unclear.append(id_)
        elif steps:
            history[id_] = steps
    if unclear:
        notes.append(
            f"left out: {count(len(unclear), 'row')} whose history does not lead to what is stored, "
            f"such as {', '.join(unclear[:5])}"
        )
    found = [
        edit
        for steps in history.values()
        for step in steps
        if chosen.of_time(step)
        for edit in edits(schema, step)
    ]
    kept = sorted((edit for edit in found if chosen.has(edit)), key=lambda edit: -edit.at)
    return Changes(endpoint, schema, tuple(kept), history, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which changes are meant."""

    by: frozenset[str] | None
    fields: frozenset[str] | None
    since: int | None
    until: int | None

    @classmethod
    def of(
        cls,
        schema: Schema,
        *,
        by: str | Collection[str] | None,
        fields: Collection[str] | None,
        since: When | None,
        until: When | None,
        tz: str | tzinfo | None,
    ) -> _Choice:
        if isinstance(fields, str):
            raise no_list("fields", fields)
        return cls(
            None if by is None else frozenset([by] if isinstance(by, str) else by),
            None if fields is None else frozenset(schema.field(path).path for path in fields),
            None if since is None else milliseconds_of(since, tz=tz),
            None if until is None else milliseconds_of(until, tz=tz),
        )

    def of_time(self, one: Step | Edit) -> bool:
        return (self.since is None or one.at >= self.since) and (self.until is None or one.at <= self.until)

    def has(self, edit: Edit) -> bool:
        return (
            self.of_time(edit)
            and (self.by is None or edit.by in self.by)
            and (self.fields is None or edit.field in self.fields)
        )


def _written_since(endpoint: Endpoint, start: int, q: Any) -> dict[str, dict[str, Any]]:
    """Read the rows that were written since, by `_id`."""
    late: dict[str, Any] = {"_sis._updated_at": {"$gte": start}}
    asked = {"q": {"$and": [q, late]} if q else late, "populate": False}
    return {row["_id"]: row for page in endpoint.pages(asked) for row in rows_of(page)}


def _gone(
    endpoint: Endpoint, known: Snapshot | pd.DataFrame | Iterable[str], current: Mapping[str, Any]
) -> list[str]:
    """Return those of the known ids that have no row any more."""
    ids: Iterable[Any]
    if isinstance(known, pd.DataFrame):
        ids = known.index if known.index.name == "_id" else known["_id"]
    else:
        ids = known.ids if isinstance(known, Snapshot) else known
    left = {str(id_) for id_ in ids} - current.keys()
    for q, _ in queries("_id", sorted(left), url=_URL):
        found = endpoint.fetch_page({"q": q, "fields": "_id", "populate": False, "limit": 10_000})
        left.difference_update(row["_id"] for row in rows_of(found))
    return sorted(left)

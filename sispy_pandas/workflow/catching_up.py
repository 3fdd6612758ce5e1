"""What was written to a table, or deleted from it, since its mirror was brought up to date.

Written since is each row whose `_sis._updated_at` is later than the newest one that the server had when the
run before began, less ten minutes: that much the clocks of its processes may differ, and a write may take.
(Rows that are read again as they were do no harm.) What was deleted is found by counts: where the server
counts other rows in a range of `_id` than are known, its slices are counted, and then their ids compared.
Rows above the last known `_id` are read like a new table. In memory are the rows of one or two files.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sispy.errors import BadAnswer

from ..formats.generations import Generation
from ..formats.note import origin
from ..formats.parquet import arrow_table
from ..reading.chunks import queries
from ..reading.decode import Decoder
from ..reading.pages import by_key
from ..reading.table import Table
from ..values.extras import optional
from ..values.row_set import RowSet
from ..values.schema import RECEIPT, parse_schema

if TYPE_CHECKING:
    from ..formats.generations import Part, Store, Writer
    from ..reading.listing import Listing
    from ..values.progress import Bar

OVERLAP = 600_000
"""Milliseconds by which what was written since begins before the newest row that was known."""
SLICE = 2_500
"""Rows of which the server is asked for the ids, where it counts others than are known."""
_NEWEST = 50
"""Rows that are asked for whether they are older than they were."""
_URL = 6_000
"""Bytes of a request that asks for ids; with some more the server answers 431 (SIS-API 14)."""
_WRITTEN = f"_sis.{RECEIPT.path}"


class Run:
    """One run: brings a mirror up to date, and counts what that took.

    Args:
        listing: What the mirror holds.
        asked: What it was asked for with, which the mirror remembers.
        shown: Is told how many rows were read.
    """

    def __init__(self, listing: Listing, asked: Mapping[str, Any], shown: Bar) -> None:
        self._listing, self._asked, self._shown = listing, asked, shown
        self._names = listing.names(meta=asked["meta"])
        self._stamp = _stamp(listing)
        self._expected = 0
        self.fetched = self.added = self.changed = self.deleted = 0
        """Rows."""
        self.bytes: int = 0
        """Of answers that hold rows or ids."""
        self.written: int = 0
        """Files."""

    def why_all(self, before: Generation | None) -> str | None:
        """Return why all rows have to be fetched; None: it is enough to fetch those written since."""
        if before is None:
            return "the first run"
        if self._stamp is None or before.stamp != self._stamp:
            return "the definition was written since"
        if not before.is_whole():
            return "files were missing or damaged"
        if self._went_back(before):
            return "the server has older rows than it had"
        return None

    def done(self, store: Store, before: Generation | None, why: str | None) -> Generation:
        """Bring the mirror up to date, and return its generation.

        Args:
            store: Where it is kept.
            before: Its present generation.
            why: Not None: all rows are fetched.

        Raises:
            sispy.BadAnswer: The rows are not those that the server counts.
            ValueError: A value contradicts the definition.
        """
        started, since = datetime.now(UTC), self._newest()
        note, empty = self._empty(started)
        try:
            writer = store.begin(note, empty)
            above: dict[str, Any] = {}
            if before is not None and before.parts and not why:
                self._go_over(before, writer)
                above = {"_id": {"$gt": before.parts[-1].last}}
            for table in self._tables(above):
                self.added += table.num_rows
                writer.add(table)
            parts = writer.finish()
            self.written = writer.written
            if before is not None and parts == before.parts:
                now = replace(before, note=note, since=since, stamp=self._stamp)
                store.describe(now)
            else:
                now = Generation(writer.path, note, self._asked, since, self._stamp, parts)
                store.switch(now)
        finally:
            store.tidied()
        return now

    def _empty(self, started: datetime) -> tuple[dict[str, Any], Any]:
        """Return the note of the mirror, and its table of Arrow without a row."""
        listing = self._listing
        frame, odd = Table(listing.fields, stream=True).finish()
        query = {"q": self._asked["q"]} if self._asked["q"] else {}
        rows = RowSet(listing.schema, listing.endpoint, query, listing.query.fields, started, odd, frame)
        note = {key: value for key, value in origin(rows, zone="UTC").items() if key != "rows"}
        return note, arrow_table(frame[self._names], listing.schema)

    def _newest(self) -> int | None:
        """Return the time of the row that was written last; None: there is none.

        An earlier time does no harm, a later one than now would: the clock of a server may have been wrong.
        """
        times = self._times({"q": self._listing.query.q or None, "sort": f"-{_WRITTEN}", "limit": 1})
        return min(*times.values(), int(time.time() * 1000)) if times else None

    def _went_back(self, before: Generation) -> bool:
        """Return whether rows that were the last to be written are older now: a backup was put back."""
        newest = (part.newest for part in before.parts if part.newest)
        known = sorted(newest, key=lambda row: -row[1])[:_NEWEST]
        if not known:
            return False
        times = self._times({"q": {"_id": {"$in": [id_ for id_, _ in known]}}})
        return any(times.get(id_, written) < written for id_, written in known)

    def _go_over(self, before: Generation, writer: Writer) -> None:
        """Take over all files, with what was written or deleted in their ranges since."""
        conditions: list[Mapping[str, Any]] = [{"_id": {"$lte": before.parts[-1].last}}]
        if before.since is not None:
            conditions.append({_WRITTEN: {"$gt": before.since - OVERLAP}})
        written = _Ahead(self._tables(*conditions))
        for part, following in zip(before.parts, [*before.parts[1:], None], strict=True):
            ids = {"$gte": part.first} if part is not before.parts[0] else {}
            ids |= {"$lt": following.first} if following else {"$lte": part.last}
            self._take(before, part, ids, written.take(ids.get("$lt")), writer)

    def _take(
        self, before: Generation, part: Part, ids: Mapping[str, str], written: Any, writer: Writer
    ) -> None:
        """Write the rows of a file as they are now, or keep it.

        Args:
            before: Has the file.
            part: The file.
            ids: Its range of `_id`.
            written: The rows in it that were written since, None without any.
            writer: Takes it.
        """
        if written is None and self._count(ids) == part.rows:
            writer.keep(before, part)
            return
        old = before.read(part)
        new = [] if written is None else [_differing(written, old)]
        now = _merged(old, new)
        gone: set[str] = set()
        if self._count(ids) != now.num_rows:
            gone, missing = self._compared(ids, now["_id"].to_pylist())
            for q, _ in queries("_id", sorted(missing), url=_URL):
                new += self._tables(q)
            now = _without(_merged(old, new), gone)
        if not gone and not sum(table.num_rows for table in new):
            writer.keep(before, part)
            return
        was, is_ = set(old["_id"].to_pylist()), set(now["_id"].to_pylist())
        self.added += len(is_ - was)
        self.deleted += len(was - is_)
        self.changed += len({id_ for table in new for id_ in table["_id"].to_pylist()} & was & is_)
        writer.add(now)

    def _compared(self, ids: Mapping[str, str], known: list[str]) -> tuple[set[str], set[str]]:
        """Return which ids of a range the server has no more, and which it has that are not known.

        Args:
            ids: The range.
            known: All known ids in it, sorted.
        """
        gone: set[str] = set()
        missing: set[str] = set()
        for start in range(0, max(len(known), 1), SLICE):
            here, following = known[start : start + SLICE], known[start + SLICE : start + SLICE + 1]
            within = {**ids, "$gte": here[0]} if start else dict(ids)
            if following:
                within = {**within, "$lt": following[0]}
                within.pop("$lte", None)
            if self._count(within) != len(here):
                there = self._ids(within)
                gone |= set(here) - there
                missing |= there - set(here)
        return gone, missing

    # What is asked of the server

    def _tables(self, *conditions: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the rows that meet conditions, in the order of `_id`, as tables of Arrow; each has some.

        Raises:
            BadAnswer: After the last one, if they are not as many as the server counts.
        """
        listing = replace(self._listing, query=self._listing.query.narrowed(*conditions))
        done, told = 0, False
        for page in listing.pages(stream=True):
            if not told:
                self._expected += page.total or 0
                self._shown.total, told = self._expected, True
            table = Table(listing.fields, stream=True)
            table.add(page.rows)
            frame, _ = table.finish()
            done += len(frame)
            self.fetched += len(frame)
            self.bytes += page.size
            self._shown.update(len(frame))
            if len(frame):
                yield arrow_table(frame[self._names], listing.schema)
        reason = listing.difference(done, page.total)
        if reason:
            raise BadAnswer(f"{listing.schema.name}: {reason}; the mirror stays as it was")

    def _times(self, query: Mapping[str, Any]) -> dict[str, int]:
        """Return when the rows of a query were written last, by `_id`."""
        page = self._listing.endpoint.fetch_page({**query, "fields": _WRITTEN, "populate": False})
        times = {row["_id"]: (row.get("_sis") or {}).get(RECEIPT.path) for row in page}
        return {id_: written for id_, written in times.items() if isinstance(written, int)}

    def _count(self, ids: Mapping[str, str]) -> int:
        return self._listing.endpoint.count(self._listing.query.narrowed({"_id": ids}).q)

    def _ids(self, ids: Mapping[str, str]) -> set[str]:
        """Return the ids that the server has in a range."""
        asked = {"q": self._listing.query.narrowed({"_id": ids}).q, "fields": "_id", "populate": False}
        found: set[str] = set()
        for page in by_key(self._listing.endpoint.raw_page, Decoder(()), asked, limit=None, lanes=1):
            self.bytes += page.size
            found.update(id_ for rows in page.rows.blocks() for id_ in rows.columns["_id"])
        return found


def _stamp(listing: Listing) -> Any:
    """Return the stamp of the definition that tells a later change: rows do not tell of a removed field.

    It is asked for after the definition was read; None if that is an old one by now.
    """
    document = listing.endpoint.client.schemas.get(listing.schema.name).to_dict()
    if parse_schema(document).hash != listing.schema.hash:
        return None
    return [document.get("_id"), (document.get("_sis") or {}).get(RECEIPT.path), listing.schema.hash]


class _Ahead:
    """Tables in the order of `_id`, taken range by range."""

    def __init__(self, tables: Iterator[Any]) -> None:
        self._tables = tables
        self._rows: Any = None
        """What was read and belongs to a range further on."""

    def take(self, below: str | None) -> Any:
        """Return the rows below an `_id`, or all that are left; None if there are none."""
        pa, compute = optional("pyarrow", "fast"), optional("pyarrow.compute", "fast")
        found = []
        while (rows := next(self._tables, None) if self._rows is None else self._rows) is not None:
            ids = rows["_id"]
            many = len(ids) if below is None else compute.sum(compute.less(ids, below)).as_py()
            found += [rows.slice(0, many)] if many else []
            self._rows = rows.slice(many) if many < len(ids) else None
            if self._rows is not None:
                break
        return pa.concat_tables(found) if found else None


def _differing(written: Any, old: Any) -> Any:
    """Return those of the rows written since that are not the same as before."""
    pa = optional("pyarrow", "fast")
    there = _with(written, old["_id"])
    before = _with(old, there["_id"])
    times = zip(there[RECEIPT.path].to_pylist(), before[RECEIPT.path].to_pylist(), strict=True)
    alike = pa.array([now == then for now, then in times], type=pa.bool_())  # writes may share a millisecond
    pairs = zip(there.filter(alike).to_pylist(), before.filter(alike).to_pylist(), strict=True)
    return _without(written, {now["_id"] for now, then in pairs if now == then})


def _merged(old: Any, new: list[Any]) -> Any:
    """Return a table with rows put in the place of those of the same `_id`, and others added."""
    pa = optional("pyarrow", "fast")
    for table in new:
        old = pa.concat_tables([_without(old, table["_id"].to_pylist()), table])
    return old.unify_dictionaries().sort_by("_id") if new else old


def _with(table: Any, ids: Any) -> Any:
    compute = optional("pyarrow.compute", "fast")
    return table.filter(compute.is_in(table["_id"], value_set=ids.combine_chunks()))


def _without(table: Any, ids: Collection[str]) -> Any:
    pa, compute = optional("pyarrow", "fast"), optional("pyarrow.compute", "fast")
    value_set = pa.array(list(ids), type=table.schema.field("_id").type)
    return table.filter(compute.invert(compute.is_in(table["_id"], value_set=value_set)))

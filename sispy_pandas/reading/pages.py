"""Pages of a list, downloaded ahead of the decoder.

Without sort and offset the rows are paged by key, in up to two ranges of `_id` side by side: what others
insert or delete meanwhile neither hides nor doubles a row that exists throughout.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.errors import BadAnswer
from sispy.paging import MAX_PAGE, is_last, last_id, within

if TYPE_CHECKING:
    from sispy import RawPage

    from .decode import Body, Decoder

HEED = 0.5
"""Seconds after which a waiting thread looks for signals: one right before a wait does not end it."""

Ask = Callable[[Mapping[str, Any]], "RawPage"]
"""Sends one query and returns the undecoded page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page and where it belongs."""

    slot: tuple[int, int]
    rows: Body
    size: int
    """Bytes of its body."""
    total: int | None
    """Rows that the server counted for the whole list when the first page was read; None: it did not."""


def by_key(
    ask: Ask,
    decoder: Decoder,
    query: Mapping[str, Any],
    *,
    limit: int | None,
    lanes: int,
    size: int | None = None,
) -> Iterator[Page]:
    """Yield all pages, ordered by `_id` within each of the lanes.

    Args:
        ask: See `Ask`.
        decoder: Of the pages.
        query: `q`, `fields` and `populate`.
        limit: Most rows wanted; with one there is a single lane.
        lanes: Ranges that are downloaded side by side; 1 keeps all pages in order.
        size: Rows per page; None for the most.

    Raises:
        sispy.BadAnswer: The server repeats rows, or does not sort them: there would be no end.
    """
    size = size or MAX_PAGE  # smaller ones cost the server more

    def most(done: int) -> int:
        return size if limit is None else min(size, limit - done)

    raw = ask(within(query, {}, most(0)))
    rows = decoder.open(raw.body)
    total = raw.total_count
    first = Page((0, 0), rows, len(raw.body), total)
    if is_last(len(rows), total, most(0)) or (limit and len(rows) >= limit):
        yield first
        return
    after: dict[str, Any] = {"$gt": last_id(rows.bounds)}
    ranges = [after]
    if lanes > 1 and limit is None and total is not None and total - len(rows) > size:
        middle = len(rows) + (total - len(rows)) // 2
        asked = {**within(query, {}, 1), "offset": middle, "fields": "_id"}
        probe = decoder.open(ask(asked).body)
        if len(probe) and (bound := probe.bounds[-1]) > after["$gt"]:
            ranges = [{**after, "$lt": bound}, {"$gte": bound}]
    with Downloads(ask, len(ranges)) as downloads:
        for lane, conditions in enumerate(ranges):
            downloads.put((lane, 1, conditions), within(query, conditions, most(len(rows))))
        yield first
        running, done = len(ranges), len(rows)
        while running:
            (lane, number, conditions), raw = downloads.get()
            rows = decoder.open(raw.body)
            done += len(rows)
            last = last_id(rows.bounds, conditions.get("$gt", "")) if len(rows) else None
            if is_last(len(rows), raw.total_count, size) or (limit and done >= limit):
                running -= 1
            else:  # asked for before the rows are used: the next page travels meanwhile
                conditions = {**conditions, "$gt": last}
                conditions.pop("$gte", None)
                downloads.put((lane, number + 1, conditions), within(query, conditions, most(done)))
            yield Page((lane, number), rows, len(raw.body), total)


def by_offset(
    ask: Ask,
    decoder: Decoder,
    query: Mapping[str, Any],
    *,
    limit: int | None,
    offset: int,
    size: int | None = None,
) -> Iterator[Page]:
    """Yield the pages of a list in the server's order; others' inserts and deletes may shift rows.

    Args:
        ask: See `Ask`.
        decoder: Of the pages.
        query: `q`, `fields`, `sort` and `populate`.
        limit: Most rows wanted.
        offset: Rows to skip.
        size: Rows per page; None for the most.

    Raises:
        sispy.BadAnswer: The server does not count, and there is more than one page; or it sends the first
            one again.
    """
    size = size or MAX_PAGE  # smaller ones cost the server more
    raw = ask({**query, "offset": offset, "limit": min(size, limit or size)})
    rows = decoder.open(raw.body)
    count = raw.total_count
    if count is None:
        if len(rows) == size and limit != size:
            raise BadAnswer("pages by offset need x-total-count, which the server does not send")
        count = offset + len(rows)
    total = max(0, count - offset) if limit is None else min(max(0, count - offset), limit)
    first = Page((0, 0), rows, len(raw.body), total)
    starts = range(len(rows), total, len(rows)) if len(rows) else range(0)
    with Downloads(ask, min(2, len(starts))) as downloads:
        ahead, waiting = iter(starts), 0

        def put() -> None:
            nonlocal waiting
            start = next(ahead, None)
            if start is not None:
                waiting += 1
                rest = min(len(first.rows), total - start)
                downloads.put((start, 0), {**query, "offset": offset + start, "limit": rest})

        put()
        put()
        seen = {tuple(rows.bounds): offset}
        yield first
        while waiting:
            slot, raw = downloads.get()
            waiting -= 1
            put()
            rows = decoder.open(raw.body)
            place = offset + slot[0]
            if not len(rows):
                ahead = iter(())  # the server counts more rows than there are
                continue
            if (earlier := seen.setdefault(tuple(rows.bounds), place)) != place:
                raise BadAnswer(
                    f"the server sent the rows at offset {earlier} again, in place of those behind"
                )
            yield Page(slot, rows, len(raw.body), total)


class Downloads:
    """A few threads that ask for one thing after the other; leaving the `with` block ends them.

    They are daemons: what interrupts the block (Ctrl-C) does not wait for an answer that may never come.
    """

    def __init__(self, ask: Callable[[Any], Any], threads: int) -> None:
        self._ask = ask
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._got: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"sispy-page-{i}", daemon=True) for i in range(threads)
        ]

    def __enter__(self) -> Downloads:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._asked.get_nowait()
        for _thread in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join(timeout=1.0)

    def put(self, key: Any, query: Any) -> None:
        """Ask for something; `key` tells its answer from others."""
        self._asked.put((key, query))

    def get(self) -> tuple[Any, Any]:
        """Wait for the next answer, in the order of arrival; return it with its key.

        Raises:
            sispy.Error: What went wrong with it.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                key, page, error = self._got.get(timeout=HEED)
                break
        if error is not None:
            raise error
        return key, page

    def _work(self) -> None:
        while (work := self._asked.get()) is not None:
            key, query = work
            try:
                self._got.put((key, self._ask(query), None))
            except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits for the page
                self._got.put((key, None, error))

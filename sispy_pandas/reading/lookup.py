"""Rows read by the values of a field: in few requests with short URLs, two at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sispy import errors
from sispy.paging import MAX_PAGE, by_key, total_of

from ..values.progress import Waits, bar
from .chunks import is_askable, queries, selecting
from .pages import Downloads

if TYPE_CHECKING:
    from sispy import Client, Endpoint
    from sispy.response import Response

    from ..values.progress import Bar

URL = 6_000
"""Bytes of an encoded query in a URL: the server refuses 16 KiB with its headers (SIS-API 14)."""
READERS = 2
"""Requests at a time: a server process does one thing at a time."""
WORTH_PAGING = 4
"""A range of so many times the rows wanted is paged: reading more rows costs less than asking for them."""
_FEW = 4
"""Requests that are always worth asking by."""

LANES = 4
"""The same where each row has a request of its own: more of them hide the network's delay."""

Send = Callable[[Callable[[], Any]], Any]
Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    endpoint: Endpoint,
    work: Callable[[Endpoint, Item], Result],
    items: Sequence[Item],
    *,
    progress: Any = False,
    desc: str = "",
    delay: float = 0.0,
    lanes: int = LANES,
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) in the order of the items; the first error ends it, what has not begun is dropped.

    Args:
        endpoint: What is asked.
        work: Called in threads with the endpoint, of which the bar learns what is waited for, and an item.
        items: One for each call of `work`.
        progress: As `progress.bar` takes it.
        desc: What the work is about.
        delay: As `progress.bar` takes it.
        lanes: Requests under way at once.
    """
    with bar(progress, total=len(items), unit=" rows", desc=desc, delay=delay) as shown:
        waits = Waits(shown.set_postfix_str)
        watched = endpoint.watched(waits.before_another_try)
        for item, result in _at_once(lambda item: work(watched, item), items, lanes):
            waits.over()
            shown.update()
            yield item, result


def _at_once(
    work: Callable[[Item], Result], items: Sequence[Item], lanes: int
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) in the order of the items, of which so many are under way at once."""

    def tried(item: Item) -> tuple[Result | None, BaseException | None]:
        try:
            return work(item), None
        except BaseException as error:  # noqa: BLE001 - it is raised when the turn of its item comes
            return None, error

    done: dict[int, Any] = {}
    with Downloads(tried, min(lanes, len(items))) as downloads:
        for number, item in enumerate(items):
            downloads.put(number, item)
        for number, item in enumerate(items):
            while number not in done:
                key, found = downloads.get()
                done[key] = found
            result, error = done.pop(number)
            if error is not None:
                raise error
            yield item, result


def read(
    endpoint: Endpoint,
    path: str,
    values: Collection[Any],
    *,
    fields: Iterable[str] | None = None,
    url: int = URL,
    readers: int = READERS,
    send: Send = lambda call: call(),
    shown: Bar | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the entities that have one of these values in a field.

    Many `_id`s are read by paging the range that they stand in, where they are a good part of it. Values that
    no URL can hold (`is_askable`) are not looked for.

    Args:
        endpoint: Of the table.
        path: The field.
        values: To look for.
        fields: What to read of them, beside `_id`; None: everything.
        url: Bytes of an encoded query.
        readers: Requests at a time.
        send: Carries out each request; a caller that repeats or delays requests does so there.
        shown: A bar that counts the values, and says what is waited for.

    Raises:
        sispy.Error: The server does not answer, or not with such rows.
    """
    waits = Waits(str if shown is None else shown.set_postfix_str)
    if shown is not None:
        endpoint = endpoint.watched(waits.before_another_try)
        shown.total = (shown.total or 0) + len(values)
    options: dict[str, Any] = {"populate": False, "limit": MAX_PAGE}
    if fields is not None:
        wanted = {"_sis" if f.startswith("_sis.") else f for f in fields} | {"_id"}
        options |= selecting(wanted, most=url // 3)
        url -= len(options.get("fields", ""))
    asked = list(queries(path, filter(is_askable, values), url=url))
    around = send(lambda: _good_range(endpoint, values)) if path == "_id" and len(asked) > _FEW else None
    if around is not None:
        known = set(values)
        for found in pages(endpoint, {**options, "q": around}, send=send):
            rows = [row for row in found if row["_id"] in known]
            yield from rows
            if shown is not None:
                waits.over()
                shown.update(len(rows))
        return

    def page(part: tuple[Mapping[str, Any], int]) -> Any:
        q, _ = part
        ids = q["_id"]["$in"] if path == "_id" else None
        return send(lambda: rows_of(endpoint.fetch_page({**options, "q": q}), ids))

    answers = _at_once(page, asked, readers) if len(asked) > 1 else ((part, page(part)) for part in asked)
    for (_, number), rows in answers:
        yield from rows
        if shown is not None:
            waits.over()
            shown.update(number)


def range_worth_paging(endpoint: Endpoint, ids: Collection[str]) -> dict[str, Any] | None:
    """Return the query of the range that `read` pages for these `_id`s; None: it asks by them."""
    asked = queries("_id", filter(is_askable, ids), url=URL)
    return _good_range(endpoint, ids) if len(list(islice(asked, _FEW + 1))) > _FEW else None


def _good_range(endpoint: Endpoint, ids: Collection[str]) -> dict[str, Any] | None:
    around = {"_id": {"$gte": min(ids), "$lte": max(ids)}}
    return around if WORTH_PAGING * len(ids) > endpoint.count(around) else None


def missing(client: Client, schema: str, ids: Collection[str], *, shown: Bar | None = None) -> set[str]:
    """Return those `_id`s of which a schema has no row; all of them where there is no such schema.

    Raises:
        sispy.Error: The server could not be asked.
    """
    if not ids:
        return set()
    try:
        there = read(client.entities(schema), "_id", sorted(ids), fields=["_id"], shown=shown)
        return set(ids) - {row["_id"] for row in there}
    except errors.NotFound:
        return set(ids)


def referring(
    endpoint: Endpoint, path: str, ids: Collection[str], fields: Iterable[str]
) -> Iterator[Mapping[str, Any]]:
    """Yield the entities that refer to rows, each once, however many there are.

    Args:
        endpoint: Of the table.
        path: The reference, which may be one of an array.
        ids: `_id`s of the rows.
        fields: What to read of the entities.
    """
    seen: set[str] = set()
    for q, _ in queries(path, ids, url=URL):
        for page in endpoint.pages({"q": q, **selecting(fields), "populate": False}):
            yield from (row for row in page if row["_id"] not in seen)
            seen.update(row["_id"] for row in page)


def pages(
    endpoint: Endpoint, options: Mapping[str, Any], *, send: Send = lambda call: call()
) -> Iterator[Response]:
    """Yield pages in the order of `_id`; `options` may hold a `q`, the rest is as of `read`."""

    def page(query: Mapping[str, Any]) -> Response:
        answer = endpoint.fetch_page(query)
        rows_of(answer)
        return answer

    yield from by_key(lambda query: send(lambda: page(query)), options, MAX_PAGE)


def own_since(
    endpoint: Endpoint, since: int, author: str | None, *, send: Send = lambda call: call(), **options: Any
) -> list[dict[str, Any]]:
    """Return the rows that a user, or if unknown anybody, created since a time of the server's clock."""
    q: dict[str, Any] = {"_sis._created_at": {"$gte": since}}
    if author:
        q["_sis._created_by"] = author
    found = pages(endpoint, {"q": q, "populate": False, **options}, send=send)
    return [row for page in found for row in page]


def rows_of(answer: Response, ids: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of an answer.

    Args:
        answer: The answer.
        ids: The `_id`s that were asked for.

    Raises:
        sispy.NotJSON: It is not a list of rows, each once, or holds others than asked for, or fewer than its
            own count: a row that is missing there would be taken for deleted.
    """
    try:
        rows = answer.to_list()
    except errors.Error:
        rows = [None]
    found = {row["_id"] for row in rows if isinstance(row, dict) and isinstance(row.get("_id"), str)}
    total = total_of(answer)
    strange = ids is not None and (not found <= set(ids) or total not in (None, len(rows)))
    if len(found) < len(rows) or strange:
        raise errors.NotJSON(f"the answer is not a list of the rows asked for: {answer!s:.100}", 200)
    return rows

"""Lists of any length, page by page: complete while rows come and go, and never endless.

Where the caller does not sort, pages follow each other by key (`sort=_id`, `_id` above the last one seen): a
row that is inserted or deleted meanwhile neither hides nor doubles another. Where the caller sorts, `_id`
breaks ties and pages follow each other by offset.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from .errors import BadAnswer, NotJSON
from .response import Response
from .text import shorten

MAX_PAGE = 10_000
"""The server's default and largest page."""

Query = Mapping[str, Any] | None
FetchPage = Callable[[Mapping[str, Any]], Response]


def page_limit(query: Query, page_size: int) -> int:
    """Return how many rows to ask for at once: `limit` of the query, else the page size.

    Raises:
        ValueError: The page size is not from 1 to 10,000.
    """
    if not 1 <= page_size <= MAX_PAGE:
        raise ValueError(f"page_size is 1 to {MAX_PAGE}, got {page_size}")
    try:
        limit = abs(int((query or {}).get("limit") or page_size))
    except (TypeError, ValueError):
        return page_size
    return min(limit or page_size, MAX_PAGE)


def by_key(fetch_page: FetchPage, query: Mapping[str, Any], limit: int) -> Iterator[Response]:
    """Yield pages in the order of `_id`, each beginning after the last `_id` of the one before.

    Raises:
        BadAnswer: The server repeats rows, or does not sort them: there would be no end; or sends no list.
    """
    last = ""
    page = _listed(fetch_page(within(query, {}, limit)))
    while not is_last(len(page), total_of(page), limit):
        last = last_id(_ids(page), last)
        yield page
        page = _listed(fetch_page(within(query, {"$gt": last}, limit)))
    if last and len(page):
        last_id(_ids(page), last)
    if len(page) or not last:
        yield page


def within(query: Mapping[str, Any], bounds: Mapping[str, str], limit: int) -> dict[str, Any]:
    """Return the query for the first rows, in the order of `_id`, whose `_id` is within bounds.

    Args:
        query: What is asked for; its `q` may be JSON text.
        bounds: Operators of MongoDB, such as `{"$gt": last}`; empty for all rows.
        limit: Rows to ask for.
    """
    own = query.get("q")
    found = {**query, "sort": "_id", "limit": limit}
    if bounds:
        found["q"] = {"$and": [_as_query(own), {"_id": dict(bounds)}]} if own else {"_id": dict(bounds)}
    return found


def is_last(rows: int, total: int | None, limit: int, before: int = 0) -> bool:
    """Return whether a page is the last one of its list.

    The server may cut pages shorter than asked: its count decides, and without one the length of the page.

    Args:
        rows: Of the page.
        total: Rows that the server counts for the list; None: it does not.
        limit: Rows that were asked for.
        before: Rows of the list before the page.
    """
    return rows < limit if total is None else not rows or before + rows >= total


def last_id(ids: Sequence[Any], last: str = "") -> str:
    """Return the last `_id` of a page that comes after another one.

    Args:
        ids: Of the page, or its first and last one: they must grow.
        last: The last `_id` of the page before.

    Raises:
        BadAnswer: They do not grow, or do not begin after the last one.
    """
    if not all(isinstance(id_, str) for id_ in ids) or not all(a < b for a, b in pairwise((last, *ids))):
        raise BadAnswer(
            f"the server repeats rows or does not sort them by _id: after {last or 'the beginning'} "
            f"it sent {ids[0]} to {ids[-1]}, so the list would have no end"
        )
    return str(ids[-1])


def _listed(page: Response) -> Response:
    rows = page._result
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise NotJSON(f"the answer is not a list of objects: {shorten(rows, 60)}", 200)
    return page


def _ids(page: Response) -> list[Any]:
    return [row.get("_id") for row in page]


def _ends(page: Response) -> tuple[Any, ...]:
    """Return the `_id`s at the ends of a page: short, and enough to know it by."""
    ids = _ids(page)
    return tuple(str(id_) if id_ is not None else None for id_ in (*ids[:1], *ids[-1:]))


def by_offset(fetch_page: FetchPage, query: Mapping[str, Any], limit: int) -> Iterator[Response]:
    """Yield pages in the caller's order, each beginning where the one before ended.

    Raises:
        BadAnswer: The server sends a page again: there would be no end; or sends no list.
    """
    offset = int(query.get("offset") or 0)
    page = _listed(fetch_page({**query, "limit": limit, "offset": offset}))
    seen = {_ends(page)}
    yield page
    while not is_last(len(page), total_of(page), limit, offset):
        offset += len(page)
        before, page = page, _listed(fetch_page({**query, "limit": limit, "offset": offset}))
        if len(page):
            again = page._result == before._result and (total_of(page) is None or None not in _ids(page))
            if again or (len(page) > 1 and None not in (ends := _ends(page)) and ends in seen):
                raise BadAnswer(f"the server sent rows from before offset {offset} a second time")
            seen.add(_ends(page))
            yield page


def total_of(page: Response) -> int | None:
    """Return the number of matches that a list is a page of; None where the server does not say."""
    return getattr(page._meta, "total_count", None)


def _as_query(q: Any) -> Any:
    return json.loads(q) if isinstance(q, str) else q


def sorts(query: Mapping[str, Any]) -> bool:
    """Return whether the pages must follow by offset.

    That is: sorted or shifted by the caller, without `_id`, or with conditions in the form `q[name]=value`,
    which do not mix with a `q`.
    """
    fields = query.get("fields") or ""
    names = fields.split(",") if isinstance(fields, str) else list(map(str, fields))
    return (
        bool(query.get("sort") or query.get("offset"))
        or "-_id" in [name.strip() for name in names]
        or any(name.startswith("q[") for name in query)
    )


def with_tie(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query sorted by `_id` where its own sort leaves rows equal."""
    sort = query.get("sort") or ()
    names = sort.split(",") if isinstance(sort, str) else list(map(str, sort))
    if not any(name.strip().lstrip("+-") == "_id" for name in names):
        names.append("_id")
    return {**query, "sort": ",".join(names)}

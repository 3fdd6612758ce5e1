"""Rows cut into requests: so many rows, so many bytes, so long a URL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

_encoded = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

_LONGEST = 10_000
"""Encoded bytes of a value in a URL; with some more the server answers 431 (SIS-API 14)."""


def chunks(items: Iterable[T], size: Callable[[T], int], *, rows: int, size_limit: int) -> Iterator[list[T]]:
    """Yield runs of items with at most `rows` of them and `size_limit` in total.

    An item that is larger than the limit makes a run of its own: only the server can say whether it takes it.

    >>> list(chunks([3, 3, 3, 9, 1], int, rows=10, size_limit=7))
    [[3, 3], [3], [9], [1]]
    """
    run: list[T] = []
    total = 0
    for item in items:
        weight = size(item)
        if run and (len(run) >= rows or total + weight > size_limit):
            yield run
            run, total = [], 0
        run.append(item)
        total += weight
    if run:
        yield run


def halves(items: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Cut a run of at least two items in two."""
    middle = len(items) // 2
    return items[:middle], items[middle:]


def encoded_size(item: Any) -> int:
    """Return the bytes that an item takes in the body of a request, with its comma."""
    return len(_encoded(item).encode("utf-8", "surrogatepass")) + 1


def queries(field: str, values: Iterable[Any], *, url: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield ({field: {"$in": some of the values}}, how many): queries of at most `url` bytes each."""
    room = url - len(quote(json.dumps({field: {"$in": []}}), safe="")) - 200  # the path and the other options
    for run in chunks(values, _in_url, rows=5_000, size_limit=max(room, 1)):
        yield {field: {"$in": run}}, len(run)


def selecting(paths: Iterable[str], *, most: int = _LONGEST) -> dict[str, str]:
    """Return the option of a request that reads these fields alone; none where whole rows have to be read.

    >>> selecting(["os.name", "name", "os"]), selecting(["name", "-name"])
    ({'fields': 'name,os'}, {})

    Args:
        paths: The fields; below another one of them a path is left out (SIS-API 6.2).
        most: Characters that the list may have.
    """
    wanted = set(paths)
    kept = sorted(p for p in wanted if not any(p.startswith(f"{other}.") for other in wanted))
    listed = ",".join(kept)
    return {"fields": listed} if len(listed) <= most and all(map(_can_be_listed, kept)) else {}


def _can_be_listed(path: str) -> bool:
    """Return whether a name stands for itself in a list: no sign before it, no blank around it, no comma."""
    return path[:1] not in ("-", "+") and path == path.strip() and "," not in path


def is_askable(value: Any) -> bool:
    """Return whether a value fits into a URL that asks for it."""
    return _in_url(value) <= _LONGEST


def _in_url(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isalnum():
        return len(value) + 9  # two quotes and a comma, three bytes each
    return len(quote(json.dumps(value, separators=(",", ":")) + ",", safe=""))

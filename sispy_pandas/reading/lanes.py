"""The same request for many rows, a few at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from ..values.progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

LANES = 4
"""Requests under way at once: they hide the way to the server; the server itself works on one at a time."""


def each(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    progress: Any,
    unit: str,
    desc: str,
    lanes: int = LANES,
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) in the order of the items; the first error ends it, what has not begun is dropped.

    Args:
        work: Called in threads.
        items: What for.
        progress: As `progress.bar` takes it.
        unit: What is counted, in the singular.
        desc: What the work is about.
        lanes: Requests under way at once.
    """
    pool = ThreadPoolExecutor(lanes, thread_name_prefix="sispy-history")
    try:
        with bar(progress, total=len(items), unit=unit, desc=desc) as shown:
            for item, result in zip(items, pool.map(work, items), strict=True):
                shown.update()
                yield item, result
    finally:
        pool.shutdown(cancel_futures=True)

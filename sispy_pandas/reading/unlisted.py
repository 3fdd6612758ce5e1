"""Values in a filter that an enum does not list: misspelt ones, or those of an earlier definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from sispy.remedies import Message, nearest

from .operands import member_of
from .paths import Lookup, place

if TYPE_CHECKING:
    from ..values.schema import Schema

_ASKED = 10
"""Values that the server is asked about, each by a request."""
_EQUAL = ("$eq", "$ne", "$in", "$nin", "$all", "$not")


def nowhere(
    schema: Schema, q: Mapping[str, Any], lookup: Lookup, count: Callable[[Any], int]
) -> Message | None:
    """Return in words which value of a filter no definition lists and no row has; None: there is none.

    Args:
        schema: Of the rows.
        q: A checked filter.
        lookup: Gives the schemas that references lead to.
        count: Of a `q`, tells how many rows it finds; it is asked for values that are not listed alone.
    """
    for path, value, listed in islice(_unlisted(schema, q, lookup), _ASKED):
        if not count({path: value}):
            hint = nearest(value, listed) or f"; it lists {', '.join(listed[:_ASKED])}"
            return Message(f"{path!r}: no row has {value!r}, and the definition does not list it", hint)
    return None


def _unlisted(
    schema: Schema, q: Mapping[str, Any], lookup: Lookup
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield path, value and what the enum lists."""
    for key, condition in q.items():
        if key.startswith("$"):
            for part in condition:
                yield from _unlisted(schema, part, lookup)
            continue
        field = place(schema, key, lookup).field
        listed = member_of(field).enum if field else ()
        if listed:
            yield from ((key, value, listed) for value in _values(condition) if value not in ("", *listed))


def _values(condition: Any) -> Iterator[str]:
    """Yield the texts that a condition compares for equality."""
    if isinstance(condition, str):
        yield condition
    elif isinstance(condition, list | tuple):
        for value in condition:
            yield from _values(value)
    elif isinstance(condition, Mapping):
        for operator, value in condition.items():
            if operator in _EQUAL:
                yield from _values(value)

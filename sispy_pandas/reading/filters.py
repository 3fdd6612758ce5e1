"""Filters as people type them: `status=live`, `cpus>=8`, `name~^web`, `owner is empty`.

| text | finds rows whose field |
|---|---|
| `f=x`, `f!=x` | is, is not x; an array: holds, does not hold x; a date without time: any time of that day |
| `f>x`, `f>=x`, `f<x`, `f<=x` | is above, below |
| `f in a,b` | is one of them |
| `f~x`, `f!~x` | matches, does not match the regex; `(?i)x` in any case |
| `f is empty`, `f is not empty` | has no value, has one |

Paths lead into nested documents and through references: `os.version=9`, `rack.site.name=fra1`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..values.types.mixed import ANYTHING
from .query import check_filter, field_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.schema import Schema
    from ..values.types.base import Type
    from .query import Lookup

_FORM = re.compile(
    r"\s*([^\s=!<>~]+?)(\s+is\s+not\s+empty\b|\s+is\s+empty\b|\s+in\s|\s*(?:!=|>=|<=|!~|=|>|<|~))(.*)",
    re.DOTALL,
)
_COMPARE = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}


def parse_filters(schema: Schema, texts: Sequence[str], lookup: Lookup) -> dict[str, Any]:
    """Return the `q` that finds the rows which meet all filters.

    Args:
        schema: Of the rows.
        texts: As in the table of this module.
        lookup: Gives the schemas that references lead to.

    Raises:
        ValueError: A text is no filter, or names a field or a value that there cannot be.
    """
    parts = [check_filter(schema, _parse(schema, text, lookup), lookup) for text in texts]
    if not parts:
        return {}
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _parse(schema: Schema, text: str, lookup: Lookup) -> dict[str, Any]:
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError(
            f"{text!r} is no filter; one is 'status=live', 'cpus>=8', 'name~^web', 'owner is empty'"
        )
    path, operator, value = found[1], " ".join(found[2].split()), found[3].strip()
    kind = (field_at(schema, path, lookup) or ANYTHING).kind
    if operator.startswith("is"):
        if value:
            raise ValueError(f"{text!r}: nothing may follow {operator!r}")
        return _empty(path, kind, is_empty=operator == "is empty")
    if not value:
        raise ValueError(f"{text!r}: no value; to find rows without one: '{path} is empty'")
    if operator in ("~", "!~"):
        regex = {"$regex": value}
        return {kind.at(path): regex if operator == "~" else {"$not": regex}}
    if kind.parts:
        return _whole(path, kind, operator, value)
    if operator == "in":
        return {path: {"$in": [kind.meant(part.strip()) for part in value.split(",")]}}
    return {path: _compared(kind, operator, value)}


def _compared(kind: Type, operator: str, value: str) -> Any:
    span = kind.span(value)
    if span is not None:
        first, after = span
        if operator in ("=", "!="):
            within = {"$gte": first, "$lt": after}
            return within if operator == "=" else {"$not": within}
        return _outside(operator, first, after)
    stored = kind.meant(value)
    if operator == "=":
        return stored
    return {"$ne" if operator == "!=" else _COMPARE[operator]: stored}


def _outside(operator: str, first: str, after: str) -> dict[str, str]:
    """Compare with a day as a whole: after it means from the next day on."""
    return {">": {"$gte": after}, ">=": {"$gte": first}, "<": {"$lt": first}, "<=": {"$lt": after}}[operator]


def _empty(path: str, kind: Type, *, is_empty: bool) -> dict[str, Any]:
    if kind.is_array:
        return {f"{path}.0": {"$exists": not is_empty}}
    nothing = [None, ""] if kind.has_empty else [None]
    return {kind.at(path): {"$in": nothing} if is_empty else {"$nin": nothing}}


def _whole(path: str, kind: Type, operator: str, value: str) -> dict[str, Any]:
    """Compare with an object of which a text names some parts."""
    found = {f"{path}.{part}": stored for part, stored in kind.split(value).items()}
    if operator == "=":
        return found
    if operator == "!=":
        return {"$nor": [found]}
    raise ValueError(f"{path!r} is an IP address: it has =, !=, ~ and !~, not {operator!r}")

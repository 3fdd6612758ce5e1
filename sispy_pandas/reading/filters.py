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

from ..values.times import iso, milliseconds
from .query import check_filter, field_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .query import Lookup

_FORM = re.compile(
    r"\s*([^\s=!<>~]+?)(\s+is\s+not\s+empty\b|\s+is\s+empty\b|\s+in\s|\s*(?:!=|>=|<=|!~|=|>|<|~))(.*)",
    re.DOTALL,
)
_COMPARE = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_DAY = 86_400_000


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
    field = field_at(schema, path, lookup)
    if operator.startswith("is"):
        if value:
            raise ValueError(f"{text!r}: nothing may follow {operator!r}")
        return _empty(path, field, is_empty=operator == "is empty")
    if not value:
        raise ValueError(f"{text!r}: no value; to find rows without one: '{path} is empty'")
    if field and field.type == "IpAddress":
        return _address(path, operator, value)
    if operator in ("~", "!~"):
        regex = {"$regex": value}
        return {path: regex if operator == "~" else {"$not": regex}}
    if operator == "in":
        return {path: {"$in": [_number_if_untyped(field, part.strip()) for part in value.split(",")]}}
    return {path: _compared(field, operator, value)}


def _compared(field: Field | None, operator: str, value: str) -> Any:
    day = (
        milliseconds(value) if field and field.type == "Date" and re.fullmatch(r"[\d-]{10}", value) else None
    )
    if day is not None:
        first, after = iso(day), iso(day + _DAY)
        if operator in ("=", "!="):
            span = {"$gte": first, "$lt": after}
            return span if operator == "=" else {"$not": span}
        return _day(operator, first, after)
    stored = _number_if_untyped(field, value)
    if operator == "=":
        return stored
    return {"$ne" if operator == "!=" else _COMPARE[operator]: stored}


def _day(operator: str, first: str, after: str) -> dict[str, str]:
    """Compare with a day as a whole: after it means from the next day on."""
    return {">": {"$gte": after}, ">=": {"$gte": first}, "<": {"$lt": first}, "<=": {"$lt": after}}[operator]


def _number_if_untyped(field: Field | None, value: str) -> Any:
    """Below Mixed the server casts nothing: what looks like a number or a boolean is meant as one."""
    if field is not None and field.type != "Mixed":
        return value
    if value in ("true", "false"):
        return value == "true"
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value


def _empty(path: str, field: Field | None, *, is_empty: bool) -> dict[str, Any]:
    if field and field.type in ("Array", "Documents"):
        return {f"{path}.0": {"$exists": not is_empty}}
    if field and field.type == "IpAddress":
        path = f"{path}.ip_address"
    nothing = [None, ""] if field and field.type == "String" else [None]
    return {path: {"$in": nothing} if is_empty else {"$nin": nothing}}


def _address(path: str, operator: str, value: str) -> dict[str, Any]:
    if operator in ("~", "!~"):
        regex = {"$regex": value}
        return {f"{path}.ip_address": regex if operator == "~" else {"$not": regex}}
    address, slash, prefix = value.partition("/")
    found: dict[str, Any] = {f"{path}.ip_address": address}
    if slash:
        if not prefix.isdecimal():
            raise ValueError(f"{value!r} is no IP address")
        found[f"{path}.cidr"] = int(prefix)
    if operator == "=":
        return found
    if operator == "!=":
        return {"$nor": [found]}
    raise ValueError(f"{path!r} is an IP address: it has =, !=, ~ and !~, not {operator!r}")

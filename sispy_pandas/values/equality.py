"""When two JSON values of a field are the same, as far as the server can tell them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .cast import cast, get_path
from .numerals import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schema import Field


def canonical(field: Field, value: Any) -> Any:
    """Return a JSON value in a form in which equal values are equal; uncastable ones are tagged."""
    if isinstance(value, dict) and _is_hollow(value):
        value = None  # the server drops objects without content
    try:
        return _canonical(field, cast(field, _doubled(value)))
    except ValueError:
        return ("uncastable", _tagged(value))


def equal(field: Field, a: Any, b: Any) -> bool:
    """Tell whether two JSON values are the same once stored: 1 and 1.0, null and missing, `{}` and missing.

    Members of document arrays are compared field by field; an `_id` that one side lacks does not matter,
    because the server gives every member one.
    """
    if a is b or (type(a) is type(b) and isinstance(a, str | int | float) and a == b):
        return True
    if field.type == "Documents" and isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same_member(field, x, y) for x, y in zip(a, b, strict=True))
    return bool(canonical(field, a) == canonical(field, b))


def _doubled(value: Any) -> Any:
    """Return a JSON value with the whole numbers beyond 2**53 as what they are stored as: doubles."""
    if isinstance(value, int):
        return float(value) if abs(value) > WHOLE else value
    if isinstance(value, dict):
        return {key: _doubled(inner) for key, inner in value.items()}
    return [_doubled(inner) for inner in value] if isinstance(value, list | tuple) else value


def _same_member(field: Field, a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        if ("_id" in a) != ("_id" in b):
            a, b = ({key: value for key, value in m.items() if key != "_id"} for m in (a, b))
        known = {"_id", *(inner.path for inner in field.fields)}
        if a.get("_id") == b.get("_id") and a.keys() <= known >= b.keys():  # the short way, as most are equal
            same = (equal(inner, a.get(inner.path), b.get(inner.path)) for inner in field.fields)
            if all(same):
                return True
    return bool(canonical(field, [a]) == canonical(field, [b]))


def _canonical(field: Field, value: Any) -> Any:
    if field.type == "Mixed":
        return _tagged(value)
    if field.type == "Array" and field.item:
        return [_canonical(field.item, member) for member in value]
    if field.type == "Documents":
        return [member and _member_parts(field, member) for member in value]
    return value


def _member_parts(field: Field, member: Mapping[str, Any]) -> dict[str, Any]:
    found = {"_id": member.get("_id")}
    for inner in field.fields:
        value = _canonical(inner, cast(inner, get_path(member, inner.path)))
        if value is not None and value != []:
            found[inner.path] = value
    return found


def _tagged(value: Any) -> Any:
    """Return Mixed values so that True is not 1, and empty objects inside objects are not there at all."""
    if isinstance(value, dict):
        return {key: _tagged(v) for key, v in value.items() if not _is_hollow(v)} or None
    if isinstance(value, list | tuple):
        return [_tagged(v) for v in value]
    return ("bool", value) if isinstance(value, bool | np.bool_) else value


def _is_hollow(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_hollow(v) for v in value.values())

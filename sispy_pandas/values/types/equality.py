"""When two JSON values of a field are the same, as far as the server can tell them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..cast import cast, get_path, is_cleared
from ..numerals import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..schema import Field


def equal(field: Field, stored: Any, sent: Any) -> bool:
    """Tell whether two JSON values are the same once stored: 1 and 1.0, null and missing, `{}` and missing.

    Members of document arrays, at every depth, are compared field by field. An `_id` that one side lacks does
    not matter, because the server gives every member one; nor does a default in place of a field that is not
    sent, because the server puts it there.
    """
    if stored is sent or (
        type(stored) is type(sent) and isinstance(stored, str | int | float) and stored == sent
    ):
        return True
    if field.type == "Documents" and isinstance(stored, list | tuple) and isinstance(sent, list | tuple):
        return len(stored) == len(sent) and all(
            _same_member(field, a, b) for a, b in zip(stored, sent, strict=True)
        )
    return bool(_canonical(field, stored, is_sent=False) == _canonical(field, sent, is_sent=True))


def as_edited(stored: Any, value: Any) -> Any:
    """Return a JSON value without what a trip through Arrow does to one that is stored.

    A struct of Arrow gives every value the keys of all: a null under a key that the stored value lacks is
    left out, and an object of nothing but such nulls is null. A number that equals the stored one is that
    one: 24.0 is 24. Members of lists are told by `_id`, else by their place.

    >>> as_edited({"a": 24, "b": None}, {"a": 24.0, "b": None, "c": None, "d": {"e": None}})
    {'a': 24, 'b': None}
    """
    if isinstance(value, dict):
        old = stored if isinstance(stored, dict) else {}
        found = {key: as_edited(old.get(key), inner) for key, inner in value.items()}
        found = {key: inner for key, inner in found.items() if inner is not None or key in old}
        return found if found or not value else None
    if isinstance(value, list):
        return [as_edited(old, member) for old, member in _beside(stored, value)]
    return stored if type(value) in _NUMBERS and type(stored) in _NUMBERS and value == stored else value


_NUMBERS = (int, float)


def _beside(stored: Any, members: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the members of a list, each with the stored one that it was made from, if that can be told."""
    old = stored if isinstance(stored, list | tuple) else []
    by_id = {member["_id"]: member for member in old if isinstance(member, dict) and "_id" in member}
    moved = len(old) != len(members)
    for place, member in enumerate(members):
        at_place = old[place] if place < len(old) else None
        if not isinstance(member, dict | list):
            yield at_place, member
        elif isinstance(member, dict) and isinstance(member.get("_id"), str) and by_id:
            yield by_id.get(member["_id"]), member
        else:
            alike = (one for one in old if moved and as_edited(one, member) == one)
            yield next(alike, at_place), member


class _Anything:
    """The `_id` of a member that has none: the server gives it one, whichever."""

    __hash__ = None  # type: ignore[assignment] # it equals values of every hash

    def __eq__(self, other: object) -> bool:
        return True


class _NotSent:
    """A field that a member does not name: the server puts its default there."""

    __hash__ = None  # type: ignore[assignment] # the same

    def __init__(self, default: Any) -> None:
        self.default = default

    def __eq__(self, other: object) -> bool:
        return other is _NOT_STORED or bool(other == self.default)


_ANYTHING = _Anything()
_NOT_STORED = object()


def _canonical(field: Field, value: Any, *, is_sent: bool) -> Any:
    """Return a JSON value in a form in which equal values are equal; uncastable ones are tagged."""
    if isinstance(value, dict) and _is_hollow(value):
        value = None  # the server drops objects without content
    try:
        return _parts(field, cast(field, _doubled(value)), is_sent=is_sent)
    except ValueError:
        return ("uncastable", _tagged(value))


def _doubled(value: Any) -> Any:
    """Return a JSON value with the whole numbers beyond 2**53 as what they are stored as: doubles."""
    if isinstance(value, int):
        return float(value) if abs(value) > WHOLE else value
    if isinstance(value, dict):
        return {key: _doubled(inner) for key, inner in value.items()}
    return [_doubled(inner) for inner in value] if isinstance(value, list | tuple) else value


def _same_member(field: Field, a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        known = {"_id", *(inner.path for inner in field.fields)}
        same_id = a.get("_id") == b.get("_id") or "_id" not in a or "_id" not in b
        if same_id and a.keys() <= known >= b.keys():  # the short way, as most are equal
            same = (equal(inner, a.get(inner.path), b.get(inner.path)) for inner in field.fields)
            if all(same):
                return True
    return bool(_canonical(field, [a], is_sent=False) == _canonical(field, [b], is_sent=True))


def _parts(field: Field, value: Any, *, is_sent: bool) -> Any:
    if field.type == "Mixed":
        return _tagged(value)
    if field.type == "Array" and field.item:
        return [_parts(field.item, member, is_sent=is_sent) for member in value]
    if field.type == "Documents":
        return [
            member if member is None else _member_parts(field, member, is_sent=is_sent) for member in value
        ]
    return value


def _member_parts(field: Field, member: Mapping[str, Any], *, is_sent: bool) -> dict[str, Any]:
    found = {"_id": member.get("_id", _ANYTHING)}
    for inner in field.fields:
        value = get_path(member, inner.path)
        if value is None and inner.default is not None:
            default = _parts(inner, cast(inner, inner.default), is_sent=is_sent)
            is_left_out = is_sent and not is_cleared(inner, member)
            found[inner.path] = _NotSent(default) if is_left_out else _NOT_STORED
            continue
        value = _parts(inner, cast(inner, value), is_sent=is_sent)
        if value is not None and (value != [] or inner.default is not None):
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

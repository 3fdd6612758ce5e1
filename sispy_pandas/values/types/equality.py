"""When two JSON values of a field are the same, as far as the server can tell them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import WHOLE
from .convert import cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .base import Field

_NUMBERS = (int, float)


def equal(field: Field, stored: Any, sent: Any) -> bool:
    """Return whether two JSON values are the same once stored: 1 and 1.0, null and missing, `{}` and missing.

    Members of document arrays, at every depth, are compared field by field. An `_id` that one side lacks does
    not matter, because the server gives every member one; nor does a default in place of a field that is not
    sent, because the server puts it there.
    """
    if stored is sent or (
        type(stored) is type(sent) and isinstance(stored, (str, int, float)) and stored == sent
    ):
        return True
    same = field.kind.same(stored, sent)
    if same is not None:
        return same
    return bool(canonical(field, stored, is_sent=False) == canonical(field, sent, is_sent=True))


def canonical(field: Field, value: Any, *, is_sent: bool) -> Any:
    """Return a JSON value in a form in which equal values are equal; uncastable ones are tagged."""
    if hollow(value):
        value = None  # the server drops objects without content
    try:
        found = cast(field, _doubled(value))
        return None if found is None else field.kind.canonical(found, is_sent=is_sent)
    except ValueError:
        return ("uncastable", tagged(value))


def canonical_of(field: Field, value: Any, *, is_sent: bool) -> Any:
    """Return the same of a value that is cast."""
    return None if value is None else field.kind.canonical(value, is_sent=is_sent)


def tagged(value: Any) -> Any:
    """Return Mixed values so that True is not 1, and empty objects inside objects are not there at all."""
    if isinstance(value, dict):
        return {key: tagged(v) for key, v in value.items() if not hollow(v)} or None
    if isinstance(value, (list, tuple)):
        return [tagged(v) for v in value]
    return ("bool", value) if isinstance(value, (bool, np.bool_)) else value


def hollow(value: Any) -> bool:
    """Return whether a value is an empty object, or holds nothing but such: the server stores none of it."""
    return isinstance(value, dict) and all(hollow(inner) for inner in value.values())


def solid(value: Any) -> Any:
    """Return a value as the server stores it: without the empty objects in it, if they are not in a list."""
    if not isinstance(value, dict):
        return value
    return {key: solid(inner) for key, inner in value.items() if not hollow(inner)} or None


def _doubled(value: Any) -> Any:
    """Return a JSON value with the whole numbers beyond 2**53 as what they are stored as: doubles."""
    if isinstance(value, int):
        return float(value) if abs(value) > WHOLE else value
    if isinstance(value, dict):
        return {key: _doubled(inner) for key, inner in value.items()}
    return [_doubled(inner) for inner in value] if isinstance(value, (list, tuple)) else value


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


def _beside(stored: Any, members: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the members of a list, each with the stored one that it was made from, if that can be told."""
    old = stored if isinstance(stored, (list, tuple)) else []
    by_id = {member["_id"]: member for member in old if isinstance(member, dict) and "_id" in member}
    moved = len(old) != len(members)
    for place, member in enumerate(members):
        at_place = old[place] if place < len(old) else None
        if not isinstance(member, (dict, list)):
            yield at_place, member
        elif isinstance(member, dict) and isinstance(member.get("_id"), str) and by_id:
            yield by_id.get(member["_id"]), member
        else:
            alike = (one for one in old if moved and as_edited(one, member) == one)
            yield next(alike, at_place), member

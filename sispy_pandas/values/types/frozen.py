"""JSON values that cannot be changed in place: dicts as `FrozenDict`, lists as tuples.

A cell that could be edited where it stands would slip past the diff, because the snapshot holds the same
object. To edit one, make a new one: `cell | {"key": 1}`, or `thaw(cell)` for a deep copy of plain dicts.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn


class FrozenDict(dict[str, Any]):
    """A dict that refuses changes; it compares, copies, pickles and encodes like any other.

    >>> FrozenDict(a=1) | {"b": 2}
    {'a': 1, 'b': 2}
    """

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this dict is read-only: make a new one, as in `cell | {'key': value}`")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override] # a dict that never changes may be hashed
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenDict:
        return self

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return FrozenDict, (dict(self),)


_put = dict.__setitem__


DEEPEST = 200
"""Levels of a value that is taken: a server stores 100, and Python recurses some hundred times."""


def freeze(value: Any, room: int = DEEPEST) -> Any:
    """Return a JSON value with its dicts and lists made read-only, at every depth.

    Raises:
        RecursionError: It is nested deeper than any value that can be stored.
    """
    if not room:
        raise RecursionError(f"nested more than {DEEPEST} levels deep")
    kind = value.__class__
    if kind is dict:
        frozen = FrozenDict(value)  # copied by C code; only what is nested needs another look
        for key, inner in value.items():
            if inner.__class__ in _CONTAINERS:
                _put(frozen, key, freeze(inner, room - 1))
        return frozen
    if kind is list or kind is tuple:
        return tuple(
            [freeze(inner, room - 1) if inner.__class__ in _CONTAINERS else inner for inner in value]
        )
    return value


_CONTAINERS = frozenset((dict, list, tuple))
_AROUND = 8
"""Levels of a line around a value."""
_TOO_DEEP = object()


def decode_json(text: str | bytes) -> Any:
    """Decode a JSON text of our own making: a journal's or a plan's line.

    Raises:
        ValueError: It is no JSON, or is nested deeper than a line with a value that can be stored.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        found = _TOO_DEEP
    if found is _TOO_DEEP or _is_deep(found):
        raise ValueError("it is nested too deeply")
    return found


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + _AROUND):
        level = [
            inner
            for one in level
            if one.__class__ in _CONTAINERS
            for inner in (one.values() if one.__class__ is dict else one)
        ]
        if not level:
            return False
    return True


def thaw(value: Any) -> Any:
    """Return a deep copy of a JSON value that consists of plain dicts and lists."""
    if isinstance(value, dict):
        return {key: thaw(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(v) for v in value]
    return value

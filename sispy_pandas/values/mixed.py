"""Mixed cells in a request: the server merges them, so a key that is gone has to be named (SIS-API 5.2)."""

from __future__ import annotations

from typing import Any


class NeedsReplacing(Exception):  # noqa: N818 - a signal between two functions, never seen outside
    """No merge leads to the value wanted: it needs a PUT of its own that replaces the field."""


def merge_patch(theirs: Any, mine: Any) -> Any:
    """Return what to send so that the server's merge turns `theirs` into `mine`.

    >>> merge_patch({"a": 1, "b": 2}, {"a": 1, "c": 3})
    {'b': None, 'c': 3}

    Raises:
        NeedsReplacing: `mine` holds a null where a merge would delete the key.
    """
    if not isinstance(mine, dict) or hollow(mine):
        return None if hollow(mine) else mine
    if not isinstance(theirs, dict):
        return mine
    patch: dict[str, Any] = {key: None for key in theirs if key not in mine or hollow(mine[key])}
    for key, value in mine.items():
        if hollow(value):
            continue
        old = theirs.get(key)
        if key in theirs and _same(old, value):
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            patch[key] = merge_patch(old, value)
        elif _has_null(value):  # in some places a merge would keep it, in others take it for a removal
            raise NeedsReplacing
        else:
            patch[key] = value
    return patch


def hollow(value: Any) -> bool:
    """Tell whether a value is an empty object, or holds nothing but such: the server stores none of it."""
    return isinstance(value, dict) and all(hollow(inner) for inner in value.values())


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _has_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(_has_null(inner) for inner in value.values()))

"""jsondiffpatch deltas: what changed between two JSON values, in the form that SIS writes into its commits.

| delta | meaning |
|---|---|
| `[new]` | added |
| `[old, new]` | replaced |
| `[old, 0, 0]` | removed |
| `{key: delta}` | object |
| `{"_t": "a", "2": [v], "_0": [v, 0, 0]}` | array: inserted at a new index, removed from an old one |
| `{"_t": "a", "_1": ["", 3, 3], "4": delta}` | array: moved to a new index, changed at one |
| `[patch, 0, 2]` | text of 60 characters or more, as a diff-match-patch patch |

Members of arrays are matched by their complete text, as the server does: a changed member appears as removed
and inserted, and so does a document whose keys come in another order. `patch` and `unpatch` understand deltas
inside members all the same. Changes of long texts are read and written by diff-match-patch, imported on
first use.

Values are never changed in place; results share unchanged parts with what was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from diff_match_patch import diff_match_patch


Json = Any

LONG_TEXT = 60
"""Strings of so many UTF-16 units on both sides are stored as a text diff (SIS-API 9.2)."""

_REMOVED, _TEXT, _MOVED = 0, 2, 3
_MISSING: Any = object()


class DeltaError(ValueError):
    """What was given as a delta is none, or does not fit the value it is applied to."""


def diff(old: Json, new: Json) -> Json | None:
    """Describe how to come from one JSON value to another, or return None where they are equal.

    Numbers are equal by value (1 == 1.0), booleans are not numbers. The order of keys counts in members of
    arrays alone.

    Args:
        old: The value before.
        new: The value after.

    Example:
        >>> diff({"n": 1, "l": ["p", "q"]}, {"n": 2, "l": ["q"]})
        {'n': [1, 2], 'l': {'_t': 'a', '_0': ['p', 0, 0]}}
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return _diff_objects(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return _diff_arrays(old, new)
    if same(old, new):
        return None
    if isinstance(old, str) and isinstance(new, str) and _is_long(old) and _is_long(new):
        text = text_patch(old, new)
        if text is not None:
            return [text, 0, _TEXT]
    return [old, new]


def patch(old: Json, delta: Json | None) -> Json:
    """Apply a delta: the value after, from the value before. `None` changes nothing.

    Raises:
        DeltaError: The delta does not fit.

    Example:
        >>> patch({"n": 1}, {"n": [1, 2], "s": ["x"]})
        {'n': 2, 's': 'x'}
    """
    return _checked(_patch, old, delta)


def unpatch(new: Json, delta: Json | None) -> Json:
    """Apply a delta backwards: the value before, from the value after. `None` changes nothing.

    Raises:
        DeltaError: The delta does not fit.

    Example:
        >>> unpatch({"n": 2, "s": "x"}, {"n": [1, 2], "s": ["x"]})
        {'n': 1}
    """
    return _checked(_unpatch, new, delta)


def same(left: Json, right: Json) -> bool:
    """Return whether two JSON values are equal, without taking true for 1.

    Example:
        >>> same({"a": [1.0]}, {"a": [1]}), same(True, 1)
        (True, False)
    """
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and len(left) == len(right)
            and all(key in right and same(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _diff_objects(old: dict[str, Json], new: dict[str, Json]) -> Json | None:
    delta: dict[str, Json] = {}
    for key, value in old.items():
        after = new.get(key, _MISSING)
        if after is value:
            continue
        if after is _MISSING:
            delta[key] = [value, 0, _REMOVED]
        else:
            inner = diff(value, after)
            if inner is not None:
                delta[key] = inner
    for key, value in new.items():
        if key not in old:
            delta[key] = [value]
    return delta or None


def _diff_arrays(old: list[Json], new: list[Json]) -> Json | None:
    left, right = [_member(one) for one in old], [_member(one) for one in new]
    start = 0
    limit = min(len(old), len(new))
    while start < limit and left[start] == right[start]:
        start += 1
    if start == len(old) == len(new):
        return None
    end = 0
    while end < limit - start and left[-1 - end] == right[-1 - end]:
        end += 1
    kept_old, kept_new = common(left[start : len(old) - end], right[start : len(new) - end])
    removed = [i for i in range(start, len(old) - end) if i - start not in kept_old]
    inserted = [i for i in range(start, len(new) - end) if i - start not in kept_new]
    delta: dict[str, Json] = {"_t": "a"}
    delta.update((f"_{i}", [old[i], 0, _REMOVED]) for i in removed)
    for i in inserted:
        source = next((j for j in removed if left[j] == right[i]), None)
        if source is None:
            delta[str(i)] = [new[i]]
        else:
            removed.remove(source)
            delta[f"_{source}"] = ["", i, _MOVED]
    return delta


def _member(value: Json) -> Hashable:
    """Return what tells members of an array apart: all that they hold, and the order of their keys."""
    if isinstance(value, dict):
        return (dict, *((key, _member(one)) for key, one in value.items()))
    if isinstance(value, list):
        return (list, *map(_member, value))
    return (value is True or value is False, value)


def _is_long(text: str) -> bool:
    return len(_units(text)) >= LONG_TEXT


def _checked(apply: Any, value: Json, delta: Json | None) -> Json:
    if delta is None:
        return value
    try:
        result = apply(value, delta)
    except DeltaError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DeltaError(f"the delta {_brief(delta)} does not fit the value {_brief(value)}") from error
    if result is _MISSING:
        raise DeltaError(f"the delta {_brief(delta)} leaves no value")
    return result


def _patch(old: Json, delta: Json) -> Json:
    if isinstance(delta, dict):
        if delta.get("_t") == "a":
            return _patch_array(_expect(old, list), delta)
        return _each(_expect(old, dict), delta, _patch)
    match _expect(delta, list):
        case [new]:
            return new
        case [_, new]:
            return new
        case [_, 0, kind] if kind == _REMOVED:
            return _MISSING
        case [text, 0, kind] if kind == _TEXT:
            return apply_text(text, _expect(old, str))
    raise DeltaError(f"no delta: {_brief(delta)}")


def _unpatch(new: Json, delta: Json) -> Json:
    if isinstance(delta, dict):
        if delta.get("_t") == "a":
            return _unpatch_array(_expect(new, list), delta)
        return _each(_expect(new, dict), delta, _unpatch)
    match _expect(delta, list):
        case [_]:
            return _MISSING
        case [old, _]:
            return old
        case [old, 0, kind] if kind == _REMOVED:
            return old
        case [text, 0, kind] if kind == _TEXT:
            return apply_text(text, _expect(new, str), backwards=True)
    raise DeltaError(f"no delta: {_brief(delta)}")


def _each(value: dict[str, Json], delta: dict[str, Json], apply: Any) -> dict[str, Json]:
    result = dict(value)
    for key, inner in delta.items():
        after = apply(value.get(key), inner)
        if after is _MISSING:
            result.pop(key, None)
        else:
            result[key] = after
    return result


def _patch_array(old: list[Json], delta: dict[str, Json]) -> list[Json]:
    leaving, entering, changed = _parts(delta)
    inserted = dict(entering)
    for source, (_, target, kind) in leaving.items():
        # A member that is not there is no error: deltas of `_sis` are written against states without commits.
        if kind == _MOVED and source < len(old):
            inserted[target] = old[source]
    result = [value for i, value in enumerate(old) if i not in leaving]
    for index in sorted(inserted):
        result.insert(index, inserted[index])
    for index, inner in changed.items():
        result[index] = _patch(result[index], inner)
    return result


def _unpatch_array(new: list[Json], delta: dict[str, Json]) -> list[Json]:
    leaving, entering, changed = _parts(delta)
    result = list(new)
    for index, inner in changed.items():
        result[index] = _unpatch(result[index], inner)
    gone = set(entering)
    restored = {}
    for source, (value, target, kind) in leaving.items():
        if kind == _MOVED:
            gone.add(target)
            value = result[target]
        restored[source] = value
    result = [value for i, value in enumerate(result) if i not in gone]
    for index in sorted(restored):
        result.insert(index, restored[index])
    return result


def _parts(
    delta: dict[str, Json],
) -> tuple[dict[int, tuple[Json, int, int]], dict[int, Json], dict[int, Json]]:
    """Split an array's delta: leaving by old index, entering and changed by new index."""
    leaving: dict[int, tuple[Json, int, int]] = {}
    entering: dict[int, Json] = {}
    changed: dict[int, Json] = {}
    for key, inner in delta.items():
        if key == "_t":
            continue
        try:
            index = int(key.removeprefix("_"))
        except ValueError:
            raise DeltaError(f"no index of an array: {key!r}") from None
        if key.startswith("_"):
            value, target, kind = inner
            if kind not in (_REMOVED, _MOVED):
                raise DeltaError(f"no delta of a member: {_brief(inner)}")
            leaving[index] = (value, target, kind)
        elif isinstance(inner, list) and len(inner) == 1:
            entering[index] = inner[0]
        else:
            changed[index] = inner
    return leaving, entering, changed


def _expect(value: Json, kind: type) -> Any:
    if not isinstance(value, kind):
        raise DeltaError(f"the delta is for {kind.__name__} values, not for {_brief(value)}")
    return value


def _brief(value: Json, width: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 3] + "..."


_LIMIT = 4_000_000
"""Comparisons, at most: beyond it all members of both lists count as different."""


def common(old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[set[int], set[int]]:
    """Return the positions of a longest common subsequence in both lists.

    >>> common("pqr", "qrs")
    ({1, 2}, {0, 1})
    """
    if not old or not new or len(old) * len(new) > _LIMIT:
        return set(), set()
    lengths = [[0] * (len(new) + 1)]
    for one in old:
        above, row = lengths[-1], [0]
        for j, other in enumerate(new):
            row.append(above[j] + 1 if one == other else max(above[j + 1], row[j]))
        lengths.append(row)
    i, j = len(old), len(new)
    kept_old, kept_new = set(), set()
    while i and j:
        if old[i - 1] == new[j - 1]:
            i, j = i - 1, j - 1
            kept_old.add(i)
            kept_new.add(j)
        elif lengths[i][j - 1] > lengths[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return kept_old, kept_new


def text_patch(old: str, new: str) -> str | None:
    """Describe the change of a text; None where it cannot be written, in the middle of a surrogate pair."""
    machine = _texts()
    patches = machine.patch_make(_units(old), _units(new))
    try:
        for one in patches:
            one.diffs = [(operation, _characters(part)) for operation, part in one.diffs]
    except UnicodeDecodeError:
        return None
    return str(machine.patch_toText(patches))


def apply_text(text: str, value: str, *, backwards: bool = False) -> str:
    """Apply a text diff: the text after, or backwards the text before.

    Raises:
        ValueError: It is no text diff, or does not fit.
    """
    machine = _texts()
    result = _units(value)
    try:
        patches = machine.patch_fromText(text)
    except ValueError as error:
        raise ValueError(f"not a text diff: {text[:80]!r}") from error
    for one in patches:
        one.diffs = [(-operation if backwards else operation, _units(part)) for operation, part in one.diffs]
        if backwards:
            one.start1, one.start2 = one.start2, one.start1
            one.length1, one.length2 = one.length2, one.length1
    # A patch's place counts with all patches before it applied: backwards, the last one goes first.
    for one in reversed(patches) if backwards else patches:
        result, applied = machine.patch_apply([one], result)
        if not all(applied):
            raise ValueError(f"the text diff {text[:80]!r} does not fit {value[:80]!r}")
    return _characters(result)


def _units(text: str) -> str:
    """Spell a text in UTF-16 units, in which the server counts."""
    if not text or max(text) <= "\uffff":
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[i] | raw[i + 1] << 8) for i in range(0, len(raw), 2))


def _characters(units: str) -> str:
    if not any("\ud800" <= unit <= "\udfff" for unit in units):
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _texts() -> diff_match_patch:
    from diff_match_patch import diff_match_patch

    return diff_match_patch()

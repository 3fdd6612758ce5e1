"""Mixed: any JSON value. The server merges objects, so a key that is gone has to be named (SIS-API 5.2)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Field, Type
from .cell_text import as_text, read_json
from .cells import WHOLE, json_text, objects, plain
from .convert import from_json, to_json
from .equality import hollow, solid, tagged
from .frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sispy.remedies import Remedy

    from .base import Style


_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Structured(Type):
    """A type whose values are no scalars: cells are Python objects, and JSON wherever text is wanted."""

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return objects([from_json(self.field, value) for value in values])

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        return np.concatenate([objects([]), *pages])

    def to_arrow(self, cells: pd.Series[Any], pa: Any) -> Any:
        values = [to_json(self.field, cell) for cell in cells]
        return pa.array([None if v is None else json_text(v) for v in values], type=pa.string())


class Mixed(Structured, name="Mixed", declared_as=("Mixed", "Object", "")):
    """Any JSON value; empty objects count as no value, in other objects as well."""

    is_untyped = is_searched = True

    def cast(self, cell: Any) -> Any:
        return solid(plain(cell))

    def canonical(self, value: Any, *, is_sent: bool) -> Any:
        return tagged(value)

    def patch(self, theirs: Any, mine: Any) -> Any:
        return merge_patch(theirs, mine)

    def merges(self, wanted: tuple[Any, Any], made: tuple[Any, Any]) -> bool:
        try:
            return _is_part(merge_patch(*made), merge_patch(*wanted))
        except NeedsReplacing:
            return False

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return objects(values if checked else [None if v == {} else freeze(v) for v in values])

    def read(self, text: str, style: Style) -> Any:
        return read_json(text, 'text is written as "text"')

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        return () if text.lstrip()[:1] in ("{", "[") else (as_text(self.field),)

    def from_boolean(self, cell: bool) -> Any:
        return cell

    def from_number(self, cell: float, style: Style) -> Any:
        return cell

    def meant(self, text: str) -> Any:
        """Return the number or boolean that a text is in JSON, else the text: the server casts nothing."""
        if text in ("true", "false"):
            return text == "true"
        number = float(text) if _NUMBER.fullmatch(text) else math.inf
        if math.isinf(number):
            return text
        return int(text) if text.lstrip("-").isdigit() and abs(number) <= WHOLE else number


ANYTHING = Field("", "Mixed")
"""The field of a value about which nothing is known."""


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


def _is_part(patch: Any, of: Any) -> bool:
    """Return whether a patch of an object does something, and nothing that another one does not."""
    if not isinstance(patch, dict) or not isinstance(of, dict) or not patch:
        return False
    shared = ((value, of[key]) for key, value in patch.items() if key in of)
    return patch.keys() <= of.keys() and all(_same(*pair) or _is_part(*pair) for pair in shared)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _has_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(_has_null(inner) for inner in value.values()))

"""Array and Documents: lists of values of one type, and lists of objects with fields of their own."""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING, Any

from sispy.remedies import Message, nearest

from .base import Contradiction, Field
from .cell_text import read_json
from .cells import get_path, is_missing, listed, objects, set_path, shown
from .convert import cast, from_json, is_declared, refusal
from .equality import canonical, canonical_of, equal
from .frozen import freeze, thaw
from .mixed import ANYTHING, Structured
from .object_id import ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .base import Fits, Style

_WITH_COMMAS = ("text", "choice", "reference")
"""Presentations of members that may be typed with commas between them."""


class _List(Structured):
    """A list: one cell, sent as a whole."""

    is_array = True
    json_types = (list, tuple)

    def cast(self, cell: Any) -> list[Any]:
        members = listed(cell)
        if not isinstance(members, (list, tuple)):
            raise ValueError(f"{shown(cell)} is one value: an array takes a list")
        found = []
        for position, member in enumerate(members):
            try:
                found.append(None if is_missing(member) else self._member(member))
            except ValueError as error:
                raise ValueError(f"member {position}: {error}") from None
        return found

    def _member(self, member: Any) -> Any:
        """Return the JSON value that the server would store for a member."""
        raise NotImplementedError

    def stored(self, value: Any) -> Any:
        return self.mapped(lambda field, inner: inner if inner is None else field.kind.stored(inner), value)

    def mapped(self, change: Callable[[Field, Any], Any], value: Any) -> Any:
        """Return the list with its members mapped; what is no list breaks the type and stays as it is."""
        return [self._mapped(change, member) for member in value] if isinstance(value, list) else value

    def _mapped(self, change: Callable[[Field, Any], Any], member: Any) -> Any:
        raise NotImplementedError


class Array(_List, name="Array"):
    """Values of one type."""

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        return {"item": ANYTHING}

    @property
    def item(self) -> Field:
        """What the members are."""
        return self.field.item or ANYTHING

    def _member(self, member: Any) -> Any:
        return cast(self.item, member)

    def typed(self, text: str) -> Any:
        """Return the list of a text with commas, but not of numbers: their commas may be decimal ones."""
        kind = self.item.kind
        if kind.presentation not in _WITH_COMMAS or text.lstrip()[:1] in ("[", "{", ""):
            return text
        members = chain.from_iterable(csv.reader(text.splitlines(), skipinitialspace=True))
        return [kind.typed(member.strip()) for member in members if member.strip()]

    def check(self, value: Any, fits: Fits) -> str | None:
        return _member_refusal([(str(i), self.item, member) for i, member in enumerate(value)], fits)

    def canonical(self, value: Any, *, is_sent: bool) -> Any:
        return [canonical_of(self.item, member, is_sent=is_sent) for member in value]

    def _mapped(self, change: Callable[[Field, Any], Any], member: Any) -> Any:
        return self.item.kind.mapped(change, member)

    def holds(self, value: Any) -> bool:
        return super().holds(value) and all(is_declared(self.item, member) for member in value)

    def cell_of(self, value: Any) -> Any:
        if self.item.kind.parts and isinstance(value, list):
            return tuple([None if member is None else from_json(self.item, member) for member in value])
        return freeze(value)

    def expect(self, values: Iterable[Any]) -> None:
        super().expect(values)
        if self.item.kind.is_scalar:
            self.item.kind.expect(chain.from_iterable(value for value in values if value))

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        kind = self.item.kind
        if not kind.is_scalar:
            return super().page(values, checked=checked)
        cells = [tuple(value) if value else () for value in values]
        if not checked and kind.json_types == (
            str,
        ):  # equal lists share one tuple, not those of numbers: 1 == 1.0
            shared: dict[Any, Any] = {}
            cells = [shared.setdefault(cell, cell) for cell in cells]
        return objects(cells)

    def read(self, text: str, style: Style) -> Any:
        return read_json(text, 'a list is written as ["a", "b"]')

    def to_arrow(self, cells: Any, pa: Any) -> Any:
        kind = self.item.kind.arrow
        if kind is None:
            return super().to_arrow(cells, pa)
        try:
            return pa.array(cells, type=pa.list_(getattr(pa, kind)()))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise Contradiction from error


class Documents(_List, name="Documents", declared_as=()):
    """Objects with fields of their own; the server gives each an `_id`."""

    def _member(self, member: Any) -> Any:
        if not isinstance(member, dict):
            raise ValueError(f"{shown(member)} is not an object")
        found: dict[str, Any] = {}
        if not is_missing(member.get("_id")):
            found["_id"] = cast(ID, member["_id"])
        for inner in self.field.fields:
            value = get_path(member, inner.path)
            if is_missing(value) and not _is_cleared(inner, member):
                continue
            try:
                stored = cast(inner, value)
            except ValueError as error:
                raise ValueError(f"{inner.path}: {error}") from None
            if stored is not None or _is_cleared(inner, member):
                set_path(found, inner.path, stored)
        self._refuse_unknown(member, "")
        return found

    def _refuse_unknown(self, member: Mapping[str, Any], prefix: str) -> None:
        """Raise for the first unknown key, which the server would drop without a word."""
        paths = [inner.path for inner in self.field.fields]
        for key, value in member.items():
            path = prefix + key
            if path in paths or path == "_id":
                continue
            if not any(known.startswith(f"{path}.") for known in paths):
                raise ValueError(Message(f"the schema has no {path!r} here", nearest(path, paths)))
            if isinstance(value, dict):
                self._refuse_unknown(value, f"{path}.")
            elif not is_missing(value):
                raise ValueError(f"{path}: {shown(value)} is not an object")

    def check(self, value: Any, fits: Fits) -> str | None:
        return _member_refusal(
            [
                (f"{i}.{inner.path}", inner, get_path(member, inner.path))
                for i, member in enumerate(value)
                if member is not None
                for inner in self.field.fields
            ],
            fits,
        )

    def same(self, stored: Any, sent: Any) -> bool | None:
        if not (isinstance(stored, (list, tuple)) and isinstance(sent, (list, tuple))):
            return None
        return len(stored) == len(sent) and all(map(self._same_member, stored, sent))

    def _same_member(self, a: Any, b: Any) -> bool:
        fields = self.field.fields
        if isinstance(a, dict) and isinstance(b, dict):
            known = {"_id", *(inner.path for inner in fields)}
            same_id = a.get("_id") == b.get("_id") or "_id" not in a or "_id" not in b
            if same_id and a.keys() <= known >= b.keys():  # the short way, as most are equal
                same = (equal(inner, a.get(inner.path), b.get(inner.path)) for inner in fields)
                if all(same):
                    return True
        return bool(canonical(self.field, [a], is_sent=False) == canonical(self.field, [b], is_sent=True))

    def canonical(self, value: Any, *, is_sent: bool) -> Any:
        return [
            member if member is None else self._canonical_member(member, is_sent=is_sent) for member in value
        ]

    def _canonical_member(self, member: Mapping[str, Any], *, is_sent: bool) -> dict[str, Any]:
        found = {"_id": member.get("_id", _ANYTHING)}
        for inner in self.field.fields:
            value = get_path(member, inner.path)
            if value is None and inner.default is not None:
                default = canonical_of(inner, cast(inner, inner.default), is_sent=is_sent)
                is_left_out = is_sent and not _is_cleared(inner, member)
                found[inner.path] = _NotSent(default) if is_left_out else _NOT_STORED
                continue
            value = canonical_of(inner, cast(inner, value), is_sent=is_sent)
            if value is not None and value != []:
                found[inner.path] = value
        return found

    def _mapped(self, change: Callable[[Field, Any], Any], member: Any) -> Any:
        if not isinstance(member, dict):
            return member
        found: dict[str, Any] = thaw(member)
        for inner in self.field.fields:
            value = get_path(found, inner.path)
            if value is not None:
                set_path(found, inner.path, inner.kind.mapped(change, value))
        return found

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return objects([freeze(value) if value else () for value in values])

    def read(self, text: str, style: Style) -> Any:
        return read_json(text, 'a list of objects is written as [{"key": "value"}]')


def _member_refusal(members: list[tuple[str, Field, Any]], fits: Fits) -> str | None:
    for place, field, member in members:
        reason = refusal(field, member, fits)
        if reason:
            return f"member {place}: {reason}"
    return None


def _is_cleared(field: Field, member: Any) -> bool:
    """Return whether a member of a document array has a null where it would get a default if it had nothing.

    >>> gb = Field("gb", "Number", default=8)
    >>> _is_cleared(gb, {"gb": None}), _is_cleared(gb, {})
    (True, False)
    """
    if field.default is None or not field.can_be_cleared:
        return False
    parents, _, last = field.path.rpartition(".")
    around = get_path(member, parents) if parents else member
    return isinstance(around, dict) and last in around and is_missing(around[last])


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

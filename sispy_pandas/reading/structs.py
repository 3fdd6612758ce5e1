"""Rows decoded by msgspec: every object becomes a Struct made for the schema.

A Struct holds the fields that are asked for and nothing else; where a name cannot be one of a Struct's, a
typed dict does the same. This module needs the extra `fast`.
"""

from __future__ import annotations

import re
from functools import reduce
from itertools import repeat
from operator import or_
from typing import TYPE_CHECKING, Any, Required, TypedDict

import msgspec

from ..values.types.base import Field
from ..values.types.frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Sequence


class Structs:
    """The decoder of one list.

    Args:
        tree: Fields as their objects are nested, `_id` among them: key -> Field or another such dict.
    """

    def __init__(self, tree: dict[str, Any]) -> None:
        self._struct = _Struct("Row", tree)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_list_of(self._struct.type))

    def split(self, body: bytes) -> Sequence[Any] | None:
        """Return the rows of a page, not decoded; None: the page is no list."""
        try:
            return _ROWS.decode(body)
        except _OTHER:
            return None

    def ids(self, rows: Sequence[Any]) -> Sequence[str] | None:
        """Return the `_id`s of some rows; None: one has none."""
        try:
            return [row.id for row in _IDS.decode(b"[%s]" % b",".join(rows))]
        except _OTHER:
            return None

    def columns(self, body: bytes) -> dict[str, Sequence[Any]] | None:
        """Return columns of values by dotted path; None: json must read them, by names or values."""
        columns: dict[str, Sequence[Any]] = {}
        if self._struct.is_lossy:
            return None
        try:
            self._struct.unpack(self._decoder.decode(body), "", columns)
        except _OTHER:
            return None
        return columns


class _Id(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="_id")


_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_IDS = msgspec.json.Decoder(list[_Id])
_OTHER = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec says of a page that is not as declared; too deep a one is left to json, which says so."""


def _list_of(kind: Any) -> Any:
    return list[kind]


class _Struct:
    """A type for msgspec made for a tree of fields, and the way from its instances to columns."""

    def __init__(self, name: str, tree: dict[str, Any]) -> None:
        self.children = {
            key: node if isinstance(node, Field) else _Struct(f"{name}_{i}", node)
            for i, (key, node) in enumerate(tree.items())
        }
        kinds = {key: _annotation(node) for key, node in self.children.items()}
        self.cells = {key: _Cells(kinds[key]) for key, node in self.children.items() if _is_repeated(node)}
        kinds |= dict.fromkeys(self.cells, msgspec.Raw)
        self.defaults = [_NULL if kind is msgspec.Raw else None for kind in kinds.values()]
        self.is_dict = any(map(_UNFIT.search, tree))
        inner: list[bool] = [child.is_lossy for child in self.children.values() if isinstance(child, _Struct)]
        self.is_lossy: bool = any(inner) or (self.is_dict and not all(map(str.isascii, tree)))
        """A typed dict of msgspec misses, without a word, names beyond ASCII that JSON has with escapes."""
        if self.is_dict:
            kinds |= {"_id": Required[str]} if "_id" in tree else {}
            self.type: Any = _TYPED_DICT(name, kinds, total=False)
            return
        fields = [
            (f"f{i}", kind, default)
            for i, (kind, default) in enumerate(zip(kinds.values(), self.defaults, strict=True))
        ]
        if "_id" in tree:
            fields[0] = ("f0", str)  # type: ignore[assignment] # without a default it is required
        rename = {f"f{i}": key for i, key in enumerate(tree)}
        # gc=False: JSON has no cycles, and the collector need not follow a million objects
        self.type = msgspec.defstruct(name, fields, rename=rename, gc=False)

    def _tuple(self, row: Any) -> tuple[Any, ...]:
        return tuple(map(row.get, self.children, self.defaults))

    def unpack(self, rows: Sequence[Any], prefix: str, out: dict[str, Sequence[Any]]) -> None:
        """Add a column for every leaf."""
        values = map(self._tuple if self.is_dict else msgspec.structs.astuple, rows)
        columns = zip(*values, strict=True) if rows else repeat(())
        for (key, node), column in zip(self.children.items(), columns, strict=False):
            if isinstance(node, _Struct):
                empty = node.type()
                inner = [empty if value is None else value for value in column]
                node.unpack(inner, f"{prefix}{key}.", out)
            elif key in self.cells:
                out[prefix + key] = list(map(self.cells[key].__getitem__, map(bytes, column)))
            else:
                out[prefix + key] = column


def _annotation(node: Any) -> Any:
    if isinstance(node, _Struct):
        return node.type | None
    if node.kind.is_scalar:
        return node.kind.json_types[-1] | None
    if node.item and node.item.kind.is_scalar:
        member: Any = reduce(or_, node.item.kind.json_types)
        return tuple[member | None, ...] | None  # a tuple, as the cells are
    return list[Any] | None if node.kind.is_array else Any


def _is_repeated(node: Any) -> bool:
    """Return whether many cells of a field are likely alike: they are decoded once, see `_Cells`."""
    if isinstance(node, _Struct):
        return False
    return node.kind.is_untyped or bool(node.item and node.item.kind.is_scalar)


_TYPED_DICT: Any = TypedDict  # mypy wants its names in the source, here they are a schema's
_UNFIT = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')
"""What msgspec takes in no name of a Struct's field, because such a name would be written with escapes."""
_NULL = msgspec.Raw(b"null")
_REMEMBERED = 10_000
"""Texts of which a field keeps the cells."""


class _Cells(dict[bytes, Any]):
    """The cells of a field by their JSON texts; equal texts share one, which never changes."""

    def __init__(self, kind: Any) -> None:
        self._decode = msgspec.json.Decoder(kind).decode

    def __missing__(self, text: bytes) -> Any:
        if len(self) == _REMEMBERED:
            self.clear()
        value = self._decode(text)
        self[text] = found = None if value == {} else freeze(value)
        return found

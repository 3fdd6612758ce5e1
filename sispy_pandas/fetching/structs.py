"""Rows decoded by msgspec: every object becomes a Struct made for the schema.

A Struct holds the fields that are asked for and nothing else. This module needs the extra `fast`.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec

from ..schema import Field
from ..values.frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Sequence


class Structs:
    """The decoder of one list.

    Args:
        tree: Fields as their objects are nested, `_id` among them: key -> Field or another such dict.
    """

    def __init__(self, tree: dict[str, Any]) -> None:
        self._struct = _Struct("Row", tree)
        self._split = msgspec.json.Decoder(list[msgspec.Raw])
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_list_of(self._struct.type))

    def split(self, body: bytes) -> tuple[Sequence[Any], str | None] | None:
        """Return the rows of a page, not decoded, and the last `_id`; None: the page is not as declared."""
        try:
            rows = self._split.decode(body)
            return rows, self._decoder.decode(b"[%s]" % bytes(rows[-1]))[0].f0 if rows else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def columns(self, body: bytes) -> dict[str, Sequence[Any]] | None:
        """Return columns of values by dotted path; None: a value is not of its declared type."""
        columns: dict[str, Sequence[Any]] = {}
        try:
            self._struct.unpack(self._decoder.decode(body), "", columns)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return columns


def _list_of(kind: Any) -> Any:
    return list[kind]


class _Struct:
    """A msgspec Struct made for a tree of fields, and the way from its instances to columns."""

    def __init__(self, name: str, tree: dict[str, Any]) -> None:
        self.children = {
            key: node if isinstance(node, Field) else _Struct(f"{name}_{i}", node)
            for i, (key, node) in enumerate(tree.items())
        }
        kinds = map(_annotation, self.children.values())
        fields = [(f"f{i}", kind, _NULL if kind is msgspec.Raw else None) for i, kind in enumerate(kinds)]
        if "_id" in tree:
            fields[0] = ("f0", str)  # type: ignore[assignment] # without a default it is required
        rename = {f"f{i}": key for i, key in enumerate(tree)}
        # gc=False: JSON has no cycles, and the collector need not follow a million objects
        self.type: Any = msgspec.defstruct(name, fields, rename=rename, gc=False)

    def unpack(self, rows: Sequence[Any], prefix: str, out: dict[str, Sequence[Any]]) -> None:
        """Add a column for every leaf."""
        columns = zip(*map(msgspec.structs.astuple, rows), strict=True) if rows else repeat(())
        for (key, node), column in zip(self.children.items(), columns, strict=False):
            if isinstance(node, _Struct):
                empty = node.type()
                inner = [empty if value is None else value for value in column]
                node.unpack(inner, f"{prefix}{key}.", out)
            elif node.type == "Mixed":
                out[prefix + key] = _cells(column)
            else:
                out[prefix + key] = column


def _annotation(node: Any) -> Any:
    if isinstance(node, _Struct):
        return node.type | None
    if node.type == "Mixed":
        return msgspec.Raw  # see _cells
    if node.type == "Array" and node.item and node.item.type in _SCALARS:
        member: Any = int | float if node.item.type == "Number" else _SCALARS[node.item.type]
        return tuple[member | None, ...] | None  # a tuple, as the cells are
    if node.type in ("Array", "Documents"):
        return list[Any] | None
    if node.type == "Date" and node.path.startswith("_"):
        return int | None
    return _SCALARS[node.type] | None if node.type in _SCALARS else Any


_SCALARS: dict[str, type] = {"String": str, "ObjectId": str, "Date": str, "Number": float, "Boolean": bool}


_NULL = msgspec.Raw(b"null")
_MIXED = msgspec.json.Decoder(list[Any])


def _cells(raw: Sequence[msgspec.Raw]) -> list[Any]:
    """Decode Mixed values to cells; equal texts, of which there are many, share one, which never changes."""
    texts = list(map(bytes, raw))
    distinct = set(texts)
    values = _MIXED.decode(b"[%s]" % b",".join(distinct))
    cells = dict(zip(distinct, [None if value == {} else freeze(value) for value in values], strict=True))
    return list(map(cells.__getitem__, texts))

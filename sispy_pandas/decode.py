"""Bytes of a page to columns of JSON values: by msgspec if it is installed, else by json.

With msgspec every object becomes a Struct made for the schema, which holds the fields that are asked for and
nothing else. A page with a value that breaks its declared type goes through json, so that the value survives.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sispy.errors import NotJSON

from .schema import RECEIPT, Field

try:
    import msgspec
except ImportError:
    msgspec = None  # type: ignore[assignment] # optional: json takes its place

_BLOCK = 256
"""Rows that are turned into columns at once: few enough to stay in the processor's cache."""

_STORED = Field(f"_sis.{RECEIPT.path}", "Date")


@dataclass(frozen=True, slots=True)
class Rows:
    """A decoded page: columns of JSON values by dotted path, among them `_id` and `_updated_at`."""

    columns: dict[str, Sequence[Any]]
    checked: bool
    """Values are known to be of their declared types."""
    invalid: tuple[int, ...] = ()
    """Positions of rows with bytes that are no UTF-8; U+FFFD stands for them."""

    def __len__(self) -> int:
        return len(self.columns["_id"])


class Decoder:
    """Decode pages of one list.

    Args:
        fields: The fields to take out of every object; all else is skipped.
        fast: False: json, even if msgspec is installed.
    """

    def __init__(self, fields: Sequence[Field], *, fast: bool = True) -> None:
        self._tree = _tree([Field("_id", "String"), _STORED, *fields])
        self._struct = _Struct("Row", self._tree) if msgspec and fast else None
        self._decoder = msgspec.json.Decoder(_list_of(self._struct.type)) if self._struct else None

    def decode(self, body: bytes) -> Rows:
        """Return the columns of a page.

        Raises:
            NotJSON: The body is no list of JSON objects.
        """
        columns: dict[str, Sequence[Any]] = {}
        with _no_collection():
            if self._decoder and self._struct:
                try:
                    rows = self._decoder.decode(body)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    pass
                else:
                    self._struct.unpack(rows, "", columns)
                    return _renamed(columns, checked=True)
            records, invalid = _loaded(body)
            _unpack(records, self._tree, "", columns)
        return _renamed(columns, checked=False, invalid=invalid)


def _list_of(kind: Any) -> Any:
    return list[kind]


def _renamed(columns: dict[str, Sequence[Any]], *, checked: bool, invalid: tuple[int, ...] = ()) -> Rows:
    columns[RECEIPT.path] = columns.pop(_STORED.path)
    return Rows(columns, checked, invalid)


def _loaded(body: bytes) -> tuple[list[Any], tuple[int, ...]]:
    """Decode by json, and name the rows in which bytes had to be replaced."""
    try:
        try:
            records, broken = json.loads(body), False
        except UnicodeDecodeError:
            records, broken = json.loads(body.decode(errors="replace")), True
    except ValueError as error:
        raise NotJSON(f"the page is no JSON ({error})") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) and "_id" in r for r in records):
        raise NotJSON(f"the page is no list of objects with _id: {body[:60].decode(errors='replace')}")
    invalid = [i for i, r in enumerate(records) if broken and "\ufffd" in json.dumps(r, ensure_ascii=False)]
    return records, tuple(invalid)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the cyclic garbage collector, which finds nothing in fresh JSON but looks for long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _tree(fields: Sequence[Field]) -> dict[str, Any]:
    """Arrange fields as their objects are nested: key -> Field or another dict."""
    tree: dict[str, Any] = {}
    for field in fields:
        *parents, last = field.path.split(".")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = field
    return tree


def _unpack(records: Sequence[Any], tree: dict[str, Any], prefix: str, out: dict[str, Sequence[Any]]) -> None:
    for key, node in tree.items():
        values = [record.get(key) for record in records]
        if isinstance(node, Field):
            out[prefix + key] = values
        else:
            inner = [value if value.__class__ is dict else _EMPTY for value in values]
            _unpack(inner, node, f"{prefix}{key}.", out)


_EMPTY: dict[str, Any] = {}


class _Struct:
    """A msgspec Struct made for a tree of fields, and the way from its instances to columns."""

    def __init__(self, name: str, tree: dict[str, Any]) -> None:
        self.children = {
            key: node if isinstance(node, Field) else _Struct(f"{name}_{i}", node)
            for i, (key, node) in enumerate(tree.items())
        }
        fields = [(f"f{i}", _annotation(node), None) for i, node in enumerate(self.children.values())]
        if "_id" in tree:
            fields[0] = ("f0", str)  # type: ignore[assignment] # without a default it is required
        rename = {f"f{i}": key for i, key in enumerate(tree)}
        # gc=False: JSON has no cycles, and the collector need not follow a million objects
        self.type: Any = msgspec.defstruct(name, fields, rename=rename, gc=False)

    def unpack(self, rows: Sequence[Any], prefix: str, out: dict[str, Sequence[Any]]) -> None:
        """Add a column for every leaf."""
        columns: list[list[Any]] = [[] for _ in self.children]
        extend = [column.extend for column in columns]
        for start in range(0, len(rows), _BLOCK):
            block = zip(*map(msgspec.structs.astuple, rows[start : start + _BLOCK]), strict=True)
            for add, values in zip(extend, block, strict=True):
                add(values)
        for (key, node), column in zip(self.children.items(), columns, strict=True):
            if isinstance(node, _Struct):
                empty = node.type()
                inner = [empty if value is None else value for value in column]
                node.unpack(inner, f"{prefix}{key}.", out)
            else:
                out[prefix + key] = column


def _annotation(node: Any) -> Any:
    if isinstance(node, _Struct):
        return node.type | None
    if node.type == "Array" and node.item and node.item.type in _SCALARS:
        member: Any = int | float if node.item.type == "Number" else _SCALARS[node.item.type]
        return tuple[member | None, ...] | None  # a tuple, as the cells are
    if node.type in ("Array", "Documents"):
        return list[Any] | None
    if node.type == "Date" and node.path.startswith("_"):
        return int | None
    return _SCALARS[node.type] | None if node.type in _SCALARS else Any


_SCALARS: dict[str, type] = {"String": str, "ObjectId": str, "Date": str, "Number": float, "Boolean": bool}

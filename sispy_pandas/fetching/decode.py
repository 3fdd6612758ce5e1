"""Bytes of a page to columns of JSON values: by msgspec if it is installed, else by json.

With msgspec every object becomes a Struct made for the schema, which holds the fields that are asked for and
nothing else. A page with a value that breaks its declared type goes through json, so that the value survives.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

from sispy.errors import NotJSON

from ..schema import RECEIPT, Field

try:
    import msgspec
except ImportError:
    msgspec = None  # type: ignore[assignment] # optional: json takes its place

_BLOCK = 512
"""Rows that are turned into columns at once: few enough to stay in the processor's cache."""

_STORED = Field(f"_sis.{RECEIPT.path}", "Date")


@dataclass(frozen=True, slots=True)
class Rows:
    """A block of a page: columns of JSON values by dotted path, among them `_id` and `_updated_at`."""

    columns: dict[str, Sequence[Any]]
    checked: bool
    """Values are known to be of their declared types."""
    invalid: tuple[int, ...] = ()
    """Positions of rows with bytes that are no UTF-8; U+FFFD stands for them."""

    def __len__(self) -> int:
        return len(self.columns["_id"])


class Body:
    """A page that is not decoded yet: its number of rows, its last id, and its blocks of rows."""

    def __init__(
        self, rows: Sequence[Any], last_id: str | None, read: Callable[[Sequence[Any]], Rows]
    ) -> None:
        self.last_id = last_id
        self._rows = rows
        self._read = read

    def __len__(self) -> int:
        return len(self._rows)

    def blocks(self) -> Iterator[Rows]:
        """Yield the rows, some hundred at a time; of an empty page one empty block.

        Raises:
            NotJSON: Rows are no JSON objects.
        """
        for start in range(0, len(self._rows), _BLOCK) or (0,):
            yield self._read(self._rows[start : start + _BLOCK])


class Decoder:
    """Decode pages of one list.

    Args:
        fields: The fields to take out of every object; all else is skipped.
        fast: False: json, even if msgspec is installed.
    """

    def __init__(self, fields: Sequence[Field], *, fast: bool = True) -> None:
        self._tree = _tree([Field("_id", "String"), _STORED, *fields])
        self._split: Any = None
        if msgspec and fast:
            self._struct = _Struct("Row", self._tree)
            self._split = msgspec.json.Decoder(list[msgspec.Raw])
            self._decoder = msgspec.json.Decoder(_list_of(self._struct.type))

    def open(self, body: bytes) -> Body:
        """Return a page whose rows can be counted, and decoded block by block.

        Raises:
            NotJSON: The body is no list of JSON objects.
        """
        if self._split:
            try:
                rows = self._split.decode(body)
                last = self._decoder.decode(b"[%s]" % bytes(rows[-1]))[0].f0 if rows else None
            except (msgspec.DecodeError, UnicodeDecodeError):
                pass
            else:
                return Body(rows, last, self._read_raw)
        with no_collection():
            records, invalid = _loaded(body)

        def read(part: Sequence[Any]) -> Rows:
            found = self._read_records(part)
            return replace(found, invalid=tuple(i for i, r in enumerate(part) if id(r) in invalid))

        return Body(records, records[-1]["_id"] if records else None, read)

    def _read_raw(self, rows: Sequence[Any]) -> Rows:
        body = b"[%s]" % b",".join(rows)
        try:
            decoded = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            records, invalid = _loaded(body)
            at = tuple(i for i, record in enumerate(records) if id(record) in invalid)
            return replace(self._read_records(records), invalid=at)
        columns: dict[str, Sequence[Any]] = {}
        self._struct.unpack(decoded, "", columns)
        columns[RECEIPT.path] = columns.pop(_STORED.path)
        return Rows(columns, checked=True)

    def _read_records(self, records: Sequence[Any]) -> Rows:
        columns: dict[str, Sequence[Any]] = {}
        _unpack(records, self._tree, "", columns)
        columns[RECEIPT.path] = columns.pop(_STORED.path)
        return Rows(columns, checked=False)


def _list_of(kind: Any) -> Any:
    return list[kind]


def _loaded(body: bytes) -> tuple[list[Any], frozenset[int]]:
    """Decode by json, and name (by `id`) the records in which bytes had to be replaced."""
    try:
        try:
            records, broken = json.loads(body), False
        except UnicodeDecodeError:
            records, broken = json.loads(body.decode(errors="replace")), True
    except ValueError as error:
        raise NotJSON(f"the page is no JSON ({error})") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) and "_id" in r for r in records):
        raise NotJSON(f"the page is no list of objects with _id: {body[:60].decode(errors='replace')}")
    odd = [r for r in records if broken and "\ufffd" in json.dumps(r, ensure_ascii=False)]
    return records, frozenset(map(id, odd))


@contextmanager
def no_collection() -> Iterator[None]:
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
    columns = (
        zip(*[tuple(map(record.get, tree)) for record in records], strict=True) if records else repeat(())
    )
    for (key, node), values in zip(tree.items(), columns, strict=False):
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
        columns = zip(*map(msgspec.structs.astuple, rows), strict=True) if rows else repeat(())
        for (key, node), column in zip(self.children.items(), columns, strict=False):
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

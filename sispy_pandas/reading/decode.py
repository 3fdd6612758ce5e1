"""Bytes of a page to columns of JSON values: by msgspec (see `structs`) if it is installed, else by json.

A block of rows with a value that breaks its declared type goes through json, so that the value survives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from sispy.errors import NotJSON

from ..values.extras import no_collection
from ..values.schema import RECEIPT
from ..values.types.base import Field
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from .structs import Structs

_BLOCK = 512
"""Rows that are turned into columns at once: few enough to stay in the processor's cache."""

_STORED = Field(f"_sis.{RECEIPT.path}", "Date")


@dataclass(frozen=True, slots=True)
class Rows:
    """A block of a page: columns of JSON values by dotted path, among them `_id` and `_updated_at`."""

    columns: dict[str, Sequence[Any]]
    checked: bool
    """Values are known to be of their declared types; Mixed ones are cells already."""
    invalid: tuple[int, ...] = ()
    """Positions of rows with bytes that are not UTF-8; U+FFFD stands for them."""

    def __len__(self) -> int:
        return len(self.columns["_id"])


class Body:
    """A page that is not decoded yet: its number of rows, the `_id`s at its ends, and its blocks of rows."""

    def __init__(
        self, rows: Sequence[Any], bounds: Sequence[str], read: Callable[[Sequence[Any]], Rows]
    ) -> None:
        self.bounds = bounds
        """First and last `_id`; of one row its own alone."""
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
        self._tree = _tree([ID, _STORED, *fields])
        self._structs = _structs(self._tree) if fast else None

    def open(self, body: bytes) -> Body:
        """Return a page whose rows can be counted, and decoded block by block.

        Raises:
            NotJSON: The body is not a list of JSON objects.
        """
        if self._structs and (rows := self._structs.split(body)) is not None:
            bounds = self._structs.ids(_ends(rows))
            if bounds is not None:
                return Body(rows, bounds, partial(self._read_raw, self._structs))
        with no_collection():
            records, invalid = _loaded(body)

        def read(part: Sequence[Any]) -> Rows:
            found = self._read_records(part)
            return replace(found, invalid=tuple(i for i, r in enumerate(part) if id(r) in invalid))

        return Body(records, [record["_id"] for record in _ends(records)], read)

    def _read_raw(self, structs: Structs, rows: Sequence[Any]) -> Rows:
        body = b"[%s]" % b",".join(rows)
        columns = structs.columns(body)
        if columns is None:
            records, invalid = _loaded(body)
            at = tuple(i for i, record in enumerate(records) if id(record) in invalid)
            return replace(self._read_records(records), invalid=at)
        columns[RECEIPT.path] = columns.pop(_STORED.path)
        return Rows(columns, checked=True)

    def _read_records(self, records: Sequence[Any]) -> Rows:
        columns = _columns(records, self._tree)
        columns[RECEIPT.path] = columns.pop(_STORED.path)
        return Rows(columns, checked=False)


def _ends(rows: Sequence[Any]) -> Sequence[Any]:
    """Return the first and the last row; of fewer than two rows what there is."""
    return rows if len(rows) < 3 else (rows[0], rows[-1])


def _structs(tree: dict[str, Any]) -> Structs | None:
    """Return the decoder by Structs, if msgspec is installed; it is imported when the first list is read."""
    try:
        from .structs import Structs
    except ImportError:
        return None
    return Structs(tree)


def _loaded(body: bytes) -> tuple[list[Any], frozenset[int]]:
    """Decode by json, and name (by `id`) the records in which bytes had to be replaced."""
    try:
        try:
            records, broken = json.loads(body), False
        except UnicodeDecodeError:
            records, broken = json.loads(body.decode(errors="replace")), True
    except RecursionError as error:
        raise NotJSON(f"the page is nested too deeply to be read ({error})") from error
    except ValueError as error:
        raise NotJSON(f"the page is not JSON ({error})") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) and "_id" in r for r in records):
        raise NotJSON(f"the page is not a list of objects with _id: {body[:60].decode(errors='replace')}")
    odd = [r for r in records if broken and "\ufffd" in json.dumps(r, ensure_ascii=False)]
    return records, frozenset(map(id, odd))


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


def columns_of(records: Sequence[Any], fields: Sequence[Field]) -> dict[str, Sequence[Any]]:
    """Return columns of the JSON values in nested records by dotted path; None where a record has none."""
    return _columns(records, _tree(fields))


def _columns(records: Sequence[Any], tree: dict[str, Any]) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {}
    _unpack(records, tree, "", columns)
    return columns


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

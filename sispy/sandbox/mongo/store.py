"""Documents in memory: collections with unique keys, and the JSON of what they hold.

A stored document is never changed in place: writers install a new one, so that whoever still reads or encodes
the old one is undisturbed. Each document's JSON is kept beside it once somebody has asked for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.scalars import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Document = dict[str, Any]
Key = tuple[type, Any]


class DuplicateKey(Exception):
    """A unique field holds the value already."""

    def __init__(self, collection: str, path: str, value: Any) -> None:
        super().__init__(
            f"E11000 duplicate key error collection: sis.{collection} index: {path}_1"
            f" dup key: {{ : {value!r} }}"
        )


class Collection:
    """Documents by `_id`, in the order of their insertion, with unique keys."""

    def __init__(
        self,
        name: str,
        unique: Mapping[str, bool] | None = None,
        on_change: Callable[[str, str, Document | None], None] = lambda *_: None,
    ) -> None:
        self.name = name
        self.documents: dict[str, Document] = {}
        self.encoded: dict[str, bytes] = {}
        self.on_change = on_change
        self.keys: dict[str, dict[Key, str]] = {}
        self.sparse: set[str] = set()
        self.clashing: set[str] = set()
        """Unique paths at which documents collide, as they were there before the index."""
        self.ordered: bool = True
        """Whether the order of insertion is that of the ids."""
        self._last = ""
        self._ids: list[str] | None = []
        self.index(unique or {})

    def __len__(self) -> int:
        return len(self.documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.documents.values())

    def index(self, unique: Mapping[str, bool]) -> None:
        """Set the unique paths, and whether sparse; where documents collide, the first has the key."""
        self.sparse = {path for path, sparse in unique.items() if sparse}
        self.keys = {path: {} for path in unique}
        self.clashing = set()
        for name, document in self.documents.items():
            for path, keys in self.keys.items():
                if any(keys.setdefault(key, name) != name for key in self._keys(document, path)):
                    self.clashing.add(path)

    def find(self, path: str, value: Any) -> Document | None:
        """Return the document that holds a value in a unique field, at the price of one look-up."""
        found = self.keys[path].get(_key(value))
        return self.documents[found] if found else None

    def check(self, document: Document) -> None:
        """Raise DuplicateKey if a unique value of a document belongs to another one."""
        for path, keys in self.keys.items():
            for key in self._keys(document, path):
                if keys.get(key, document["_id"]) != document["_id"]:
                    raise DuplicateKey(self.name, path, key[1])

    def insert(self, document: Document) -> None:
        """Store a new document.

        Raises:
            DuplicateKey: A unique value is taken; nothing is stored.
        """
        self.check(document)
        self.restore(document)

    def restore(self, document: Document) -> None:
        """Store a document that was stored elsewhere before; what it shares with others is not looked for."""
        name = document["_id"]
        if name < self._last:
            self.ordered, self._ids = False, None
        elif self._ids is not None:
            self._ids.append(name)
        self._last = max(self._last, name)
        self._put(name, document)

    def replace(self, document: Document) -> None:
        """Store a new state of a document.

        Raises:
            DuplicateKey: A unique value is taken; the old state stays.
        """
        self.check(document)
        name = document["_id"]
        self._forget_keys(self.documents[name])
        self._put(name, document)

    def delete(self, name: str) -> Document:
        """Remove and return a document."""
        document = self.documents.pop(name)
        self._forget_keys(document)
        self.encoded.pop(name, None)
        self._ids = None
        self.on_change(self.name, name, None)
        return document

    def rewrite(self, change: Callable[[Document], Document]) -> None:
        """Put every document through a function, as a change of the schema does."""
        self.encoded.clear()
        for name, document in list(self.documents.items()):
            changed = change(document)
            if changed is not document:
                self.documents[name] = changed
                self.on_change(self.name, name, changed)

    def ids_between(self, low: str | None, high: str | None, *, low_in: bool, high_in: bool) -> list[str]:
        """Return the ids of a range in ascending order."""
        ids = self.sorted_ids()
        start = 0 if low is None else (bisect_left if low_in else bisect_right)(ids, low)
        stop = len(ids) if high is None else (bisect_right if high_in else bisect_left)(ids, high)
        return ids[start:stop]

    def sorted_ids(self) -> list[str]:
        """Return all ids in ascending order; the list is the collection's own."""
        if self._ids is None:
            self._ids = sorted(self.documents)
        return self._ids

    def _put(self, name: str, document: Document) -> None:
        self.documents[name] = document
        self.encoded.pop(name, None)
        for path, keys in self.keys.items():
            for key in self._keys(document, path):
                keys[key] = name
        self.on_change(self.name, name, document)

    def _forget_keys(self, document: Document) -> None:
        for path, keys in self.keys.items():
            for key in self._keys(document, path):
                if keys.get(key) == document["_id"]:
                    del keys[key]

    def _keys(self, document: Document, path: str) -> list[Key]:
        """Return a document's keys for one path; a missing value counts as null unless the index is sparse.

        Null itself is a value, in a sparse index, too: the second one is a duplicate.
        """
        if "." not in path:
            value = document.get(path, MISSING)
            if type(value) is str:
                return [(str, value)]
            values = list(value) if isinstance(value, list) else [value]
        else:
            values = list(_values(document, path.split(".")))
        present = [value for value in values if value is not None and value is not MISSING]
        if present:
            return [_key(value) for value in present]
        return [(type(None), None)] if path not in self.sparse or None in values else []


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        yield from _values(value.get(path[0], MISSING), path[1:])


def _key(value: Any) -> Key:
    if isinstance(value, dict | list):
        return (type(value), repr(value))
    return (float, float(value)) if type(value) is int else (type(value), value)

"""Names for references: what people call the entities whose ids a column holds."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sispy import Error, NotFound

from ..reading.chunks import selecting
from ..values.schema import parse_schema
from ..values.types.cells import get_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sispy import Client

_AT_ONCE = 150  # ids in one request: its URL stays below 6 KB
_NAMES_AT_ONCE = 50  # likewise; names may be long
_FOUND = 50  # suggestions


class ServerLabels:
    """Ask the server for the key fields of referred entities, each once; ids stay where it has no answer.

    Any thread may use it. A server that fails costs the names, nothing else.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, dict[str, str]] = {}
        self._keys: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def of(self, schema: str, ids: Sequence[str]) -> dict[str, str]:
        """Return id -> name of those entities that exist."""
        with self._lock:
            known = self._known.setdefault(schema, {})
            missing = sorted({id_ for id_ in ids if id_ not in known})
            with suppress(Error):
                for start in range(0, len(missing), _AT_ONCE):
                    some = missing[start : start + _AT_ONCE]
                    named = dict(self._ask(schema, {"_id": {"$in": some}}, len(some)))
                    known |= dict.fromkeys(some, "") | named
            return {id_: known[id_] for id_ in ids if known.get(id_)}

    def ids(self, schema: str, names: Sequence[str]) -> dict[str, str]:
        """Return name -> id of those entities that exist; a name has to be written as it is stored."""
        with self._lock:
            known = self._known.setdefault(schema, {})
            missing = sorted(set(names).difference(known.values()))
            with suppress(Error):
                for start in range(0, len(missing), _NAMES_AT_ONCE):
                    if (key := self._key(schema)) is not None:
                        some = missing[start : start + _NAMES_AT_ONCE]
                        known |= dict(self._ask(schema, {key: {"$in": some}}, len(some)))
            by_name = {name: id_ for id_, name in known.items()}
        return {name: by_name[name] for name in names if name in by_name}

    def find(self, schema: str, text: str) -> list[tuple[str, str]]:
        """List up to 50 (id, name) whose name holds the text, regardless of case, in the order of names."""
        with suppress(Error):
            key = self._key(schema)
            q = {key: {"$regex": re.escape(text), "$options": "i"}} if key and text else {}
            return self._ask(schema, q, _FOUND)
        return []

    def _key(self, schema: str) -> str | None:
        if schema not in self._keys:
            try:
                self._keys[schema] = parse_schema(self._client.schemas.get(schema).to_dict()).key
            except NotFound:
                self._keys[schema] = None  # a reference may outlive its schema
        return self._keys[schema]

    def _ask(self, schema: str, q: dict[str, Any], limit: int) -> list[tuple[str, str]]:
        key = self._key(schema)
        if key is None:
            return []
        query = {"q": q or None, **selecting([key]), "sort": key, "limit": limit, "populate": False}
        page = self._client.entities(schema).fetch_page(query)
        found = [(entry["_id"], get_path(entry, key)) for entry in page]
        return [(id_, str(name)) for id_, name in found if name is not None]

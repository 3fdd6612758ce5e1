"""Names for references: what people call the entities whose ids a column holds."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from sispy import Error, NotFound

from ..reading.names import ids_by_name, names_by_id, names_in_any_case, names_with
from ..values.schema import parse_schema
from .grid_names import SEVERAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sispy import Client

    from ..values.schema import Schema

_FOUND = 50  # suggestions
_ALIKE = 3_000  # names that are looked for in any case at once, which no index of the server helps with


class ServerLabels:
    """Ask the server for the key fields of referred entities, each once; ids stay where it has no answer.

    Any thread may use it. If the server fails, only the names are missing.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, dict[str, str]] = {}
        self._targets: dict[str, tuple[Schema, str] | None] = {}
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Ask again for names that are known: rows may have others now."""
        with self._lock:
            self._known.clear()
            self._targets.clear()

    def of(self, schema: str, ids: Sequence[str]) -> dict[str, str]:
        """Return id -> name of those entities that exist."""
        with self._lock:
            known = self._known.setdefault(schema, {})
            missing = {id_ for id_ in ids if id_ not in known}
            with suppress(Error):
                if missing and (target := self._target(schema)) is not None:
                    found = names_by_id(self._client, *target, missing)
                    known |= dict.fromkeys(missing, "") | found
            return {id_: known[id_] for id_ in ids if known.get(id_)}

    def ids(self, schema: str, names: Sequence[str]) -> dict[str, str]:
        """Return name -> id, of an unknown name an empty text; what the server does not tell is missing.

        A name in another case counts where only one entity is called so; of more it is SEVERAL.
        """
        alike: dict[str, str] = {}
        with self._lock:
            known = self._known.setdefault(schema, {})
            missing = set(names).difference(known.values())
            with suppress(Error):
                if missing and (target := self._target(schema)) is not None:
                    found = ids_by_name(self._client, *target, missing)
                    known |= {ids[0]: name for name, ids in found.items() if len(ids) == 1}
                    others = sorted(missing - found.keys())[:_ALIKE]
                    if others:
                        near = names_in_any_case(self._client, *target, others)
                        known |= near
                        alike = _matched(others, near)
            by_name = {name: id_ for id_, name in known.items()}
        by_name = {**alike, **by_name}
        return {name: by_name[name] for name in names if name in by_name}

    def find(self, schema: str, text: str) -> list[tuple[str, str]]:
        """Return up to 50 (id, name) whose name holds the text, regardless of case, in the order of names."""
        with suppress(Error):
            if (target := self._target(schema)) is not None:
                return names_with(self._client, *target, text, _FOUND)
        return []

    def _target(self, schema: str) -> tuple[Schema, str] | None:
        """Return a schema and the field that names its rows, if there is one."""
        if schema not in self._targets:
            try:
                found = parse_schema(self._client.schemas.get(schema).to_dict())
            except NotFound:  # a reference may outlive its schema
                self._targets[schema] = None
            else:
                self._targets[schema] = (found, found.key) if found.key else None
        return self._targets[schema]


def _matched(names: Iterable[str], near: Mapping[str, str]) -> dict[str, str]:
    """Return name -> id of the only one that is called so in any case; an empty text of none, or SEVERAL."""
    ids: dict[str, list[str]] = {}
    for id_, name in near.items():
        ids.setdefault(name.casefold(), []).append(id_)
    found = {name: ids.get(name.casefold(), [""]) for name in names}
    return {name: called[0] if len(called) == 1 else SEVERAL for name, called in found.items()}

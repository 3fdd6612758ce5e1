"""The tables of a server: their schemas, how many rows each has, and which refers to which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sispy.remedies import Message, nearest

from ...values.definition import branches
from ...values.references import reference_fields
from ...values.schema import Schema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy import Client


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that refers from one table to another."""

    table: str
    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A table that was searched for, and the fields in which the text was found."""

    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Tables:
    """All tables of a server, in the order of their names."""

    schemas: Mapping[str, Schema] = field(default_factory=dict)
    counts: Mapping[str, int | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.schemas)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """All references between tables that are there."""
        return tuple(
            Reference(name, path, target)
            for name, schema in self.schemas.items()
            for path, target in reference_fields(schema)
            if target in self.schemas
        )

    @cached_property
    def _searched(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(one.path for one in branches(s.fields)) for name, s in self.schemas.items()}

    def search(self, text: str) -> list[Hit]:
        """Return the tables whose name or fields hold a text, regardless of case, names before fields."""
        text = text.strip().lower()
        if not text:
            return [Hit(name) for name in self.schemas]
        hits = [
            Hit(name, tuple(path for path in paths if text in path.lower()))
            for name, paths in self._searched.items()
        ]
        found = [hit for hit in hits if hit.fields or text in hit.name.lower()]
        return sorted(found, key=lambda hit: text not in hit.name.lower())  # stable

    def lookup(self, name: str) -> Schema:
        """Return a schema.

        Raises:
            ValueError: There is none of that name; the message names similar ones.
        """
        if name not in self.schemas:
            raise ValueError(Message(f"the server has no schema {name!r}", nearest(name, self.schemas)))
        return self.schemas[name]


def read_tables(client: Client, check: Callable[[], None]) -> Tables:
    """Read all schemas with their counts; `check` is asked between them whether to go on.

    Raises:
        sispy.Error: The server could not be asked.
    """
    found: dict[str, tuple[Schema, Any]] = {}
    for document in client.schemas.fetch_all({"with_counts": True}):
        check()
        schema = parse_schema(document)
        found[schema.name] = schema, document.get("entity_count")
    ordered = dict(sorted(found.items()))
    return Tables(
        {name: schema for name, (schema, _) in ordered.items()},
        {name: count for name, (_, count) in ordered.items()},
    )

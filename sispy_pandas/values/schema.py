"""A schema's definition, parsed: what every column of a frame is and which values it takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sispy.remedies import Message, nearest
from sispy.text import printable

from .types.base import DECLARED, Field
from .types.cells import shown


def _meta(name: str, type: str, item: str | None = None) -> Field:  # noqa: A002 - the field's own name
    return Field(f"_sis.{name}", type, item=Field("", item) if item else None)


META = (
    _meta("_created_at", "Date"),
    _meta("_created_by", "String"),
    _meta("_updated_by", "String"),
    _meta("owner", "Array", "String"),
    _meta("tags", "Array", "String"),
    _meta("locked", "Boolean"),
    _meta("immutable", "Boolean"),
    _meta("any_owner_can_modify", "Boolean"),
)
"""The fields of `_sis` that a frame shows on request, in its order. Times are ms since 1970 in JSON."""

RECEIPT = Field("_updated_at", "Date")
"""The last column of every frame: `_sis._updated_at` of the state that the row was read in."""


@dataclass(frozen=True)
class Schema:
    """A SIS schema, parsed.

    `fields` are its columns, `field(path)` finds one, `key` is the field that people know rows by. It is read
    from a server's document by `parse_schema` and never changes.

    Example:
        >>> schema = parse_schema({"name": "disk", "definition": {"dev": "String", "gb": "Number"}})
        >>> schema.columns, schema.field("gb").type
        (('dev', 'gb'), 'Number')
    """

    name: str
    fields: tuple[Field, ...]
    """In the order of the definition."""
    id_field: str
    """The field that may stand for `_id` in URLs; `_id` if there is none."""
    definition: Mapping[str, Any] = field(hash=False)
    owner: tuple[str, ...] = ()
    locked_fields: tuple[str, ...] = ()
    track_history: bool = True
    is_open: bool = False
    is_public: bool = False
    any_owner_can_modify: bool = False
    description: str | None = None

    def __repr__(self) -> str:
        return f"<Schema of {printable(self.name)}: {len(self.fields):,} fields>"

    @cached_property
    def _by_path(self) -> dict[str, Field]:
        return {f.path: f for f in (*self.fields, *META, RECEIPT)}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Paths of all fields, in the order of the definition."""
        return tuple(f.path for f in self.fields)

    @cached_property
    def tops(self) -> tuple[str, ...]:
        """Names of the members of a row that hold the fields: "os" for "os.name"; beside `fields`."""
        return tuple(path.partition(".")[0] for path in self.columns)

    @cached_property
    def key(self) -> str | None:
        """The field by which people know a row: the id field, else the first unique String or Number."""
        if self.id_field != "_id":
            return self.id_field
        return next((f.path for f in self.fields if f.unique and f.kind.is_name), None)

    @cached_property
    def hash(self) -> str:
        """A fingerprint of definition and id field: the same on every run and for every order of keys."""
        text = json.dumps([self.definition, self.id_field], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def field(self, path: str) -> Field:
        """Return the field at a dotted path; those of `_sis` and the receipt `_updated_at` count as well.

        Raises:
            ValueError: No such field; the message names those of similar spelling.
        """
        found = self._by_path.get(path)
        if found is None:
            raise ValueError(self._no_field(path))
        return found

    def _no_field(self, path: str) -> str:
        """Return what a path is that is no field: a document, a part of a cell, or nothing."""
        if below := [column for column in self.columns if column.startswith(f"{path}.")]:
            return f"{shown(path)} has fields of its own: {', '.join(below[:5])}"
        if above := next((column for column in self.columns if path.startswith(f"{column}.")), None):
            return f"{shown(path)} lies in {shown(above)}, which is one cell"
        return Message(f"schema {self.name!r} has no field {shown(path)}", nearest(path, self.columns))


def parse_schema(document: Mapping[str, Any]) -> Schema:
    """Parse a schema object as the server returns it (SIS-API 4.1, 4.2).

    A type that is not known makes no error: such a field reads as Mixed, and `Field.unknown` names it.

    >>> parse_schema({"name": "os", "definition": {"name": "String", "v": {"n": "number"}}}).columns
    ('name', 'v.n')

    Raises:
        ValueError: The object has no name or no definition.
    """
    name, definition = document.get("name"), document.get("definition")
    if not isinstance(name, str) or not isinstance(definition, Mapping):
        raise ValueError(f"not a schema (it needs a name and a definition): {str(document)[:80]}")
    fields = [f for key, value in definition.items() if key != "_sis" for f in _fields(key, value)]
    sis = document.get("_sis") or {}
    owner = sis.get("owner") or ()
    return Schema(
        name=name,
        fields=tuple(fields),
        id_field=document.get("id_field") or "_id",
        definition=definition,
        owner=(owner,) if isinstance(owner, str) else tuple(owner),
        locked_fields=tuple(document.get("locked_fields") or ()),
        track_history=document.get("track_history") is not False,
        is_open=bool(document.get("is_open")),
        is_public=bool(document.get("is_public")),
        any_owner_can_modify=bool(document.get("any_owner_can_modify")),
        description=document.get("description"),
    )


def _fields(path: str, value: Any) -> list[Field]:
    """Return the leaves that one entry of a definition stands for."""
    if isinstance(value, Mapping):
        kind = value.get("type")
        if "type" not in value or (isinstance(kind, Mapping) and "type" in kind):
            if not value:
                return [Field(path, "Mixed")]
            return [f for key, inner in value.items() for f in _fields(f"{path}.{key}", inner)]
        return [_leaf(path, kind, value)]
    return [_leaf(path, value, {})]


def _leaf(path: str, kind: Any, options: Mapping[str, Any]) -> Field:
    common: dict[str, Any] = {
        "required": options.get("required") is True,
        "unique": options.get("unique") is True,
        "default": options.get("default"),
        "description": options.get("description") if isinstance(options.get("description"), str) else None,
    }
    if isinstance(kind, list):
        return _array(path, kind, common)
    if isinstance(kind, Mapping):
        return Field(path, "Mixed", **common)
    known = DECLARED.get(kind[:1].upper() + kind[1:]) if isinstance(kind, str) else None
    if known is None:
        return Field(path, "Mixed", unknown=str(kind), **common)
    return Field(path, known.name, **common, **known.options(options))


def _array(path: str, kind: Sequence[Any], common: dict[str, Any]) -> Field:
    member = kind[0] if kind else "Mixed"
    if (
        isinstance(member, Mapping)
        and member
        and ("type" not in member or (isinstance(member["type"], Mapping) and "type" in member["type"]))
    ):
        inner = [f for key, value in member.items() if key != "_id" for f in _fields(key, value)]
        return Field(path, "Documents", fields=tuple(inner), **common)
    (item,) = _fields("", member)
    return Field(path, "Array", item=item, **common)

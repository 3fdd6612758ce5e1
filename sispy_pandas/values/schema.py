"""A schema's definition, parsed: what every column of a frame is and which values it takes."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from .dates import milliseconds

Type = Literal["String", "Number", "Boolean", "Date", "ObjectId", "IpAddress", "Mixed", "Array", "Documents"]


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a definition, which is one column of a frame.

    Nested documents are no fields of their own: their leaves have dotted paths (`os.version`).

    Example:
        >>> Field("os.version", "String", required=True).path
        'os.version'
    """

    path: str
    type: Type
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    min: float | None = None
    """Number: the least value; Date: ms since 1970."""
    max: float | None = None
    minlength: int | None = None
    maxlength: int | None = None
    match: str | None = None
    """A JavaScript regex in slashes, as the definition has it."""
    default: Any = field(default=None, hash=False)  # it may be a list or a dict
    trim: bool = False
    case: Literal["lower", "upper"] | None = None
    ref: str | None = None
    """ObjectId: name of the schema that is referred to."""
    item: Field | None = None
    """Array: what its members are."""
    fields: tuple[Field, ...] = ()
    """Documents (an array of documents): fields of a member, paths relative to it."""
    description: str | None = None
    unknown: str | None = None
    """A declared type that is not known here: the field reads as Mixed and takes no edits."""

    @property
    def can_be_cleared(self) -> bool:
        """Whether the server takes a null: not for an enum, nor where a value is required."""
        return not (self.required or self.enum)


def _meta(name: str, type: Type, item: Type | None = None) -> Field:  # noqa: A002 - the field's own name
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

    @cached_property
    def _by_path(self) -> dict[str, Field]:
        return {f.path: f for f in (*self.fields, *META, RECEIPT)}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Paths of all fields, in the order of the definition."""
        return tuple(f.path for f in self.fields)

    @cached_property
    def key(self) -> str | None:
        """The field by which people know a row: the id field, else the first unique String or Number."""
        if self.id_field != "_id":
            return self.id_field
        return next((f.path for f in self.fields if f.unique and f.type in ("String", "Number")), None)

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
            raise ValueError(f"schema {self.name!r} has no field {path!r}{nearest(path, self.columns)}")
        return found


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the tail of a message that suggests names spelled like `name`, in any case; empty if none is."""
    known = {other.lower(): other for other in names}
    found = [known[other] for other in difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


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


_SCALARS: dict[str, Type] = {
    name: name for name in ("String", "Number", "Boolean", "Date", "ObjectId", "IpAddress")
}
_MIXED = ("Mixed", "Object", "")


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
    name = kind[:1].upper() + kind[1:] if isinstance(kind, str) else ""
    if name == "Array":
        return Field(path, "Array", item=Field("", "Mixed"), **common)
    if name in _SCALARS:
        return Field(path, _SCALARS[name], **common, **_options(name, options))
    unknown = None if name in _MIXED and isinstance(kind, str) else str(kind)
    return Field(path, "Mixed", unknown=unknown, **common)


def _array(path: str, kind: Sequence[Any], common: dict[str, Any]) -> Field:
    member = kind[0] if kind else "Mixed"
    is_document = isinstance(member, Mapping) and (
        "type" not in member or (isinstance(member["type"], Mapping) and "type" in member["type"])
    )
    if isinstance(member, Mapping) and member and is_document:
        inner = [f for key, value in member.items() if key != "_id" for f in _fields(key, value)]
        return Field(path, "Documents", fields=tuple(inner), **common)
    (item,) = _fields("", member)
    return Field(path, "Array", item=item, **common)


def _options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that the server heeds for this type (SIS-API 4.2)."""
    found: dict[str, Any] = {}
    if name == "String":
        values = options.get("enum")
        if isinstance(values, list):
            found["enum"] = tuple(dict.fromkeys(v for v in values if isinstance(v, str)))
        found["minlength"] = _int(options.get("minlength"))
        found["maxlength"] = _int(options.get("maxlength"))
        found["match"] = options["match"] if isinstance(options.get("match"), str) else None
        found["trim"] = options.get("trim") is True
        found["case"] = (
            "lower"
            if options.get("lowercase") is True
            else "upper"
            if options.get("uppercase") is True
            else None
        )
    elif name in ("Number", "Date"):
        for side in ("min", "max"):
            value = options.get(side)
            if name == "Date" and isinstance(value, str):
                value = milliseconds(value)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[side] = value
    elif name == "ObjectId" and isinstance(options.get("ref"), str):
        found["ref"] = options["ref"]
    return found


def _int(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

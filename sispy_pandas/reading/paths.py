"""What a dotted path of a filter or a sort stands for, through documents, arrays and references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sispy.remedies import Message, nearest

from ..values.schema import META, RECEIPT, Schema
from ..values.types.base import Field
from ..values.types.object_id import ID

Lookup = Callable[[str], Schema]
"""Gives the schema of a name, for paths through references."""

_SIS = {"_sis", "_sis._version", "_sis._trans_id.id", "_sis._trans_id.idx"}
_SIS_RECEIPT = Field(f"_sis.{RECEIPT.path}", RECEIPT.type)


@dataclass(frozen=True, slots=True)
class Place:
    """What is at a path."""

    field: Field | None
    """None: below Mixed, or a whole nested document, where nothing is known about values."""
    joined: str = ""
    """The path of the first reference that leads into another schema; empty without one."""
    within: str | None = None
    """What of the path is below the innermost array: empty for the array itself, None without one."""
    below: tuple[tuple[str, Field], ...] = ()
    """Of a document, or of the members of an array of documents: the fields, and where from here they are."""


def place(schema: Schema, path: str, lookup: Lookup) -> Place:
    """Return what a path stands for.

    Raises:
        ValueError: There is nothing, and the message names what is spelt alike; or it gives the number of a
            member, which the server overlooks where a path leads through a reference.
    """
    found = _place(schema, path, lookup)
    anyhow = ".".join(part for part in path.split(".") if not part.isdecimal())
    if found.joined and (found.field or found.below) and anyhow != path:
        raise ValueError(
            f"{path!r}: through a reference the server finds any member, whatever its number: use {anyhow!r}"
        )
    return found


def _place(schema: Schema, path: str, lookup: Lookup) -> Place:
    if path == "_id":
        return Place(ID)
    if path.split(".")[0] == "_sis":
        meta = {f.path: f for f in (*META, _SIS_RECEIPT)}
        if path not in meta and path not in _SIS:
            raise ValueError(Message(f"_sis has no {path!r}", nearest(path, (*meta, *_SIS))))
        found = meta.get(path)
        return Place(found, within="" if found and found.kind.is_array else None)
    return _in(schema.fields, path, lookup, schema.name, "")


def _in(fields: Sequence[Field], path: str, lookup: Lookup, name: str, parent: str) -> Place:
    for leaf in fields:
        if path == leaf.path:
            below = tuple((inner.path, inner) for inner in leaf.fields)
            return Place(leaf, within="" if leaf.kind.is_array else None, below=below)
        if path.startswith(f"{leaf.path}."):
            return _below(leaf, path.removeprefix(f"{leaf.path}."), lookup, name, f"{parent}{leaf.path}")
    below = tuple((f.path[len(path) + 1 :], f) for f in fields if f.path.startswith(f"{path}."))
    if below:
        return Place(None, below=below)
    known = [f"{parent}{leaf.path}" for leaf in fields]
    known += [] if parent else [f.path for f in (*META, _SIS_RECEIPT)]
    raise ValueError(
        Message(f"schema {name!r} has no field {parent + path!r}", nearest(parent + path, known))
    )


def _below(leaf: Field, rest: str, lookup: Lookup, name: str, path: str) -> Place:
    head, _, tail = rest.partition(".")
    if leaf.kind.is_untyped:
        if any(part.startswith("$") or not part for part in rest.split(".")):
            raise ValueError(f"{path + '.' + rest!r}: no key is empty or begins with $")
        return Place(None)
    if leaf.item:
        if head.isdecimal():
            return _below(leaf.item, tail, lookup, name, f"{path}.{head}") if tail else Place(leaf.item)
        return _within(rest, _below(leaf.item, rest, lookup, name, path))
    if leaf.kind.is_array:
        member, at = (tail, f"{path}.{head}") if head.isdecimal() else (rest, path)
        if not member:
            return Place(None, below=tuple((inner.path, inner) for inner in leaf.fields))
        inner = Place(ID) if member == "_id" else _in(leaf.fields, member, lookup, name, f"{at}.")
        return inner if head.isdecimal() else _within(rest, inner)
    if leaf.ref:
        if rest == "_id":
            raise ValueError(f"the server never finds {path + '._id'!r}: use {path!r}")
        return replace(_place(lookup(leaf.ref), rest, lookup), joined=path)
    if rest in leaf.kind.parts:
        return Place(Field(f"{path}.{rest}", leaf.kind.parts[rest]))
    raise ValueError(f"{path!r} of schema {name!r} is {leaf.type}: there is no {rest!r} below it")


def _within(rest: str, inner: Place) -> Place:
    """Return a place below an array, unless a join or another array is further in."""
    return inner if inner.within is not None or inner.joined else replace(inner, within=rest)

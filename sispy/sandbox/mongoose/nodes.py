"""What a compiled definition is made of: a tree of nodes, walked by casts, checks and queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sispy.sandbox.js import scalars
from sispy.sandbox.js.scalars import MISSING, Json

Kind = Literal["scalar", "mixed", "nested", "array", "documents"]
Check = Callable[[Json], str | None]
"""A cast value that is not missing -> what is wrong with it, or None."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One entry of a definition. `path` is relative to its document: to a member, in `documents`."""

    kind: Kind
    path: str
    type: str = ""
    cast: Callable[[Json], Json] | None = None
    required: bool = False
    default: Json = MISSING
    """Cast already; MISSING: none."""
    checks: tuple[Check, ...] = ()
    unique: bool = False
    sparse: bool = False
    ref: str | None = None
    item: Node | None = None
    """Members of an array; None: anything."""
    fields: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that points to entities of another schema."""

    path: str
    schema: str
    many: bool
    """An array of ids at this path."""
    documents: str | None = None
    """Path of the document array that the reference lies in."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A compiled definition."""

    source: Mapping[str, Json]
    fields: Mapping[str, Node]
    meta: Node
    """What `_sis` may hold."""
    leaves: Mapping[str, Node]
    """Dotted path -> scalar, Mixed, array or document array; members of document arrays are no leaves."""
    references: tuple[Reference, ...]
    unique: Mapping[str, bool]
    """Path with a unique index -> sparse."""
    arrays: tuple[str, ...]
    """Paths of all arrays and document arrays that a read shows as [] when they are missing."""
    defaults: tuple[tuple[tuple[str, ...], Json], ...]
    """(Split path, value) of the defaults of all fields outside document arrays."""
    fills: bool
    """Whether reads fill in defaults: there is a truthy default on a field that is no array (SIS-API 5.6)."""

    def node(self, path: str) -> Node | None:
        """Return what stands at a dotted path, through arrays and indexes; None: unknown or below Mixed."""
        return find(self.fields, path.split("."))


def find(fields: Mapping[str, Node], parts: list[str]) -> Node | None:
    """Return the node at a split path, stepping over indexes of arrays."""
    node: Node | None = None
    for i, part in enumerate(parts):
        if node is not None and node.kind == "array" and part.isdigit():
            node = node.item
            if node is None:
                return None
            continue
        if node is not None and node.kind == "documents" and part.isdigit():
            if i == len(parts) - 1:
                return Node("nested", node.path, fields=node.fields)
            continue
        if node is not None and node.type == "IpAddress":
            return _IP_NODES.get(part) if i == len(parts) - 1 else None
        inner = fields if node is None else node.fields
        node = inner.get(part)
        if node is None:
            return None
    return node


_IP_FIELDS = ("ip_address", "version", "network", "broadcast", "subnet_mask")
_IP_NODES: Mapping[str, Node] = {
    **{name: Node("scalar", name, "String", cast=scalars.cast_string) for name in _IP_FIELDS},
    "cidr": Node("scalar", "cidr", "Number", cast=scalars.cast_number),
}
ENVELOPE: Mapping[str, Node] = {
    "_id": Node("scalar", "_id", "ObjectId", cast=scalars.cast_object_id),
    "_v": Node("scalar", "_v", "Number", cast=scalars.cast_number),
}

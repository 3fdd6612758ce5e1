"""The definition language of SIS schemas (SIS-API 4.2): parse, refuse what the server refuses, compile.

A definition becomes a tree of `Node`s that casting.py and query.py walk. Parse a schema once and keep the
`Definition`; it never changes and any thread may share it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sispy.sandbox import scalars
from sispy.sandbox.checks import Check, checks_of
from sispy.sandbox.scalars import MISSING, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Kind = Literal["scalar", "mixed", "nested", "array", "documents"]

CASTS: Mapping[str, Callable[[Json], Json]] = {
    "String": scalars.cast_string,
    "Number": scalars.cast_number,
    "Boolean": scalars.cast_boolean,
    "Date": scalars.cast_date,
    "ObjectId": scalars.cast_object_id,
    "IpAddress": scalars.cast_ip_address,
    "Buffer": scalars.cast_buffer,
    "Decimal128": scalars.cast_decimal,
}
MIXED = {"Mixed", "Object", ""}
REFUSED_NAMES = frozenset(
    [
        "on",
        "once",
        "emit",
        "listeners",
        "removeListener",
        "collection",
        "db",
        "errors",
        "init",
        "isModified",
        "isNew",
        "get",
        "modelName",
        "save",
        "schema",
        "toObject",
        "validate",
        "remove",
        "prototype",
    ]
)
_IP_FIELDS = ("ip_address", "version", "network", "broadcast", "subnet_mask")
_MAX_DEPTH = 100


class SchemaError(ValueError):
    """A definition or schema that the server refuses; its text is the server's, without `Bad request: `."""


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
    fills: bool
    """Whether reads fill in defaults: there is a truthy default on a field that is no array (SIS-API 5.6)."""

    def node(self, path: str) -> Node | None:
        """Find what stands at a dotted path, through arrays and indexes; None: unknown or below Mixed."""
        return find(self.fields, path.split("."))


def compile_definition(definition: Json, meta: Mapping[str, Json] | None = None) -> Definition:
    """Compile a definition, or say in the server's words why it is refused.

    Args:
        definition: as sent in a schema.
        meta: definition of `_sis`, for resources other than entities; None: that of entities.

    Raises:
        SchemaError: the definition is refused.

    Example:
        >>> compile_definition({"name": {"type": "String", "required": True}, "l": ["Number"]}).arrays
        ('l',)
    """
    if not isinstance(definition, dict):
        raise SchemaError("Schema definition must be an object.")
    if not definition:
        raise SchemaError("Cannot add an empty schema.")
    own = {name: entry for name, entry in definition.items() if name != "_sis"}
    for name in own:
        if name.startswith("_"):
            raise SchemaError(f"{name} is a reserved field")
    fields = _fields(own, "", 0)
    extra = definition.get("_sis", {})
    if not isinstance(extra, dict) or extra.get("owner", ["String"]) != ["String"]:
        raise SchemaError("_sis must be an object and its owner an array of Strings.")
    meta_fields = _fields({**extra, **(ENTITY_META if meta is None else meta)}, "_sis.", 0)
    leaves = dict(_leaves(fields))
    return Definition(
        source=definition,
        fields=fields,
        meta=Node("nested", "_sis", fields=meta_fields),
        leaves=leaves,
        references=tuple(_references(leaves)),
        unique={path: node.sparse for path, node in _unique(leaves)},
        arrays=tuple(path for path, node in leaves.items() if node.kind in ("array", "documents")),
        fills=any(_truthy(node.default) for node in leaves.values() if node.kind in ("scalar", "mixed")),
    )


ENTITY_META: Mapping[str, Json] = {
    "_version": {"type": "String", "default": "v1.1"},
    "_created_at": "Number",
    "_created_by": "String",
    "_updated_at": "Number",
    "_updated_by": "String",
    "_trans_id": "Mixed",
    "owner": ["String"],
    "tags": ["String"],
    "immutable": {"type": "Boolean", "default": False, "required": True},
    "locked": {"type": "Boolean", "default": False, "required": True},
    "any_owner_can_modify": {"type": "Boolean", "default": False},
}


def find(fields: Mapping[str, Node], parts: list[str]) -> Node | None:
    """Find the node at a split path, stepping over indexes of arrays."""
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


def choose_id_field(definition: Mapping[str, Json], wanted: Json, *, pick: bool) -> str:
    """Choose a schema's id_field (SIS-API 4.4).

    Args:
        definition: a compiled definition's source.
        wanted: what the request says; None: nothing.
        pick: whether the server looks for one itself: on create, not on update.

    Raises:
        SchemaError: the wanted field is not required and unique.
    """
    if wanted is not None and wanted != "_id":
        if not (isinstance(wanted, str) and _is_key(definition.get(wanted))):
            raise SchemaError("ID Field must be required and unique.")
        return wanted
    if pick:
        for name in ("name", "id", *definition):
            if _is_key(definition.get(name)):
                return name
    return "_id"


def paths_of(definition: Mapping[str, Json] | Definition) -> set[str]:
    """List the dotted paths of all entries, those of nested objects and of members of document arrays too."""
    compiled = definition if isinstance(definition, Definition) else compile_definition(definition)
    return {path for path, _ in _paths(compiled.fields, "")}


def removed_paths(old: Definition, new: Definition) -> list[str]:
    """List what an update of a schema removes from all entities: the topmost paths that are gone."""
    kept = paths_of(new)
    gone = sorted(path for path in paths_of(old) if path not in kept)
    return [path for path in gone if not any(path.startswith(other + ".") for other in gone)]


def check_locked(old: Definition, new: Definition, locked_fields: list[str]) -> None:
    """Refuse the removal of a locked field, found by its exact path (SIS-API 4.5).

    Raises:
        SchemaError: a locked field would go.
    """
    for path in sorted(paths_of(old) - paths_of(new)):
        if path in locked_fields:
            raise SchemaError(f"Cannot remove field {path}")


def _is_key(entry: Json) -> bool:
    return isinstance(entry, dict) and entry.get("required") is True and entry.get("unique") is True


def _truthy(value: Json) -> bool:
    """Truth in JavaScript: empty arrays and objects are true."""
    return value is not MISSING and (isinstance(value, list | dict) or bool(value))


def _fields(entries: Mapping[str, Json], prefix: str, depth: int) -> dict[str, Node]:
    if depth > _MAX_DEPTH:
        raise SchemaError("Schema is invalid: it is nested too deeply.")
    nodes = {}
    for name, entry in entries.items():
        if not name or "." in name or name.startswith("$") or "\0" in name:
            raise SchemaError(f"Schema is invalid: `{name}` is no name of a field.")
        if name in REFUSED_NAMES:
            raise SchemaError(f"Schema is invalid: Error: `{name}` may not be used as a schema pathname")
        nodes[name] = _node(entry, prefix + name, depth)
    return nodes


def _node(entry: Json, path: str, depth: int) -> Node:
    if isinstance(entry, list):
        return _array(entry, path, {}, depth)
    if isinstance(entry, str):
        return _typed(entry, path, {})
    if not isinstance(entry, dict):
        raise _undefined(entry, path)
    if not entry:
        if depth:
            raise SchemaError(f"Schema is invalid: the nested object `{path}` is empty.")
        return Node("mixed", path, "Mixed")
    kind = entry.get("type", MISSING)
    if kind is MISSING or (isinstance(kind, dict) and "type" in kind):
        return Node("nested", path, fields=_fields(entry, path + ".", depth + 1))
    if "validate" in entry:
        raise SchemaError(f"Schema is invalid: `{path}` has a validate option.")
    if isinstance(kind, list):
        return _array(kind, path, entry, depth)
    if isinstance(kind, dict):
        return _typed("Mixed", path, entry)
    if not isinstance(kind, str):
        raise _undefined(kind, path)
    return _typed(kind, path, entry)


def _typed(name: str, path: str, options: Mapping[str, Json]) -> Node:
    kind = name[:1].upper() + name[1:]
    if kind == "Array":  # every value is wrapped, arrays too
        return _with_options(Node("array", path, "Array", item=Node("array", path, "Array")), options)
    if kind in MIXED:
        return _with_options(Node("mixed", path, "Mixed"), options)
    cast = CASTS.get(kind)
    if cast is None:
        raise _undefined(name, path)
    try:
        setter, checks = checks_of(kind, options, path)
    except ValueError as error:
        raise SchemaError(f"Schema is invalid: {error}") from error
    ref = options.get("ref")
    if ref is not None and not isinstance(ref, str):
        raise SchemaError(f"Schema is invalid: the ref of `{path}` is no name of a schema.")
    node = Node(
        "scalar",
        path,
        kind,
        cast=_chained(cast, setter),
        checks=checks,
        ref=ref if kind == "ObjectId" and ref else None,
    )
    return _with_options(node, options)


def _chained(cast: Callable[[Json], Json], setter: Callable[[str], str] | None) -> Callable[[Json], Json]:
    if setter is None:
        return cast

    def cast_and_set(value: Json) -> Json:
        value = cast(value)
        return setter(value) if isinstance(value, str) else value

    return cast_and_set


def _array(entry: list[Json], path: str, options: Mapping[str, Json], depth: int) -> Node:
    item = entry[0] if entry else "Mixed"
    if item == {}:
        raise SchemaError(f"Schema is invalid: the members of `{path}` have no type.")
    if isinstance(item, dict) and not isinstance(item.get("type"), str | list):
        node = Node("documents", path, "Documents", fields=_member_fields(item, depth))
    elif isinstance(item, dict) and isinstance(item["type"], str) and item["type"] in MIXED:
        node = Node("documents", path, "Documents")
    elif isinstance(item, str):
        # An unknown type in the brackets is accepted and stores anything.
        kind = item[:1].upper() + item[1:]
        node = Node("array", path, "Array", item=_typed(item, path, {}) if kind in CASTS else None)
    elif isinstance(item, list | dict):
        node = Node("array", path, "Array", item=_node(item, path, depth + 1))
    else:
        raise _undefined(item, path)
    return _with_options(node, options)


def _member_fields(entry: Mapping[str, Json], depth: int) -> dict[str, Node]:
    fields = _fields({name: one for name, one in entry.items() if name != "_id"}, "", depth + 1)
    return {"_id": Node("scalar", "_id", "ObjectId", cast=scalars.cast_object_id), **fields}


def _with_options(node: Node, options: Mapping[str, Json]) -> Node:
    if not options:
        return node
    from dataclasses import replace

    default = options.get("default", MISSING)
    node = replace(
        node,
        required=options.get("required") is True,
        unique=options.get("unique") is True,
        sparse=options.get("sparse") is True,
    )
    if default is MISSING:
        return node
    from sispy.sandbox.casting import cast_node

    errors: dict[str, str] = {}
    value = cast_node(node, default, node.path, errors)
    if errors:
        raise SchemaError(f"Schema is invalid: the default of {'; '.join(errors.values())}")
    return replace(node, default=value)


def _undefined(entry: Json, path: str) -> SchemaError:
    return SchemaError(
        f"Schema is invalid: TypeError: Undefined type `{entry}` at `{path}`\n"
        "  Did you try nesting Schemas? You can only nest using refs or arrays."
    )


def _leaves(fields: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    for node in fields.values():
        if node.kind == "nested":
            yield from _leaves(node.fields)
        else:
            yield node.path, node


def _paths(fields: Mapping[str, Node], prefix: str) -> Iterator[tuple[str, Node]]:
    for name, node in fields.items():
        if name != "_id" or not prefix:
            yield prefix + name, node
            yield from _paths(node.fields, f"{prefix}{name}.")


def _references(leaves: Mapping[str, Node]) -> Iterator[Reference]:
    for path, node in leaves.items():
        if node.ref:
            yield Reference(path, node.ref, many=False)
        elif node.kind == "array" and node.item is not None and node.item.ref:
            yield Reference(path, node.item.ref, many=True)
        elif node.kind == "documents":
            for inner in _references(dict(_leaves(node.fields))):
                yield Reference(f"{path}.{inner.path}", inner.schema, inner.many, path)


def _unique(leaves: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    for path, node in leaves.items():
        if node.unique or (node.item is not None and node.item.unique):
            yield path, node
        if node.kind == "documents":
            yield from ((f"{path}.{inner}", one) for inner, one in _unique(dict(_leaves(node.fields))))


_IP_NODES: Mapping[str, Node] = {
    **{name: Node("scalar", name, "String", cast=scalars.cast_string) for name in _IP_FIELDS},
    "cidr": Node("scalar", "cidr", "Number", cast=scalars.cast_number),
}
ENVELOPE: Mapping[str, Node] = {
    "_id": Node("scalar", "_id", "ObjectId", cast=scalars.cast_object_id),
    "_v": Node("scalar", "_v", "Number", cast=scalars.cast_number),
}

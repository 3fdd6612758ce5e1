"""The definition language (SIS-API 4.2), read into nodes; what the server refuses is a SchemaError."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sispy.sandbox.js import scalars
from sispy.sandbox.js.scalars import MISSING, Json
from sispy.sandbox.mongoose.casting import cast_node
from sispy.sandbox.mongoose.checks import checks_of
from sispy.sandbox.mongoose.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
_MAX_DEPTH = 100


class SchemaError(ValueError):
    """A definition or schema that the server refuses; its text is the server's, without `Bad request: `."""


class FieldNameError(SchemaError):
    """A name of a field that the database does not take."""


def parse_fields(entries: Mapping[str, Json], prefix: str, depth: int) -> dict[str, Node]:
    """Read the entries of a definition or of a nested object.

    Args:
        entries: Name -> type.
        prefix: Path in front of the names, with a dot.
        depth: How deep they are nested.

    Raises:
        SchemaError: The server refuses them.
    """
    if depth > _MAX_DEPTH:
        raise SchemaError("Schema is invalid: it is nested too deeply.")
    nodes = {}
    for name, entry in entries.items():
        if not name or "." in name or name.startswith("$") or "\0" in name:
            raise FieldNameError(f"Schema is invalid: `{name}` is no name of a field.")
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
        return Node("nested", path, fields=parse_fields(entry, path + ".", depth + 1))
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
    fields = parse_fields({name: one for name, one in entry.items() if name != "_id"}, "", depth + 1)
    return {"_id": Node("scalar", "_id", "ObjectId", cast=scalars.cast_object_id), **fields}


def _with_options(node: Node, options: Mapping[str, Json]) -> Node:
    if not options:
        return node
    default = options.get("default", MISSING)
    node = replace(
        node,
        required=options.get("required") is True,
        unique=options.get("unique") is True,
        sparse=options.get("sparse") is True,
    )
    if default is MISSING:
        return node
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

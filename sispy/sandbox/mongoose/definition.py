"""Schemas: compile a definition, choose the id_field, find what an update removes (SIS-API 4).

Parse a schema once and keep the `Definition`; it never changes and any thread may share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.sandbox.js.scalars import MISSING, Json
from sispy.sandbox.mongoose.nodes import Definition, Node, Reference
from sispy.sandbox.mongoose.parser import SchemaError, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def compile_definition(definition: Json, meta: Mapping[str, Json] | None = None) -> Definition:
    """Compile a definition, or say in the server's words why it is refused.

    Args:
        definition: As sent in a schema.
        meta: Definition of `_sis`, for resources other than entities; None: that of entities.

    Raises:
        SchemaError: The definition is refused.

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
    fields = parse_fields(own, "", 0)
    extra = definition.get("_sis", {})
    if not isinstance(extra, dict) or extra.get("owner", ["String"]) != ["String"]:
        raise SchemaError("_sis must be an object and its owner an array of Strings.")
    meta_fields = parse_fields({**extra, **(ENTITY_META if meta is None else meta)}, "_sis.", 0)
    leaves = dict(_leaves(fields))
    return Definition(
        source=definition,
        fields=fields,
        meta=Node("nested", "_sis", fields=meta_fields),
        leaves=leaves,
        references=tuple(_references(leaves)),
        unique={path: node.sparse for path, node in _unique(leaves)},
        arrays=tuple(path for path, node in leaves.items() if node.kind in ("array", "documents")),
        defaults=tuple(
            (tuple(path.split(".")), node.default)
            for path, node in leaves.items()
            if node.default is not MISSING
        ),
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


def choose_id_field(definition: Mapping[str, Json], wanted: Json, *, pick: bool) -> str:
    """Choose a schema's id_field (SIS-API 4.4).

    Args:
        definition: A compiled definition's source.
        wanted: What the request says; None: nothing.
        pick: Whether the server looks for one itself: on create, not on update.

    Raises:
        SchemaError: The wanted field is not required and unique.
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
    """Return the dotted paths of all entries, also of nested objects and of members of document arrays."""
    compiled = definition if isinstance(definition, Definition) else compile_definition(definition)
    return {path for path, _ in _paths(compiled.fields, "")}


def removed_paths(old: Definition, new: Definition) -> list[str]:
    """Return what an update of a schema removes from all entities: the topmost paths that are gone."""
    gone = paths_of(old) - paths_of(new)
    return sorted(path for path in gone if not any(parent in gone for parent in _parents(path)))


def _parents(path: str) -> Iterator[str]:
    return (path[:i] for i, letter in enumerate(path) if letter == ".")


def check_locked(old: Definition, new: Definition, locked_fields: list[str]) -> None:
    """Refuse the removal of a locked field, found by its exact path (SIS-API 4.5).

    Raises:
        SchemaError: A locked field would go.
    """
    for path in sorted(paths_of(old) - paths_of(new)):
        if path in locked_fields:
            raise SchemaError(f"Cannot remove field {path}")


def _is_key(entry: Json) -> bool:
    return isinstance(entry, dict) and entry.get("required") is True and entry.get("unique") is True


def _truthy(value: Json) -> bool:
    """Return whether a value is true in JavaScript: empty arrays and objects are."""
    return value is not MISSING and (isinstance(value, list | dict) or bool(value))


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

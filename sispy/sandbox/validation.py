"""Check a whole document, as every update does (SIS-API 5.2): old data that no longer fits blocks it too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.sandbox.checks import required_text
from sispy.sandbox.scalars import MISSING, CastFailure, Json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sispy.sandbox.nodes import Definition, Node

_FITTING: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Number": (int, float),
    "Boolean": (bool,),
    "ObjectId": (str,),
}


def validate(definition: Definition, document: Mapping[str, Json]) -> dict[str, str]:
    """Name what is wrong with a stored document: path -> the server's text. Does not look at references."""
    errors: dict[str, str] = {}
    _check_fields(definition.fields, document, "", errors)
    meta = document.get("_sis")
    if isinstance(meta, dict):
        _check_fields(definition.meta.fields, meta, "_sis.", errors, absent=False)
    return errors


def _check_fields(
    fields: Mapping[str, Node],
    document: Mapping[str, Json],
    prefix: str,
    errors: dict[str, str],
    *,
    absent: bool = True,
) -> None:
    for name, node in fields.items():
        value = document.get(name, MISSING)
        kind = node.kind
        if kind == "nested":
            _check_fields(node.fields, value if isinstance(value, dict) else {}, f"{prefix}{name}.", errors)
        elif value is MISSING:
            if node.required and absent:
                errors[prefix + name] = required_text(node.path)
        elif node.required and (value is None or value == "" or value == []):
            errors[prefix + name] = required_text(node.path)
        elif kind == "scalar":
            text = _check_scalar(node, value)
            if text is not None:
                errors[prefix + name] = text
        elif kind == "documents" and isinstance(value, list) and node.fields:
            for i, member in enumerate(value):
                if isinstance(member, dict):
                    _check_fields(node.fields, member, f"{prefix}{name}.{i}.", errors)
        elif kind == "array" and node.item is not None and isinstance(value, list):
            check_members(node.item, value, prefix + name, errors)


def check_members(item: Node, members: list[Json], where: str, errors: dict[str, str]) -> None:
    """Check the members of an array of scalars; null members are never wrong."""
    if item.cast is None:
        return
    for i, member in enumerate(members):
        text = None if member is None else _check_scalar(item, member)
        if text is not None:
            errors[f"{where}.{i}"] = text


def _check_scalar(node: Node, value: Json) -> str | None:
    """Check one value; one of another type (its field's has changed since) is checked as it would be cast."""
    if value is not None and type(value) not in _FITTING.get(node.type, (type(value),)):
        try:
            value = node.cast(value)  # type: ignore[misc] # scalars have one
        except CastFailure as failure:
            return failure.text(node.path)
    for check in node.checks:
        text = check(value)
        if text is not None:
            return text
    return None

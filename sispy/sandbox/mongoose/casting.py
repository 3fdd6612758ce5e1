"""Make documents of request bodies as the server does: casts, defaults, unknown fields, empty objects.

Stored forms are those of `js.scalars`; `merge` makes updates, `sis.presentation` what a read shows.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from sispy.sandbox.js.numbers import index_of, number
from sispy.sandbox.js.scalars import MISSING, CastFailure, Json, new_object_id
from sispy.sandbox.mongoose.checks import check_members, required_text, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sispy.sandbox.mongoose.nodes import Definition, Node

Errors = dict[str, str]
"""Path in the whole document -> the server's text, as it stands after `path: ` in a ValidationError."""

MAX_DEPTH = 100
"""How deep Mixed values may be nested (the database's own limit)."""
MAX_DOTTED = 1000
MAX_INDEX = 9999
"""Beyond it an index in a dotted path is ignored: the gap would be filled with nulls."""


def build(definition: Definition, body: Mapping[str, Json]) -> tuple[dict[str, Json], Errors]:
    """Make the document of a create, without `_id` and `_v`; its `_sis` has defaults and what was sent.

    A value that cannot be cast is left out, one that fails validation stays: both are named in the errors.
    Does not look at references, unique values or permissions.
    """
    errors: Errors = {}
    document = build_fields(definition.fields, body, "", errors)
    if names := dotted_names(body, errors):
        checked = validate(definition, document)  # and once more when all is set
        errors = {path: text for path, text in errors.items() if checked.get(path) != text}
        for name in names:
            set_path(definition.fields, document, name.split("."), body[name], name, errors)
        errors = validate(definition, document) | errors
    sent = body.get("_sis")
    document["_sis"] = build_fields(
        definition.meta.fields, sent if isinstance(sent, dict) else {}, "_sis.", errors
    )
    return document, errors


def build_fields(
    fields: Mapping[str, Node], body: Mapping[str, Json], prefix: str, errors: Errors
) -> dict[str, Json]:
    """Cast and check one level; `prefix` is the path of the level in the whole document, with a dot."""
    document: dict[str, Json] = {}
    for name, node in fields.items():
        value = body.get(name, MISSING)
        kind = node.kind
        if kind == "nested":
            inner = build_fields(
                node.fields, value if isinstance(value, dict) else {}, f"{prefix}{name}.", errors
            )
            if inner:
                document[name] = inner
            continue
        if value is MISSING:
            value = node.default
            if value is MISSING:
                if kind != "scalar" and kind != "mixed":
                    value = []
            elif isinstance(value, list | dict):
                value = deepcopy(value)
        elif kind == "scalar":
            if value is not None or node.type == "Buffer":
                try:
                    value = node.cast(value)  # type: ignore[misc] # scalars have one
                except CastFailure as failure:
                    errors[prefix + name] = failure.text(node.path)
                    continue
        elif value is None and kind != "mixed":
            value = []
        else:
            value = cast_node(node, value, prefix + name, errors)
        if value is MISSING:
            if node.required and prefix + name not in errors:
                errors[prefix + name] = required_text(node.path)
            continue
        if node.required and (value is None or value == "" or value == []):
            errors[prefix + name] = required_text(node.path)
        else:
            for check in node.checks:
                text = check(value)
                if text is not None:
                    errors[prefix + name] = text
                    break
            if kind == "array" and node.item is not None and node.item.checks:
                check_members(node.item, value, prefix + name, errors)
        document[name] = value
    return document


def cast_node(node: Node, value: Json, where: str, errors: Errors) -> Json:
    """Cast one value; MISSING where it cannot be (the error is noted) or nothing is left of it."""
    try:
        match node.kind:
            case "scalar":
                return node.cast(value)  # type: ignore[misc] # scalars have one
            case "mixed":
                return minimised(value)
            case "array":
                return cast_array(node, value)
            case "documents":
                return cast_documents(node, value, where, errors)
            case "nested":
                inner = (
                    build_fields(node.fields, value, where + ".", errors) if isinstance(value, dict) else {}
                )
                return inner or MISSING
    except CastFailure as failure:
        errors[where] = failure.text(node.path)
    return MISSING


def cast_array(node: Node, value: Json) -> Json:
    """Cast an array; what is no array is wrapped.

    Raises:
        CastFailure: A member cannot be cast.
    """
    members = value if isinstance(value, list) else [value]
    item = node.item
    if item is None:
        return [None if one is MISSING else one for one in map(minimised, members)]
    if item.kind == "array":
        return [None if one is None else cast_array(item, one) for one in members]
    cast = item.cast
    if cast is None:
        return [None if one is MISSING else one for one in map(minimised, members)]
    try:
        return [None if one is None else cast(one) for one in members]
    except CastFailure as failure:
        if len(members) == 1 and not isinstance(value, list):
            raise
        raise CastFailure("Array", value) from failure


def cast_documents(node: Node, value: Json, where: str, errors: Errors) -> Json:
    """Cast a document array: members get an `_id` unless they bring one, unknown fields go, nulls stay.

    Their keys stay in the order in which they were sent, as the history tells members by it.

    Raises:
        CastFailure: A member is no object.
    """
    members = value if isinstance(value, list) else [value]
    result: list[Json] = []
    for i, member in enumerate(members):
        if member is None:
            result.append(None)
            continue
        if not isinstance(member, dict):
            raise CastFailure("embedded", member)
        if not node.fields:
            kept = minimised(member)
            result.append(None if kept is MISSING else kept)
            continue
        document = _as_sent(build_fields(node.fields, member, f"{where}.{i}.", errors), member)
        if document.get("_id") is None:
            document["_id"] = new_object_id()
        result.append(document)
    return result


def _as_sent(document: dict[str, Json], body: Mapping[str, Json]) -> dict[str, Json]:
    """Put the keys of a document, and of those in it, into the order of what it was made of."""
    return {
        name: _as_sent(document[name], body[name])
        if isinstance(document[name], dict) and isinstance(body.get(name), dict)
        else document[name]
        for name in dict.fromkeys([*body, *document])
        if name in document
    }


def minimised(value: Json, depth: int = 0, *, keep_empty: bool = False) -> Json:
    """Copy a Mixed value as it is stored: doubles for numbers, empty objects gone at every depth.

    Returns MISSING where nothing is left. Empty objects in arrays become null, as the server has it.

    Args:
        value: As sent.
        depth: How deep it lies in another one.
        keep_empty: Whether empty objects stay.

    Raises:
        CastFailure: It is nested more deeply than the database would store it.
    """
    if depth > MAX_DEPTH:
        raise CastFailure("Mixed", "a value that is nested too deeply")
    if isinstance(value, dict):
        result = {}
        for key, one in value.items():
            if isinstance(one, dict | list):
                one = minimised(one, depth + 1, keep_empty=keep_empty)
                if one is MISSING:
                    continue
            elif type(one) is int or type(one) is float:
                one = number(one)
            result[key] = one
        return result if result or keep_empty else MISSING
    if isinstance(value, list):
        members = [minimised(one, depth + 1, keep_empty=keep_empty) for one in value]
        return [None if one is MISSING else one for one in members]
    return number(value) if type(value) is int or type(value) is float else value


def dotted_names(body: Mapping[str, Json], errors: Errors) -> list[str]:
    """Return the dotted keys of a body; too many are an error, as each costs a copy of what it changes."""
    names = [name for name in body if "." in name]
    if len(names) <= MAX_DOTTED:
        return names
    errors[names[0]] = f"there are more than {MAX_DOTTED} dotted keys."
    return []


def set_path(
    fields: Mapping[str, Node],
    document: dict[str, Json],
    parts: list[str],
    value: Json,
    where: str,
    errors: Errors,
) -> None:
    """Set one dotted path (`sub.a`, `l.0`, `docs.0.k`, `m.a.b`); containers on the way are copied.

    What the definition does not know is ignored. Errors are noted at `where`.
    """
    name, *rest = parts
    node = fields.get(name)
    if node is None or len(rest) > MAX_DEPTH:
        return
    if not rest:
        value = cast_node(node, value, where, errors) if value is not None else None
    else:
        value = _set_in(node, document.get(name), rest, value, where, errors)
    if value is not MISSING:
        document[name] = value


def _set_in(node: Node, current: Json, rest: list[str], value: Json, where: str, errors: Errors) -> Json:
    """Return the new value of a node of which a part is set."""
    if node.kind == "nested":
        inner = dict(current) if isinstance(current, dict) else {}
        set_path(node.fields, inner, rest, value, where, errors)
        return inner or MISSING
    if node.kind == "mixed":
        try:
            return _set_mixed(current, rest, minimised(value, len(rest)))
        except CastFailure as failure:
            errors[where] = failure.text(node.path)
            return MISSING
    index = index_of(rest[0])
    if node.kind not in ("array", "documents") or index is None or index > MAX_INDEX:
        return MISSING
    members = list(current) if isinstance(current, list) else []
    members.extend([None] * (index + 1 - len(members)))
    if len(rest) == 1:
        one = cast_node(node, [value], where, errors) if value is not None else [None]
        if one is MISSING:
            return MISSING
        members[index] = one[0]
    elif node.kind == "documents":
        member = dict(members[index]) if isinstance(members[index], dict) else {"_id": new_object_id()}
        set_path(node.fields, member, rest[1:], value, where, errors)
        members[index] = member
    return members


def _set_mixed(current: Json, rest: list[str], value: Json) -> Json:
    if not rest:
        return value
    key, *rest = rest
    index = index_of(key)
    if isinstance(current, list) and index is not None and index <= MAX_INDEX:
        members = list(current)
        members.extend([None] * (index + 1 - len(members)))
        new = _set_mixed(members[index], rest, value)
        members[index] = None if new is MISSING else new
        return members
    inner = dict(current) if isinstance(current, dict) else {}
    new = _set_mixed(inner.get(key), rest, value)
    if new is MISSING:
        inner.pop(key, None)
    else:
        inner[key] = new
    return inner or MISSING

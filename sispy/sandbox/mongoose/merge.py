"""Merge the body of an update into a stored document (SIS-API 5.2, 8.1)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from sispy.delta import same
from sispy.sandbox.js.scalars import MISSING, CastFailure, Json
from sispy.sandbox.mongoose.casting import (
    Errors,
    cast_array,
    cast_documents,
    dotted_names,
    minimised,
    set_path,
)
from sispy.sandbox.mongoose.checks import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sispy.sandbox.mongoose.nodes import Definition, Node


def apply(
    definition: Definition,
    stored: Mapping[str, Json],
    body: Mapping[str, Json],
    *,
    force_mixed: bool = False,
    cas: bool = False,
) -> tuple[dict[str, Json], Errors]:
    """Make the document that an update stores; the stored one is not changed.

    Keys that start with `_` are ignored, except `_sis`, whose known keys are merged (who may do so, and
    `_updated_at`, is the caller's business). `_v` grows by one where an array was set. The whole result is
    validated, untouched old values too.

    Args:
        definition: The schema's.
        stored: The stored document.
        body: As sent.
        force_mixed: Replace Mixed values in place of merging them.
        cas: Write as a conditional update does: nested objects, Mixed and `_sis` are replaced by what was
            sent, nulls in Mixed are kept, `_v` stays.
    """
    errors: Errors = {}
    document = dict(stored)
    changed = False
    dotted = set(dotted_names(body, errors))
    for name, value in body.items():
        if name.startswith("_"):
            continue
        node = definition.fields.get(name)
        if node is not None:
            changed |= _set(document, name, node, value, name, errors, force=force_mixed or cas, replace=cas)
        elif name in dotted:
            set_path(definition.fields, document, name.split("."), value, name, errors)
    sent = body.get("_sis")
    if cas:
        document["_sis"] = {}
    if isinstance(sent, dict):
        meta = dict(document.get("_sis") or {})
        for name, node in definition.meta.fields.items():
            if name in sent and name != "_trans_id":
                changed |= _set(meta, name, node, sent[name], f"_sis.{name}", errors, force=cas, replace=cas)
        document["_sis"] = meta
    if not cas:
        _fill(document, definition)
        meta = document.get("_sis") or {}
        complete = with_meta(definition, meta)
        changed |= any(key not in meta and complete[key] == [] for key in complete)
        document["_sis"] = complete
    if changed and not cas:
        document["_v"] = (document.get("_v") or 0) + 1
    for path, text in validate(definition, document).items():
        errors.setdefault(path, text)
    return document, errors


def _fill(document: dict[str, Json], definition: Definition) -> None:
    """Store the defaults of fields that the document lacks, as every write does (SIS-API 5.6)."""
    for parts, default in definition.defaults:
        place = document
        for part in parts[:-1]:
            inner = place.get(part)
            place[part] = place = dict(inner) if isinstance(inner, dict) else {}
        if parts[-1] not in place:
            place[parts[-1]] = deepcopy(default)


def with_meta(definition: Definition, meta: Mapping[str, Json]) -> dict[str, Json]:
    """Complete a `_sis` by what every write but a conditional one stores: flags, owner, tags."""
    return {
        **{
            name: [] if node.kind == "array" else node.default
            for name, node in definition.meta.fields.items()
            if name != "_version" and (node.kind == "array" or node.default is not MISSING)
        },
        **meta,
    }


def _set(
    place: dict[str, Json],
    name: str,
    node: Node,
    value: Json,
    where: str,
    errors: Errors,
    *,
    force: bool,
    replace: bool,
) -> bool:
    """Set one field of a fresh dict; tells whether an array was set, which moves `_v`."""
    old = place.get(name)
    try:
        match node.kind:
            case "scalar":
                place[name] = None if value is None else node.cast(value)  # type: ignore[misc] # scalars have one
            case "nested":
                return _set_nested(place, name, node, value, where, errors, force=force, replace=replace)
            case "mixed":
                new = minimised(value) if force or not _mergeable(old, value) else merge_mixed(old, value)
                if new is MISSING:
                    place.pop(name, None)
                else:
                    place[name] = new
            case "array":
                place[name] = None if value is None else cast_array(node, value)
                return value is not None and not same(old, place[name])
            case "documents":
                if value is not None:
                    place[name] = cast_documents(node, value, where, errors)
                    return True
                if old:
                    place[name] = None
    except CastFailure as failure:
        errors[where] = failure.text(node.path)
    return False


def _set_nested(
    place: dict[str, Json],
    name: str,
    node: Node,
    value: Json,
    where: str,
    errors: Errors,
    *,
    force: bool,
    replace: bool,
) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    old = place.get(name)
    inner = dict(old) if isinstance(old, dict) and not replace else {}
    changed = False
    for key, one in node.fields.items():
        if key in value:
            changed |= _set(
                inner, key, one, value[key], f"{where}.{key}", errors, force=force, replace=replace
            )
    if inner:
        place[name] = inner
    else:
        place.pop(name, None)
    return changed


def _mergeable(old: Json, new: Json) -> bool:
    return isinstance(old, dict) and isinstance(new, dict)


def merge_mixed(old: Json, new: Json, depth: int = 0) -> Json:
    """Merge one object into another as the server merges Mixed values and hieradata.

    Null deletes a key, objects merge, the rest replaces; what is copied to a new (or falsy) key is copied as
    sent, its nulls included. Returns MISSING where nothing is left. Changes neither.

    Raises:
        CastFailure: The result would be nested too deeply.
    """
    result = dict(old)
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
            continue
        before = result.get(key)
        if before and _mergeable(before, value):
            merged = merge_mixed(before, value, depth + 1)
        else:
            merged = minimised(value, depth + 1)
        if merged is MISSING:
            result.pop(key, None)
        else:
            result[key] = merged
    return result or MISSING

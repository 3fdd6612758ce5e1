"""How a stored document is read: missing arrays, defaults of today's schema, `removeEmpty` (SIS-API 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

from sispy.sandbox.js.scalars import MISSING, Json
from sispy.sandbox.mongoose.merge import with_meta

if TYPE_CHECKING:
    from sispy.sandbox.mongo.listing import Projection
    from sispy.sandbox.mongoose.nodes import Definition, Node

Document = Mapping[str, Json]
Presenter = Callable[[Document], Document]


def present(
    definition: Definition,
    document: Document,
    *,
    projection: Projection | None = None,
    remove_empty: bool = False,
    answer: bool = False,
) -> Document:
    """Show one stored document; see `presenter`."""
    return presenter(definition, projection=projection, remove_empty=remove_empty, answer=answer)(document)


def presenter(
    definition: Definition,
    *,
    projection: Projection | None = None,
    remove_empty: bool = False,
    answer: bool = False,
) -> Presenter:
    """Make the function that shows stored documents; it returns the very document where nothing differs.

    Does not populate: do that afterwards, on what comes out.

    Args:
        definition: The schema's.
        projection: Of the request's `fields`; None: everything.
        remove_empty: Whether the request has `removeEmpty`.
        answer: The answer to a write, where a cleared document array shows as null.
    """
    steps: list[Presenter] = []
    if projection is not None:
        steps.append(projection)
    if definition.fills:
        steps.append(_filler(definition, projection))
    elif definition.arrays:
        nulls = [path for path in definition.arrays if not answer or definition.leaves[path].kind == "array"]
        steps.append(_lister(definition, nulls))
    if remove_empty and definition.arrays:
        steps.append(_remover(definition))
    if len(steps) == 1:
        return steps[0]

    def show(document: Document) -> Document:
        for step in steps:
            document = step(document)
        return document

    return show


def _lister(definition: Definition, nulls: list[str]) -> Presenter:
    """Show missing arrays as [], selected or not, and nulls in their place at `nulls`."""
    top = [(path, path in nulls) for path in definition.arrays if "." not in path]
    nested = [(path.split("."), path in nulls) for path in definition.arrays if "." in path]

    def show(document: Document) -> Document:
        for name, also_null in top:
            value = document.get(name, MISSING)
            if value is MISSING or (value is None and also_null):
                document = {**document, name: []}
        for parts, also_null in nested:
            document = _with_list(document, parts, also_null)
        return document

    return show


def _with_list(document: Document, parts: list[str], also_null: bool) -> Document:
    name, *rest = parts
    value = document.get(name, MISSING)
    if not rest:
        return {**document, name: []} if value is MISSING or (value is None and also_null) else document
    if value is MISSING or value is None:
        value = {}
    if not isinstance(value, dict):
        return document
    inner = _with_list(value, rest, also_null)
    return document if inner is value else {**document, name: inner}


def _filler(definition: Definition, projection: Projection | None) -> Presenter:
    """Show defaults, and [] for arrays, where a selected path is missing."""
    defaults: list[tuple[list[str], Json]] = []
    for path, node in definition.leaves.items():
        default = [] if node.default is MISSING and node.kind in ("array", "documents") else node.default
        if default is not MISSING and (projection is None or projection.selects(path)):
            defaults.append((path.split("."), default))

    def show(document: Document) -> Document:
        for parts, default in defaults:
            document = _with_default(document, parts, default)
        return document

    return show


def _with_default(document: Document, parts: list[str], default: Json) -> Document:
    name, *rest = parts
    value = document.get(name, MISSING)
    if not rest:
        return {**document, name: deepcopy(default)} if value is MISSING else document
    if value is MISSING:
        value = {}
    if not isinstance(value, dict):
        return document
    inner = _with_default(value, rest, default)
    return document if inner is value else {**document, name: inner}


def _remover(definition: Definition) -> Presenter:
    def show(document: Document) -> Document:
        shown = {}
        for name, value in document.items():
            node = definition.fields.get(name)
            kept = value if node is None else _without_empty(node, value)
            if kept is not MISSING:
                shown[name] = kept
        meta = with_meta(definition, document.get("_sis") or {})
        meta.pop("_trans_id", None)
        shown["_sis"] = meta
        return shown

    return show


def _without_empty(node: Node, value: Json) -> Json:
    if node.kind in ("array", "documents"):
        return MISSING if value == [] else value
    if node.kind == "nested" and isinstance(value, dict):
        inner = {}
        for name, one in value.items():
            field = node.fields.get(name)
            kept = one if field is None else _without_empty(field, one)
            if kept is not MISSING:
                inner[name] = kept
        return inner or MISSING
    return value

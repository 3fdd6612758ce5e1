"""Dotted paths: the values they lead to in a document, the node they lead to in a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.sandbox.js.numbers import index_of
from sispy.sandbox.js.scalars import MISSING, Json
from sispy.sandbox.mongoose.nodes import ENVELOPE, Definition, Node, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def all_fields(definition: Definition | None) -> Mapping[str, Node]:
    """Return the top-level fields of stored documents, `_id`, `_v` and `_sis` included."""
    return {**definition.fields, "_sis": definition.meta, **ENVELOPE} if definition else ENVELOPE


def node_at(definition: Definition | None, path: str) -> Node | None:
    """Return the node at a dotted path of an entity, `_id`, `_v` and `_sis` included."""
    return find(all_fields(definition), path.split("."))


def values_at(document: Mapping[str, Json], parts: list[str]) -> Iterator[Json]:
    """Yield what a dotted path leads to: through members of arrays and by index; MISSING where it ends early.

    An array at the end of the path is yielded whole: the tests look into it. A path through an array without
    objects leads nowhere and yields nothing, which is why `{"docs.k": null}` does not find `docs: []`.
    """
    value: Json = document
    for i, part in enumerate(parts):
        if isinstance(value, dict):
            value = value.get(part, MISSING)
        elif isinstance(value, list):
            rest = parts[i:]
            for member in value:
                if isinstance(member, dict):
                    yield from values_at(member, rest)
            index = index_of(part)
            if index is not None and index < len(value):
                member = value[index]
                if len(rest) == 1:
                    yield member
                elif isinstance(member, dict | list):
                    yield from _below(member, rest[1:])
            return
        else:
            yield MISSING
            return
    yield value


def _below(value: Json, parts: list[str]) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from values_at(value, parts)
    else:
        yield from values_at({"": value}, ["", *parts])

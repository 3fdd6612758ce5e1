"""What a list is asked for, checked against the schema before it is sent.

The server answers a misspelt field, an unknown operator or a value that it cannot cast with "nothing found"
(SIS-API 6.4): here they are errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..values.schema import META, RECEIPT, Schema
from ..values.types.base import Field, cast, nearest
from ..values.types.cells import is_missing
from ..values.types.object_id import ID

Lookup = Callable[[str], Schema]
"""Gives the schema of a name, for paths through references."""

_KEYS = ("q", "fields", "sort", "limit", "offset", "populate")
_LOGIC = ("$and", "$or", "$nor")
_COMPARE = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
_LISTS = ("$in", "$nin", "$all")
_OTHER = ("$size", "$elemMatch", "$exists", "$regex", "$options", "$not", "$mod", "$type")
_SIS = {"_sis", "_sis._version", "_sis._trans_id.id", "_sis._trans_id.idx", f"_sis.{RECEIPT.path}"}


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query.

    Attributes:
        q: The filter, its values as JSON.
        fields: Paths of the fields that are wanted; None: all.
        sort: Pairs of path and whether it descends.
        limit: Most rows wanted; None: all.
        offset: Rows to skip.
    """

    q: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0


def parse_query(
    schema: Schema, query: Mapping[str, Any] | None, fields: Sequence[str] | None, lookup: Lookup
) -> Query:
    """Check a query against the schema.

    Args:
        schema: Of the entities that are asked for.
        query: `q`, `fields`, `sort`, `limit`, `offset`, as `fetch_all` takes them.
        fields: Paths instead of the query's `fields`; one of a nested document stands for all below it.
        lookup: Gives the schemas that references lead to.

    Raises:
        ValueError: It names what the server would ignore or not find, with the nearest names.
    """
    if not isinstance(query or {}, Mapping):
        kind = type(query).__name__
        raise TypeError(f"a query is a dict such as {{'q': {{...}}, 'limit': 10}}, got {kind}")
    query = dict(query or {})
    for key in query:
        if key not in _KEYS:
            raise ValueError(f"query has no {key!r}{nearest(key, _KEYS)} (it takes {', '.join(_KEYS)})")
    if str(query.get("populate", False)).lower() != "false":
        raise ValueError("a frame holds ids, not populated objects: use expand=['reference.field']")
    q = query.get("q") or {}
    q = json.loads(q) if isinstance(q, str) else q
    if not isinstance(q, Mapping):
        raise ValueError(f"q is an object, got {q!r}")
    if fields is not None and query.get("fields"):
        raise ValueError("give fields= or the query's 'fields', not both")
    return Query(
        q=check_filter(schema, q, lookup),
        fields=_selected(schema, query.get("fields") if fields is None else fields),
        sort=_sorted(schema, query.get("sort"), lookup),
        limit=_count("limit", query.get("limit"), 1),
        offset=_count("offset", query.get("offset"), 0) or 0,
    )


def _count(name: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(f"{name} is a whole number from {least} up, got {value!r}")
    return number


def _selected(schema: Schema, fields: Any) -> tuple[str, ...] | None:
    if not fields:
        return None
    names = [name.strip() for name in fields.split(",")] if isinstance(fields, str) else list(fields)
    known = (*schema.columns, *(f.path for f in META), RECEIPT.path)
    chosen: list[str] = []
    without: list[str] = []
    for name in names:
        bare = name if name in known else name.removeprefix("-")
        found = [path for path in known if path == bare or path.startswith(f"{bare}.")]
        if not found and bare not in ("_id", "_sis"):
            raise ValueError(f"schema {schema.name!r} has no field {bare!r}{nearest(bare, known)}")
        (chosen if name == bare else without).extend(found)
    if without and chosen:
        raise ValueError("fields either names what is wanted or, with '-', what is not")
    if without:
        return tuple(path for path in schema.columns if path not in without)
    return tuple(path for path in known if path in chosen)


def _sorted(schema: Schema, sort: Any, lookup: Lookup) -> tuple[tuple[str, bool], ...]:
    names = sort.split(",") if isinstance(sort, str) else list(sort or ())
    found = []
    for name in map(str.strip, names):
        path = name.lstrip("+-")
        leaf = _resolve(schema, path, lookup)
        if leaf.joined:
            raise ValueError(f"the server cannot sort by {path!r}, which is in another schema")
        found.append((path, name.startswith("-")))
    return tuple(found)


def check_filter(schema: Schema, q: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    """Return a filter with its values as JSON of the fields' types.

    Raises:
        ValueError: A field, an operator or a value that the server would not find.
    """
    found: dict[str, Any] = {}
    joins: dict[str, str] = {}
    for key, condition in q.items():
        if key in _LOGIC:
            if not isinstance(condition, list | tuple) or not condition:
                raise ValueError(f"q: {key} takes a list of filters, got {condition!r}")
            found[key] = [check_filter(schema, part, lookup) for part in condition]
            continue
        if key.startswith("$"):
            raise ValueError(f"q: no operator {key!r} here{nearest(key, _LOGIC)}")
        leaf = _resolve(schema, key, lookup)
        if leaf.joined:
            joins[key] = leaf.joined
        found[key] = _condition(key, leaf.field, condition)
    for key, reference in joins.items():
        if reference in found:
            raise ValueError(f"q: of {reference!r} and {key!r} the server would drop one: use $and")
    return found


@dataclass(frozen=True, slots=True)
class _Leaf:
    field: Field | None
    """None: below Mixed, or a whole nested document: nothing is known about values."""
    joined: str = ""
    """The path of the reference that the path leads through."""


def field_at(schema: Schema, path: str, lookup: Lookup) -> Field | None:
    """Return the field at a path of a filter; None below Mixed and for whole nested documents.

    Raises:
        ValueError: There is none; the message names those of similar spelling.
    """
    return _resolve(schema, path, lookup).field


def _resolve(schema: Schema, path: str, lookup: Lookup) -> _Leaf:
    """Find what a path of a filter or a sort stands for, through arrays, documents and references."""
    if path == "_id":
        return _Leaf(ID)
    if path.startswith("_sis"):
        meta = {f.path: f for f in META}
        if path not in meta and path not in _SIS:
            raise ValueError(f"_sis has no {path!r}{nearest(path, (*meta, *_SIS))}")
        return _Leaf(None if path.endswith("_at") else meta.get(path))
    return _resolve_in(schema.fields, path, lookup, schema.name, "")


def _resolve_in(fields: Sequence[Field], path: str, lookup: Lookup, name: str, parent: str) -> _Leaf:
    for leaf in fields:
        if path == leaf.path:
            return _Leaf(leaf)
        if path.startswith(f"{leaf.path}."):
            return _below(leaf, path.removeprefix(f"{leaf.path}."), lookup, name, f"{parent}{leaf.path}")
    if any(leaf.path.startswith(f"{path}.") for leaf in fields):
        return _Leaf(None)
    known = [f"{parent}{leaf.path}" for leaf in fields]
    raise ValueError(f"schema {name!r} has no field {parent + path!r}{nearest(parent + path, known)}")


def _below(leaf: Field, rest: str, lookup: Lookup, name: str, path: str) -> _Leaf:
    head, _, tail = rest.partition(".")
    if leaf.kind.is_untyped:
        return _Leaf(None)
    if leaf.item:
        if head.isdecimal():
            return _below(leaf.item, tail, lookup, name, f"{path}.{head}") if tail else _Leaf(leaf.item)
        return _below(leaf.item, rest, lookup, name, path)
    if leaf.kind.is_array:
        if head.isdecimal():
            return _below(leaf, tail, lookup, name, f"{path}.{head}") if tail else _Leaf(None)
        return _Leaf(ID) if rest == "_id" else _resolve_in(leaf.fields, rest, lookup, name, f"{path}.")
    if leaf.ref:
        if rest == "_id":
            raise ValueError(f"the server never finds {path + '._id'!r}: use {path!r}")
        return replace(_resolve(lookup(leaf.ref), rest, lookup), joined=path)
    if rest in leaf.kind.parts:
        return _Leaf(Field(f"{path}.{rest}", leaf.kind.parts[rest]))
    raise ValueError(f"{path!r} of schema {name!r} is {leaf.type}: there is no {rest!r} below it")


def _condition(path: str, leaf: Field | None, condition: Any) -> Any:
    if not isinstance(condition, Mapping) or not any(str(key).startswith("$") for key in condition):
        return _value(path, leaf, condition)
    found: dict[str, Any] = {}
    for operator, value in condition.items():
        if operator in _COMPARE:
            found[operator] = _value(path, leaf, value)
        elif operator in _LISTS:
            values = value if isinstance(value, list | tuple | set | frozenset) else [value]
            found[operator] = [_value(path, leaf, member) for member in values]
        elif operator == "$not":
            found[operator] = _condition(path, leaf, value)
        elif operator == "$exists" and not isinstance(value, bool):
            raise ValueError(f"q: {path!r}: $exists is true or false, got {value!r}")
        elif operator in _OTHER:
            found[operator] = value
        else:
            known = (*_COMPARE, *_LISTS, *_OTHER)
            raise ValueError(f"q: {path!r}: no operator {operator!r}{nearest(operator, known)}")
    return found


def _value(path: str, leaf: Field | None, value: Any) -> Any:
    """Return a value as JSON; texts as they are, for the server trims and cases only what it stores."""
    if leaf is None or not (leaf.kind.is_scalar or leaf.item):
        return value
    if leaf.item and not isinstance(value, list | tuple):
        return _value(path, leaf.item, value)
    if is_missing(value):
        return None
    if isinstance(value, list | tuple) and not leaf.item:
        return [_value(path, leaf, member) for member in value]
    try:
        return cast(replace(leaf, trim=False, case=None), value)
    except ValueError as error:
        raise ValueError(f"q: {path!r}: {error}: the server would find nothing") from None

"""What a list is asked for, checked against the schema before it is sent.

The server answers a misspelt field, an unknown operator or a value that it cannot cast with "nothing found"
(SIS-API 6.4): here they are errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message, nearest

from ..values.references import reference_fields
from ..values.schema import META, RECEIPT, Schema
from .conditions import query_of
from .filters import parse
from .operands import operand, refuse_operator, refuse_pattern
from .paths import Lookup, place

if TYPE_CHECKING:
    from ..values.types.base import Field

_KEYS = ("q", "fields", "sort", "limit", "offset", "populate")
_LOGIC = ("$and", "$or", "$nor")
_COMPARE = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
_LISTS = ("$in", "$nin", "$all")
_DEEPEST = 50
"""Levels of `$and` and the like: a database takes about 100 of objects and lists."""
_OTHER = ("$size", "$elemMatch", "$exists", "$regex", "$options", "$not", "$mod", "$type")


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query.

    Attributes:
        q: The filter, its values as JSON.
        fields: Paths of the fields that are wanted; None: all.
        sort: Pairs of path and whether it descends.
        limit: Most rows wanted; None: all.
        offset: Rows to skip.
        is_text: The filter was given as text: somebody typed it.
    """

    q: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
    is_text: bool = False

    def narrowed(self, *conditions: Mapping[str, Any]) -> Query:
        """Return the query for those of its rows that meet further conditions, too."""
        parts = [part for part in (self.q, *conditions) if part]
        return replace(self, q={"$and": parts} if len(parts) > 1 else parts[0] if parts else {})


def parse_query(
    schema: Schema, query: Mapping[str, Any] | str | None, fields: Sequence[str] | None, lookup: Lookup
) -> Query:
    """Check a query against the schema.

    Args:
        schema: Of the entities that are asked for.
        query: `q`, `fields`, `sort`, `limit`, `offset`, as `fetch_all` takes them, and `q` also as the text
            of a filter; a text alone is `q`.
        fields: Paths instead of the query's `fields`; one of a nested document stands for all below it.
        lookup: Gives the schemas that references lead to.

    Raises:
        ValueError: It names what the server would ignore or not find, with the nearest names.
    """
    query = as_query(query)
    for key in query:
        if key not in _KEYS:
            raise ValueError(
                Message(f"query has no {key!r}", nearest(key, _KEYS), f" (it takes {', '.join(_KEYS)})")
            )
    if str(query.get("populate", False)).lower() != "false":
        joining = Argument("expand", "adds fields of the rows referred to", ["reference.field"])
        raise ValueError(Message("a frame holds ids, not populated objects", joining))
    q = query.get("q")
    q = {} if q is None or q == "" else q
    is_text = isinstance(q, str) and not q.lstrip().startswith(("{", "["))
    if isinstance(q, str):
        q = query_of(parse(q), schema, lookup) if is_text else _of_json(q)
    if not isinstance(q, Mapping):
        raise ValueError(f"q is an object, got {q!r}")
    if fields is not None and query.get("fields"):
        raise ValueError("give fields= or the query's 'fields', not both")
    return Query(
        q=q if is_text else check_filter(schema, q, lookup),
        fields=_selected(schema, query.get("fields") if fields is None else fields),
        sort=_sorted(schema, query.get("sort"), lookup),
        limit=_count("limit", query.get("limit"), 1),
        offset=_count("offset", query.get("offset"), 0) or 0,
        is_text=is_text,
    )


def as_query(query: Mapping[str, Any] | str | None) -> dict[str, Any]:
    """Return what a caller asked for as a dict; a text is a filter.

    Raises:
        TypeError: It is neither.
        ValueError: The text is empty: for all rows leave it out.
    """
    if isinstance(query, str):
        return {"q": query if query.strip() else str(parse(query))}
    if query is None:
        return {}
    if not isinstance(query, Mapping):
        kind = type(query).__name__
        raise TypeError(
            "a query is a text such as 'status = live' or a dict such as {'q': {...}, 'limit': 10}, "
            f"got {kind}"
        )
    return dict(query)


def as_filter(where: Mapping[str, Any] | str | None) -> Mapping[str, Any] | str | None:
    """Return a filter that stands alone, as the `q` of a query.

    Raises:
        TypeError: It is no filter.
        ValueError: The text is empty: for all rows leave it out.
    """
    if isinstance(where, str):
        return str(as_query(where)["q"])
    if where is not None and not isinstance(where, Mapping):
        kind = type(where).__name__
        raise TypeError(f"a filter is a text such as 'status = live', or what sp.where returns, got {kind}")
    return where


def _of_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"q is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("q is nested too deeply") from None


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
            if any(bare.startswith(f"{path}.") for path, _ in reference_fields(schema)):
                adding = Argument("expand", "adds it", [bare])
                raise ValueError(Message(f"{bare!r} is in another table", adding))
            raise ValueError(Message(f"schema {schema.name!r} has no field {bare!r}", nearest(bare, known)))
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
        if place(schema, path, lookup).joined:
            raise ValueError(f"the server cannot sort by {path!r}, which is in another schema")
        found.append((path, name.startswith("-")))
    return tuple(found)


def check_filter(
    schema: Schema, q: Mapping[str, Any], lookup: Lookup, room: int = _DEEPEST
) -> dict[str, Any]:
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
            if not room:
                raise ValueError(f"q is nested more than {_DEEPEST} levels deep")
            found[key] = [check_filter(schema, part, lookup, room - 1) for part in condition]
            continue
        if key.startswith("$"):
            raise ValueError(Message(f"q: no operator {key!r} here", nearest(key, _LOGIC)))
        at = place(schema, key, lookup)
        if at.joined:
            joins[key] = at.joined
        try:
            found[key] = _condition(at.field, condition)
        except ValueError as error:
            raise ValueError(f"q: {key!r}: {error}") from None
    for key, reference in joins.items():
        if reference in found:
            raise ValueError(f"q: of {reference!r} and {key!r} the server would drop one: use $and")
    return found


def joined(schema: Schema, q: Mapping[str, Any], lookup: Lookup) -> str | None:
    """Return a path of a checked filter that leads through a reference into other rows; None: none does."""
    for key, condition in q.items():
        inner = [joined(schema, part, lookup) for part in condition] if key in _LOGIC else []
        if key not in _LOGIC and place(schema, key, lookup).joined:
            return key
        found = next(filter(None, inner), None)
        if found:
            return found
    return None


def _condition(leaf: Field | None, condition: Any) -> Any:
    if not isinstance(condition, Mapping) or not any(str(key).startswith("$") for key in condition):
        return _operand(leaf, condition)
    found: dict[str, Any] = {}
    for operator, value in condition.items():
        if leaf is not None:
            refuse_operator(leaf, operator)
        if operator in _COMPARE:
            found[operator] = _operand(leaf, value)
        elif operator in _LISTS:
            values = value if isinstance(value, list | tuple | set | frozenset) else [value]
            found[operator] = [_operand(leaf, member) for member in values]
        elif operator == "$not":
            if isinstance(value, Mapping) and "$not" in value:
                raise ValueError("$not takes no other $not")
            found[operator] = _condition(leaf, value)
        elif operator == "$exists" and not isinstance(value, bool):
            raise ValueError(f"$exists is true or false, got {value!r}")
        elif operator in _OTHER:
            if operator == "$regex":
                refuse_pattern(value, condition.get("$options", ""))
            found[operator] = value
        else:
            known = (*_COMPARE, *_LISTS, *_OTHER)
            raise ValueError(Message(f"no operator {operator!r}", nearest(operator, known)))
    return found


def _operand(leaf: Field | None, value: Any) -> Any:
    try:
        return operand(leaf, value)
    except ValueError as error:
        raise ValueError(f"{error}: the server would find nothing") from None

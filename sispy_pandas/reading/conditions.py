"""What a filter asks of the server: its conditions as a `q`, understood by the types of the fields.

Where a path leads to several values, one that meets the condition is enough. The opposite of a condition, as
`!=` is of `=`, finds all other rows, also those that have no value, or no row that the path leads through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..values.schema import RECEIPT
from ..values.types.mixed import ANYTHING
from .filters import SEARCH, Condition, Not, Value
from .operands import member_of, operand, refuse_operator, refuse_pattern
from .paths import Lookup, Place, place

if TYPE_CHECKING:
    from ..values.schema import Schema
    from ..values.types.base import Field
    from .filters import Filter

Q = dict[str, Any]
_ALONE = Place(None)

_OPPOSITE = {"!=": "=", "nin": "in", "!~": "~", "not like": "like", "is empty": "is not empty"}
_NOTHING = ("", "null", "none", "nil", "nan", "na", "undefined")
_NULL = 10
"""The database's number of the type of null."""
_BOUND = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}


def query_of(found: Filter, schema: Schema, lookup: Lookup) -> Q:
    """Return the `q` that finds the rows which meet a filter.

    Args:
        found: As `filters.parse` returns it.
        schema: Of the rows.
        lookup: Gives the schemas that references lead to.

    Raises:
        ValueError: It names a field, an operator or a value that there cannot be.
    """
    if isinstance(found, Not):
        return {"$nor": [query_of(found.part, schema, lookup)]}
    if not isinstance(found, Condition):
        parts = [query_of(part, schema, lookup) for part in found.parts]
        return _merged(parts) or {f"${found.operator}": parts} if found.operator == "and" else {"$or": parts}
    path = f"_sis.{RECEIPT.path}" if found.path == RECEIPT.path else found.path
    condition = replace(found, path=path, operator=_OPPOSITE.get(found.operator, found.operator))
    at = place(schema, path, lookup)
    _refuse(at, found)
    q = _present(path, at) if condition.operator == "is not empty" else _compared(condition, at, lookup)
    return q if condition.operator == found.operator else _others(q, at)


def _merged(parts: list[Q]) -> Q | None:
    """Return queries that all have to be met as one, which is easier to read; None where they interfere."""
    names = [{path.split(".")[0] for path in part} for part in parts]
    if any(name[0] == "$" for name in set().union(*names)) or len(set().union(*names)) < sum(map(len, names)):
        return None  # through one reference a single dict would ask for one row that meets all
    return {path: test for part in parts for path, test in part.items()}


def _refuse(at: Place, condition: Condition) -> None:
    if condition.values and at.below:
        names = ", ".join(f"{condition.path}.{tail}" for tail, _ in at.below[:5])
        raise ValueError(f"{condition.path!r} has fields of its own: compare one of them, such as {names}")
    if at.field:
        with _of(condition.path):
            refuse_operator(at.field, condition.operator)


@contextmanager
def _of(path: str) -> Iterator[None]:
    """Name the field in the errors that are raised within."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path!r}: {error}") from None


def _others(q: Q, at: Place) -> Q:
    """Return what finds the rows that `q` does not."""
    (path, test), *others = q.items()
    if at.joined or others or path.startswith("$"):  # a join finds only rows that have what it leads through
        return {"$nor": [q]}
    if isinstance(test, Mapping) and len(test) > 1:
        return {"$nor": [q]}
    match test:
        case {"$in": values}:
            return {path: {"$nin": values}}
        case {"$nin": values}:
            return {path: {"$in": values}}
        case {"$exists": exists}:
            return {path: {"$exists": not exists}}
        case Mapping():
            return {"$nor": [q]}
    return {path: {"$ne": test}}


def _compared(condition: Condition, at: Place, lookup: Lookup) -> Q:
    path, operator = condition.path, condition.operator
    if operator in SEARCH:
        return _searched(condition, at)
    if operator in _BOUND:
        return {path: _bound(condition, at, lookup)}
    parts = [_equal(replace(condition, values=(value,)), at, lookup) for value in condition.values]
    if operator == "=":
        return parts[0]
    tests = [test for part in parts for test in part.items()]
    if len({where for where, _ in tests}) == 1 and not any(isinstance(test, Mapping) for _, test in tests):
        return {tests[0][0]: {"$in": [test for _, test in tests]}}
    return {"$or": parts}


def _searched(condition: Condition, at: Place) -> Q:
    source, options = condition.values[0].pattern
    if condition.operator == "like" and "i" not in options:
        options += "i"
    with _of(condition.path):
        refuse_pattern(source, options)
    test = {"$regex": source, "$options": options} if options else {"$regex": source}
    return {_compared_field(at).kind.at(condition.path): test}


def _bound(condition: Condition, at: Place, lookup: Lookup) -> Q:
    operator, (value,) = condition.operator, condition.values
    field = _compared_field(at)
    span = _span(field, value)
    if span is None:
        return {_BOUND[operator]: _stored(condition, field, lookup)}
    first, last = span
    return {_BOUND[operator]: first if operator in (">=", "<") else last}


def _equal(condition: Condition, at: Place, lookup: Lookup) -> Q:
    path, (value,) = condition.path, condition.values
    field = _compared_field(at)
    if field.kind.parts:
        with _of(path):
            parts = field.kind.split(value.text)
        below = {f".{key}": part for key, part in parts.items()}
        return _of_one(path, at if len(parts) > 1 else _ALONE, below)
    span = _span(field, value)
    if span:
        return _of_one(path, at, {"": {"$gte": span[0], "$lte": span[1]}})
    return {path: _stored(condition, field, lookup)}


def _of_one(path: str, at: Place, tests: Q) -> Q:
    """Return what finds rows of which one and the same value meets tests of what is below it."""
    if at.within is None:
        return {path + below: test for below, test in tests.items()}
    if "" in tests and not at.within:
        return {path: {"$elemMatch": tests[""]}}
    array = path.removesuffix(f".{at.within}") if at.within else path
    inner = {f"{at.within}{below}".lstrip("."): test for below, test in tests.items()}
    return {array: {"$elemMatch": inner}}


def _present(path: str, at: Place) -> Q:
    """Return what finds rows that have a value at a path."""
    if at.field is None and at.below:
        return {"$or": [_present(f"{path}.{tail}", _inside(at, tail, leaf)) for tail, leaf in at.below]}
    field = at.field or ANYTHING
    if field.kind.is_array and at.joined:  # through a reference the server leaves indices out
        return {path: {"$elemMatch": {"$ne": None} if field.item else {"_id": {"$exists": True}}}}
    if field.kind.is_array:
        return {f"{path}.0": {"$exists": True}}
    nothing: list[Any] = [""] if field.kind.has_empty or field.kind.is_untyped else []
    nothing += [[]] if field.kind.is_untyped else []
    if at.field is None or (not at.joined and any(part.isdecimal() for part in path.split("."))):
        # The way leads through members: null finds all of them that lack the key, and none has a number.
        some: Q = {"$exists": True, "$not": {"$type": _NULL}}
        return {field.kind.at(path): some | ({"$nin": nothing} if nothing else {})}
    return _of_one(path, at, {field.kind.at(""): {"$nin": [None, *nothing]}})


def _inside(at: Place, tail: str, leaf: Field) -> Place:
    """Return the place of a field of a nested document."""
    within = None if at.within is None else f"{at.within}.{tail}"
    return replace(at, field=leaf, within="" if leaf.kind.is_array else within, below=())


def _compared_field(at: Place) -> Field:
    """Return the field whose values are compared."""
    return member_of(at.field) if at.field else ANYTHING


def _stored(condition: Condition, field: Field, lookup: Lookup) -> Any:
    """Return a value as the server stores it."""
    path, (value,) = condition.path, condition.values
    if field.kind.is_untyped:
        return value.text if value.is_quoted else field.kind.meant(value.text)
    try:
        found = operand(field, value.text)
    except ValueError as error:
        raise ValueError(f"{path!r}: {error}{_way_out(condition, field, lookup)}") from None
    if found is None:
        raise ValueError(f"{path!r}: a blank is no value; to find rows without one: '{path} is empty'")
    return found


def _way_out(condition: Condition, field: Field, lookup: Lookup) -> str:
    """Return the tail of a message that tells what to type instead of something that is no value."""
    if condition.values[0].text.strip().lower() in _NOTHING:
        return f"; to find rows without one: '{condition.path} is empty'"
    if field.kind.presentation == "date":
        return "; a day is written 2024-01-31"
    try:
        key = lookup(field.ref).key if field.ref else None
    except ValueError:
        return ""
    if not key or key == "_id":
        return ""
    return f"; by name it is '{replace(condition, path=f'{condition.path}.{key}')}'"


def _span(field: Field, value: Value) -> list[Any] | None:
    """Return the first and the last value that a text stands for, as a day does; None: only itself."""
    span = field.kind.span(value.text)
    return [operand(field, end) for end in span] if span else None

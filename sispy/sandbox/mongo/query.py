"""Queries over stored documents: Mongo's matching rules with SIS's casts (SIS-API 6).

A query is compiled once, to closures; matching then costs no more than looking up and comparing. Values
are compared as stored (`js.scalars`): numbers by value, dates by their time, booleans are no numbers, and an
ordering operator only finds values of its operand's own type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from sispy.sandbox.js.scalars import MISSING, CastFailure, Json
from sispy.sandbox.mongo import operators
from sispy.sandbox.mongo.errors import CastError
from sispy.sandbox.mongo.paths import all_fields, values_at
from sispy.sandbox.mongoose.nodes import Node, find

if TYPE_CHECKING:
    from sispy.sandbox.mongo.operators import Test
    from sispy.sandbox.mongoose.nodes import Definition

__all__ = ["CastError", "Matcher", "compile_query"]

Matcher = Callable[[Mapping[str, Json]], bool]

_LOGICAL = ("$and", "$or", "$nor")
_MAX_DEPTH = 60


def compile_query(query: Json, definition: Definition | None = None) -> Matcher:
    """Compile a query to a function of a document.

    Joins must have been resolved to ids. Paths are not checked: unknown ones are simply missing.

    Args:
        query: A decoded JSON object.
        definition: By whose types the values are cast; None: no casts but those of `_id`, `_v`.

    Raises:
        CastError: A value that its field's type does not take, or an unknown or misused operator; also by the
            matcher, when a pattern takes too long.
    """
    if not isinstance(query, dict):
        raise CastError("the query must be an object")
    return _document(query, all_fields(definition), 0)


def _document(query: Mapping[str, Json], fields: Mapping[str, Node], depth: int) -> Matcher:
    if depth > _MAX_DEPTH:
        raise CastError("the query is nested too deeply")
    tests: list[Matcher] = []
    for key, condition in query.items():
        if key in _LOGICAL:
            tests.append(_logical(key, condition, fields, depth))
        elif key == "$comment":
            continue
        elif key.startswith("$"):
            raise CastError(f"unknown top level operator: {key}")
        else:
            tests.extend(_path(key, condition, fields, depth))
    return _all(tests)


def _all(tests: list[Matcher]) -> Matcher:
    if not tests:
        return lambda _: True
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda document: first(document) and second(document)
    return lambda document: all(test(document) for test in tests)


def _logical(key: str, parts: Json, fields: Mapping[str, Node], depth: int) -> Matcher:
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise CastError(f"{key} must be a nonempty array of objects")
    tests = [_document(part, fields, depth + 1) for part in parts]
    if key == "$and":
        return _all(tests)
    if key == "$or":
        return lambda document: any(test(document) for test in tests)
    return lambda document: not any(test(document) for test in tests)


def _path(path: str, condition: Json, fields: Mapping[str, Node], depth: int) -> Iterator[Matcher]:
    parts = path.split(".")
    node = find(fields, parts)
    if isinstance(condition, dict) and any(name.startswith("$") for name in condition):
        for name, operand in operators.normalised(condition):
            yield _operator(parts, node, path, name, operand, fields, depth)
        return
    if isinstance(condition, list) and node is not None and node.kind == "scalar":
        yield _operator(parts, node, path, "$in", condition, fields, depth)
        return
    yield _operator(parts, node, path, "$eq", condition, fields, depth)


def _operator(
    parts: list[str],
    node: Node | None,
    path: str,
    name: str,
    operand: Json,
    fields: Mapping[str, Node],
    depth: int,
) -> Matcher:
    operators.check_usable(name, node, path)
    if name == "$not":
        return _negation(parts, node, path, operand, fields, depth)
    if name in ("$ne", "$nin"):
        inner = _operator(parts, node, path, "$eq" if name == "$ne" else "$in", operand, fields, depth)
        return lambda document: not inner(document)
    if name == "$all":
        return _every(parts, node, path, operand, fields, depth)
    if name == "$elemMatch":
        return _over_arrays(parts, _element(node, path, operand, depth))
    if name == "$exists":
        wanted = operators.exists_operand(operand, node)
        return _existence(parts, wanted=wanted)
    if name == "$size":
        size = operators.size_operand(operand, node, path)
        return _over_arrays(parts, lambda value: len(value) == size)
    try:
        test = operators.compiled(name, operand, node, path)
    except CastFailure as failure:
        raise CastError.of(failure, path) from None
    return _over_values(parts, test)


def _negation(
    parts: list[str], node: Node | None, path: str, operand: Json, fields: Mapping[str, Node], depth: int
) -> Matcher:
    if not isinstance(operand, dict) or not operand or not all(name.startswith("$") for name in operand):
        raise CastError("$not needs an object of operators")
    inner = _all(
        [
            _operator(parts, node, path, name, one, fields, depth + 1)
            for name, one in operators.normalised(operand)
        ]
    )
    return lambda document: not inner(document)


def _every(
    parts: list[str], node: Node | None, path: str, operand: Json, fields: Mapping[str, Node], depth: int
) -> Matcher:
    operands = operand if isinstance(operand, list) else [operand]
    if not operands:
        return lambda _: False
    tests = []
    for one in operands:
        if isinstance(one, dict) and set(one) == {"$elemMatch"}:
            tests.append(_operator(parts, node, path, "$elemMatch", one["$elemMatch"], fields, depth))
        else:
            tests.append(_operator(parts, node, path, "$eq", one, fields, depth))
    return _all(tests)


def _element(node: Node | None, path: str, operand: Json, depth: int) -> Test:
    """Compile what one member of an array must fulfil; returns a test of the whole array."""
    if not isinstance(operand, dict):
        raise CastError("$elemMatch needs an Object")
    if operand and all(name.startswith("$") and name not in _LOGICAL for name in operand):
        item = node.item if node is not None and node.kind == "array" else None
        inner = _all(
            [_operator([""], item, path, name, one, {}, depth) for name, one in operators.normalised(operand)]
        )
        return lambda array: any(inner({"": one}) for one in array)
    fields = node.fields if node is not None else {}
    match = _document(operand, fields, depth + 1)
    return lambda array: any(
        match(one if isinstance(one, dict) else {str(i): inner for i, inner in enumerate(one)})
        for one in array
        if isinstance(one, dict | list)
    )


def _existence(parts: list[str], *, wanted: bool) -> Matcher:
    if len(parts) == 1:
        name = parts[0]
        return lambda document: (name in document) is wanted
    return lambda document: any(value is not MISSING for value in values_at(document, parts)) is wanted


def _over_arrays(parts: list[str], test: Test) -> Matcher:
    return lambda document: any(
        isinstance(value, list) and test(value) for value in values_at(document, parts)
    )


def _over_values(parts: list[str], test: Test) -> Matcher:
    """Apply a test to the values of a path: an array's members count one by one, and the array as a whole."""
    if len(parts) == 1:
        name = parts[0]

        def match(document: Mapping[str, Json]) -> bool:
            value = document.get(name, MISSING)
            if type(value) is list:
                return any(map(test, value)) or test(value)
            return test(value)

        return match
    return _any_value(parts, test)


def _any_value(parts: list[str], test: Test) -> Matcher:
    def match(document: Mapping[str, Json]) -> bool:
        place: Json = document
        for part in parts:  # objects all the way: no need to look for members of arrays
            if type(place) is not dict:
                break
            place = place.get(part, MISSING)
        else:
            if type(place) is not list:
                return test(place)
        for value in values_at(document, parts):
            if test(value) or (type(value) is list and any(map(test, value))):
                return True
        return False

    return match

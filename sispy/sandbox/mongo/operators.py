"""The operators of queries on one value (SIS-API 6.4): casts of their operands, tests, order of types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js import scalars
from sispy.sandbox.js.dates import date_order
from sispy.sandbox.js.numbers import number
from sispy.sandbox.js.patterns import Pattern
from sispy.sandbox.js.scalars import MISSING, CastFailure, Json, inspect
from sispy.sandbox.mongo.errors import CastError

if TYPE_CHECKING:
    from sispy.sandbox.mongoose.nodes import Node

Test = Callable[[Json], bool]
NUMBER_RANK = 1


def rank_of(value: Json) -> int:
    """Order of the types: missing and null, numbers, texts, objects, arrays, booleans."""
    if value is None or value is MISSING:
        return 0
    if isinstance(value, bool):
        return 5
    if isinstance(value, int | float):
        return NUMBER_RANK
    if isinstance(value, str):
        return 2
    return 3 if isinstance(value, dict) else 4


def order_key(value: Json) -> tuple[Any, ...]:
    """Return a key that orders any two values as the database does."""
    rank = rank_of(value)
    if rank == 3:
        return (rank, tuple((rank_of(one), name, order_key(one)) for name, one in value.items()))
    if rank == 4:
        return (rank, tuple(order_key(one) for one in value))
    return (rank,) if rank == 0 else (rank, value)


def identical(left: Json, right: Json) -> bool:
    """Compare as the database compares documents: by type, value and order of keys."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and len(left) == len(right)
            and all(
                key == other and identical(one, another)
                for (key, one), (other, another) in zip(left.items(), right.items(), strict=True)
            )
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(identical, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def normalised(condition: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Yield the operators of a condition; `$regex` takes its `$options` along."""
    for name, operand in condition.items():
        if not name.startswith("$"):
            raise CastError(f"unknown operator: {name}")
        if name == "$options":
            if "$regex" not in condition:
                raise CastError("$options needs a $regex")
        elif name == "$regex":
            yield name, (operand, condition.get("$options", ""))
        else:
            yield name, operand


_ARRAYS = ("array", "documents")


def is_typed(node: Node | None) -> bool:
    """Return whether a field has a type that its operands are cast to; all others go to the database."""
    return node is not None and node.kind not in ("mixed", "nested")


def check_usable(name: str, node: Node | None, path: str) -> None:
    """Refuse an operator on a field whose type does not have it.

    Raises:
        CastError: It is one of arrays or of Numbers, and the field is another.
    """
    if node is None or not is_typed(node):
        return
    if name in ("$size", "$elemMatch"):
        usable = node.kind in _ARRAYS
    elif name == "$mod":
        usable = node.type == "Number"
    else:
        return
    if not usable:
        raise CastError(f"Can't use {name} with {node.type} at {path}.", name="Error")


def exists_operand(operand: Json, node: Node | None) -> bool:
    """Read the operand of `$exists`: a boolean, or where there is no type what the database takes for one."""
    if is_typed(node) and not isinstance(operand, bool):
        raise CastError("$exists parameter must be a boolean!", name="Error")
    return operand not in (None, 0)  # the empty text is true there


def size_operand(operand: Json, node: Node | None, path: str) -> float:
    """Read the operand of `$size`: a number, or the text of one where there is a type to cast it."""
    try:
        size = scalars.cast_number(operand) if is_typed(node) else operand
    except CastFailure as failure:
        raise CastError.of(failure, path) from None
    if rank_of(size) != NUMBER_RANK or size < 0 or not float(size).is_integer():
        raise CastError("$size must be a whole number")
    return float(size)


def compiled(name: str, operand: Json, node: Node | None, path: str) -> Test:
    """Compile one operator to a test of one value, MISSING included.

    Raises:
        CastFailure: The operand is not of the field's type.
        CastError: The operator is unknown or its operand malformed.
    """
    match name:
        case "$eq":
            return equal_to(cast_operand(node, operand, whole=True))
        case "$in":
            operands = operand if isinstance(operand, list) else [operand]
            return one_of([cast_operand(node, one, whole=True) for one in operands])
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _ordered(name, cast_operand(node, operand, whole=isinstance(operand, list)), is_date(node))
        case "$regex":
            return _pattern(operand, node)
        case "$mod":
            return _modulo(operand)
        case "$type":
            return _of_type(operand, node)
    raise CastError(f"Can't use {name} with {path}.", name="Error")


def cast_operand(node: Node | None, value: Json, *, whole: bool) -> Json:
    """Cast a value of a query by the field it is compared with, if that has a type.

    Args:
        node: The field; None: unknown.
        value: From the query.
        whole: Whether an array stands for a whole array.
    """
    if node is None or value is None or not is_typed(node):
        return number(value) if type(value) is int or type(value) is float else value
    match node.kind:
        case "scalar":
            if node.type == "IpAddress" and isinstance(value, str):
                raise CastFailure("undefined", value)
            return node.cast(value) if node.cast else value
        case "array":
            if isinstance(value, list) and whole:
                return [cast_operand(node.item, one, whole=True) for one in value]
            return cast_operand(node.item, value, whole=whole)
        case "documents":
            if isinstance(value, list):
                return [cast_operand(node, one, whole=True) for one in value]
            if not isinstance(value, dict):
                raise CastFailure("ObjectID" if isinstance(value, str) else "embedded", value)
            return {
                name: cast_operand(node.fields[name], one, whole=True) if name in node.fields else one
                for name, one in value.items()
            }
    return value


def is_date(node: Node | None) -> bool:
    """Return whether a field holds dates, in an array or not."""
    return _declared(node) == "Date"


def equal_to(target: Json) -> Test:
    """Compile equality: null also finds missing, objects need the same order of keys."""
    if target is None:
        return lambda value: value is None or value is MISSING
    if isinstance(target, str):
        return lambda value: value == target
    if isinstance(target, bool):
        return lambda value: value is target
    if isinstance(target, int | float):
        return lambda value: value == target and type(value) is not bool
    return lambda value: identical(value, target)


def one_of(targets: list[Json]) -> Test:
    """Compile `$in`: a set for the scalars, equality for the rest."""
    texts = {one for one in targets if isinstance(one, str)}
    numbers = {one for one in targets if isinstance(one, int | float) and not isinstance(one, bool)}
    others = [
        equal_to(one) for one in targets if not isinstance(one, str | int | float) or isinstance(one, bool)
    ]

    def test(value: Json) -> bool:
        kind = type(value)
        if kind is str:
            return value in texts
        if kind is int or kind is float:
            return value in numbers
        return any(other(value) for other in others)

    return test


def _ordered(name: str, target: Json, dates: bool) -> Test:
    accepts_equal = name.endswith("e")
    if target is None:
        return (lambda value: value is None or value is MISSING) if accepts_equal else lambda _: False
    rank = rank_of(target)
    if isinstance(target, str) and dates:
        target = date_order(target)
        return _compared(name, target, lambda value: date_order(value) if type(value) is str else MISSING)
    if isinstance(target, str):
        return _compared(name, target, lambda value: value if type(value) is str else MISSING)
    if rank == NUMBER_RANK:
        return _compared(
            name, target, lambda value: value if type(value) is int or type(value) is float else MISSING
        )
    key = order_key(target)
    return _compared(name, key, lambda value: order_key(value) if rank_of(value) == rank else MISSING)


def _compared(name: str, target: Any, key: Callable[[Json], Any]) -> Test:
    if name == "$gt":
        return lambda value: (one := key(value)) is not MISSING and one > target
    if name == "$gte":
        return lambda value: (one := key(value)) is not MISSING and one >= target
    if name == "$lt":
        return lambda value: (one := key(value)) is not MISSING and one < target
    return lambda value: (one := key(value)) is not MISSING and one <= target


def _pattern(operand: Json, node: Node | None) -> Test:
    source, options = operand
    if not isinstance(source, str) or not isinstance(options, str):
        raise CastError("$regex has to be a string")
    type_of = (
        node.item.type
        if node is not None and node.item is not None
        else node.type
        if node is not None
        else ""
    )
    if type_of in ("Number", "Boolean", "Date", "ObjectId"):
        raise CastError(f"Can't use $regex with {type_of}.", name="Error")
    try:
        pattern = Pattern.of_query(source, options)
    except ValueError as error:
        raise CastError(str(error)) from error

    def test(value: Json) -> bool:
        try:
            return type(value) is str and pattern.finds(value)
        except TimeoutError as error:
            raise CastError("the regular expression takes too long") from error

    return test


def _modulo(operand: Json) -> Test:
    if not isinstance(operand, list) or len(operand) != 2:
        raise CastError("malformed mod, needs to be an array of two numbers")
    try:
        divisor, remainder = (int(scalars.cast_number(one) or 0) for one in operand)
    except (CastFailure, OverflowError, ValueError):
        raise CastError(
            "malformed mod, divisor and remainder have to be numbers", name="MongoError"
        ) from None
    if not divisor:
        raise CastError("divisor cannot be 0")

    def test(value: Json) -> bool:
        if type(value) is not int and type(value) is not float:
            return False
        if value != value or value in (float("inf"), float("-inf")):
            return False
        whole = int(value)
        rest = abs(whole) % abs(divisor)
        return (rest if whole >= 0 else -rest) == remainder

    return test


_CODES = {
    1: "double",
    2: "string",
    3: "object",
    4: "array",
    5: "binData",
    7: "objectId",
    8: "bool",
    9: "date",
}
_CODES |= {10: "null", 16: "int", 18: "long", 19: "decimal"}
_OTHER_CODES = frozenset({-1, 6, 11, 12, 13, 14, 15, 17, 127})
_NAMES = frozenset(_CODES.values()) | {"number"}
_OTHER_NAMES = frozenset(["undefined", "regex", "javascript", "symbol", "timestamp", "minKey", "maxKey"])


def _of_type(operand: Json, node: Node | None) -> Test:
    wanted = {_type_name(one) for one in (operand if isinstance(operand, list) else [operand])}
    of_text = {"Date": "date", "ObjectId": "objectId"}.get(_declared(node), "string")

    def test(value: Json) -> bool:
        if value is MISSING:
            return False
        kind = ("null", "number", of_text, "object", "array", "bool")[rank_of(value)]
        return kind in wanted or (kind == "number" and _stored_number(value) in wanted)

    return test


def _type_name(code: Json) -> str:
    if isinstance(code, str) and code in _NAMES | _OTHER_NAMES:
        return code
    if isinstance(code, int | float) and not isinstance(code, bool):
        if code in _CODES:
            return _CODES[int(code)]
        if code in _OTHER_CODES:
            return ""
    raise CastError(f"Unknown type name alias: {inspect(code)}")


def _stored_number(value: float) -> str:
    """Return as what the database's driver has stored a number."""
    return "int" if isinstance(value, int) and -(2**31) <= value < 2**31 else "double"


def _declared(node: Node | None) -> str:
    """Return the type of a field, or of the members of an array."""
    if node is None:
        return ""
    return node.item.type if node.item is not None else node.type

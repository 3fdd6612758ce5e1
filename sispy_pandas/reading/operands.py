"""What a field can be compared with: the operators that its type takes, and values as the server stores them.

Where something else is asked for, the server finds nothing without a word (SIS-API 6.4): here it is an error.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..values.times import milliseconds
from ..values.types.cells import is_missing
from ..values.types.convert import cast
from ..values.types.mixed import ANYTHING
from .filters import EMPTY, EQUAL, ORDER, SEARCH

if TYPE_CHECKING:
    from ..values.types.base import Field

_STAMPS = ("_sis._created_at", "_sis._updated_at")
"""Times that the server stores as numbers: ms since 1970."""
_MILLISECONDS = re.compile(r"-?\d+")
_WRONG = (
    "bad escape (end", "missing ), unterminated", "unterminated character set", "unbalanced parenthesis",
    "nothing to repeat", "multiple repeat", "min repeat greater", "unexpected end of pattern",
)  # fmt: skip
"""Python's errors that the database has as well; of other signs it knows more than Python."""


def operators(field: Field | None) -> tuple[str, ...]:
    """Return the filter operators that a field takes, an array those of its members; None: of any type."""
    kind = (ANYTHING if field is None else member_of(field)).kind
    found: tuple[str, ...] = EQUAL if kind.is_scalar or kind.is_untyped or kind.parts else ()
    found += ORDER if kind.is_untyped or (kind.is_scalar and kind.is_ordered) else ()
    found += SEARCH if kind.is_searched else ()
    return (*found, *EMPTY)


def member_of(field: Field) -> Field:
    """Return what is compared with a value: of arrays their members, however deep, else the field itself."""
    while field.item:
        field = field.item
    return field


def refuse_operator(field: Field, operator: str) -> None:
    """Raise if a field does not take an operator, of filters or of the server: it would find nothing.

    Raises:
        ValueError: It does not; the message, the reason alone, says what it takes.
    """
    member = member_of(field)
    if operator == "$regex" and not (member.kind.is_searched and not member.kind.parts):
        raise ValueError(f"$regex finds texts, not values of type {member.type}")
    if operator in ("$size", "$elemMatch") and not (field.kind.is_array or field.kind.is_untyped):
        raise ValueError(f"{operator} finds lists, not values of type {field.type}")
    if not operator.startswith("$") and operator not in operators(field):
        raise ValueError(f"{member.type} does not take {operator!r} but {', '.join(operators(field))}")


def refuse_pattern(source: Any, options: Any = "") -> None:
    """Raise if the server could make nothing of a regex.

    Raises:
        ValueError: It could not.
    """
    if not isinstance(source, str) or not isinstance(options, str):
        raise ValueError(f"a regex is a text, and so are its options, got {source!r}, {options!r}")
    if set(options) - set("imsx"):
        raise ValueError(f"a regex has the options i, m, s and x, got {options!r}")
    if "\0" in source:
        raise ValueError(f"{source!r} is not a regex: it holds a null character")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python has plans for signs that mean nothing in a set today
            re.compile(source)
    except re.error as error:
        if error.msg.startswith(_WRONG) and r"\Q" not in source:
            raise ValueError(f"{source!r} is not a regex: {error.msg}") from None
    except (RecursionError, OverflowError):
        raise ValueError(f"{source[:40]!r}... is not a regex: it nests or repeats too much") from None


def operand(field: Field | None, value: Any) -> Any:
    """Return a value as JSON; texts as they are, for the server trims and cases only what it stores.

    Raises:
        ValueError: The field has no such value; the message is the reason alone.
    """
    if field is None or field.kind.is_untyped or (field.kind.is_array and not field.item):
        return value
    if field.item and not isinstance(value, list | tuple):
        return operand(field.item, value)
    if is_missing(value):
        return None
    if isinstance(value, list | tuple) and not field.item:
        return [operand(field, member) for member in value]
    if field.kind.parts:
        if isinstance(value, str):
            raise ValueError(f"it is stored as an object: compare '{field.kind.at(field.path)}'")
        return value
    if field.path in _STAMPS:
        return _stamp(field, value)
    return cast(replace(field, trim=False, case=None), value)


def _stamp(field: Field, value: Any) -> Any:
    """Return one of the times of `_sis`, which are numbers: ms since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _MILLISECONDS.fullmatch(value):
        return int(value)
    return milliseconds(cast(field, value) or "")

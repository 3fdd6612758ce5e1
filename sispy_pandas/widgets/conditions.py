"""Conditions of the filter builder, in words that are chosen from a list, as filters of the language."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..reading import filters
from ..reading.filters import Value
from ..reading.operands import operators as operators_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field

HAS_VALUE, NO_VALUE = "has a value", "has no value"
UNARY = (HAS_VALUE, NO_VALUE)
_OPERATORS = {
    "contains": "like",
    "is": "=",
    "is not": "!=",
    "starts with": "like",
    "<": "<",
    "≤": "<=",
    ">": ">",
    "≥": ">=",
    "is one of": "in",
    "is none of": "nin",
    "matches": "~",
    "does not match": "!~",
}
_OF_ENUMS = ("is", "is not", "is one of", "is none of")
_OF_ARRAYS = {"has the member": "=", "lacks the member": "!=", "has one of": "in", "has none of": "nin"}
_EMPTY = {HAS_VALUE: "is not empty", NO_VALUE: "is empty"}
_ALL = _OPERATORS | _OF_ARRAYS | _EMPTY
_SPECIAL = re.compile(r"([\\^$.|?*+()\[\]{}])")


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, one of its `operators`, and the value as text (unused by the UNARY ones)."""

    field: Field
    operator: str
    text: str = ""


def operators(field: Field) -> tuple[str, ...]:
    """List the operators that make sense for a field, the likeliest first."""
    taken = operators_of(field)
    words = _OF_ARRAYS if field.item else dict.fromkeys(_OF_ENUMS, "=") if field.enum else _OPERATORS
    fitting = () if field.kind.is_untyped else (word for word, one in words.items() if one in taken)
    return (*fitting, *UNARY)


def filter_of(conditions: Sequence[Condition]) -> filters.Filter | None:
    """Return the filter of all conditions, joined by and; None without any.

    Raises:
        ValueError: A value is missing.

    Example:
        >>> str(filter_of([Condition(Field("cores", "Number"), "≥", "8")]))
        'cores >= 8'
    """
    return filters.joined("and", list(map(_one, conditions))) if conditions else None


def python_code(schema: str, text: str) -> str:
    """Write the fetch of a filter as the two lines that a notebook would hold."""
    what = f", {text!r}" if text else ""
    return f'endpoint = client.entities("{schema}")\nsnapshot = sp.fetch(endpoint{what})'


def shell_code(schema: str, text: str) -> str:
    """Write the same as a command."""
    what = f" {shlex.quote(text)}" if text else ""
    return f"sispy export {schema}{what} -o {schema}.csv"


def _one(condition: Condition) -> filters.Filter:
    path, word, text = condition.field.path, condition.operator, condition.text.strip()
    operator = _ALL[word]
    if word in UNARY:
        return filters.Condition(path, operator)
    if word in ("contains", "starts with"):
        text = ("^" if word == "starts with" else "") + _SPECIAL.sub(r"\\\1", text)
    parts = text.split(",") if operator in ("in", "nin") else [text]
    values = tuple(Value.of(part.strip()) for part in parts if part.strip())
    if not values:
        raise ValueError(f"{path!r}: a value is missing")
    return filters.Condition(path, operator, values)

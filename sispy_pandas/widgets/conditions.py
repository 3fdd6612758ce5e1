"""The filter builder: conditions in words that are chosen from lists, and the filter that they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..reading import filters
from ..reading.filters import Value
from ..reading.operands import operators as operators_of

if TYPE_CHECKING:
    from ..values.schema import Schema
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
    "is like": "like",
    "is not like": "not like",
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
    """Return the operators that make sense for a field, the likeliest first."""
    taken = operators_of(field)
    words = _OF_ARRAYS if field.item else dict.fromkeys(_OF_ENUMS, "=") if field.enum else _OPERATORS
    fitting = () if field.kind.is_untyped else (word for word, one in words.items() if one in taken)
    return (*fitting, *UNARY)


@dataclass(frozen=True, slots=True)
class Builder:
    """Conditions, all or any of which are met; other parts of a filter stay as they were typed."""

    parts: tuple[Condition | filters.Filter, ...] = ()
    joined: str = "and"

    @classmethod
    def of(cls, schema: Schema, text: str) -> Builder:
        """Return the builder of a filter.

        Raises:
            ValueError: The text is no filter.
        """
        if not text.strip():
            return cls()
        found = filters.parse(text)
        if not isinstance(found, filters.Group):
            return cls((_condition(schema, found),))
        return cls(tuple(_condition(schema, part) for part in found.parts), found.operator)

    def __str__(self) -> str:
        """Write the filter; conditions without their value are left out."""
        parts = [
            _one(part) if isinstance(part, Condition) else part for part in self.parts if _is_whole(part)
        ]
        return str(filters.joined(self.joined, parts)) if parts else ""

    def added(self, field: Field) -> Builder:
        """Return it with one more condition, whose value is still to be given."""
        return replace(self, parts=(*self.parts, Condition(field, operators(field)[0])))

    def without(self, at: int) -> Builder:
        """Return it with one part less."""
        return replace(self, parts=(*self.parts[:at], *self.parts[at + 1 :]))

    def changed(self, at: int, condition: Condition) -> Builder:
        """Return it with another condition, whose operator fits its field."""
        fitting = operators(condition.field)
        if condition.operator not in fitting:
            condition = replace(condition, operator=fitting[0])
        return replace(self, parts=(*self.parts[:at], condition, *self.parts[at + 1 :]))


def _is_whole(part: Condition | filters.Filter) -> bool:
    """Return whether a condition has its value."""
    return not isinstance(part, Condition) or part.operator in UNARY or bool(_parts(part))


def _parts(condition: Condition) -> list[str]:
    """Return the values of a condition: several where the operator takes a list."""
    is_list = _ALL[condition.operator] in ("in", "nin")
    texts = condition.text.split(",") if is_list else [condition.text]
    return [text.strip() for text in texts if text.strip()]


def _condition(schema: Schema, found: filters.Filter) -> Condition | filters.Filter:
    """Return a filter in words, if there are such for it."""
    if not isinstance(found, filters.Condition) or found.path not in schema.columns:
        return found
    field = schema.field(found.path)
    text = ", ".join(value.text for value in found.values)
    plain = re.sub(r"\\([\\^$.|?*+()\[\]{}])", r"\1", text)
    for word in operators(field):
        for one in (plain.removeprefix("^"), plain, text):
            condition = Condition(field, word, "" if word in UNARY else one)
            if _is_whole(condition) and _meaning(_one(condition)) == _meaning(found):
                return condition
    return found


def _meaning(found: filters.Filter) -> object:
    return (
        (found.path, found.operator, [value.text for value in found.values])
        if isinstance(found, filters.Condition)
        else found
    )


def _one(condition: Condition) -> filters.Filter:
    path, word = condition.field.path, condition.operator
    if word in UNARY:
        return filters.Condition(path, _ALL[word])
    texts = _parts(condition)
    if word in ("contains", "starts with"):
        texts = [("^" if word == "starts with" else "") + _SPECIAL.sub(r"\\\1", text) for text in texts]
    return filters.Condition(path, _ALL[word], tuple(map(Value.of, texts)))

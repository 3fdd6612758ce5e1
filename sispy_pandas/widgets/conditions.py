"""Conditions of a filter: which operators fit a field, and the query that they make."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..values.types.base import Field, cast
from ..values.types.mixed import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

HAS_VALUE, NO_VALUE = "has a value", "has no value"
UNARY = (HAS_VALUE, NO_VALUE)
_COMPARE = {"is": "$eq", "is not": "$ne", "<": "$lt", "≤": "$lte", ">": "$gt", "≥": "$gte"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, an operator that fits its type, and the value as text (unused by the UNARY ones)."""

    field: Field
    operator: str
    text: str = ""


def operators(field: Field) -> tuple[str, ...]:
    """List the operators that make sense for a field, the likeliest first."""
    return (*field.kind.operators, *UNARY)


def query(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Write the `q` of all conditions, joined by and.

    Raises:
        ValueError: A value is none of its field's type.

    Example:
        >>> query([Condition(Field("cores", "Number"), "≥", "8")])
        {'cores': {'$gte': 8}}
    """
    parts = [_part(condition) for condition in conditions]
    paths = [path for part in parts for path in part]
    if len(set(paths)) < len(paths):
        return {"$and": parts}
    return {path: value for part in parts for path, value in part.items()}


def python_code(schema: str, q: dict[str, Any]) -> str:
    """Write the fetch of a query as the two lines that a notebook would hold."""
    what = f", {{'q': {q!r}}}" if q else ""
    return f'endpoint = client.entities("{schema}")\nsnapshot = sp.fetch(endpoint{what})'


def shell_code(schema: str, q: dict[str, Any]) -> str:
    """Write the same as a command."""
    what = f" --query {shlex.quote(json.dumps(q, ensure_ascii=False))}" if q else ""
    return f"sispy export {schema}{what} -o {schema}.csv"


def _part(condition: Condition) -> dict[str, Any]:
    field, operator, text = condition.field, condition.operator, condition.text.strip()
    path = field.path
    if operator in UNARY:
        if field.kind.is_array:
            return {f"{path}.0": {"$exists": operator == HAS_VALUE}}
        return {path: {"$ne": None} if operator == HAS_VALUE else None}
    if field.kind.parts:  # the server stores an object
        path = field.kind.at(path)
        field = Field(path, "String")
    if operator in ("contains", "starts with"):
        pattern = re.escape(text)
        return {path: {"$regex": f"^{pattern}" if operator == "starts with" else pattern, "$options": "i"}}
    if operator == "is one of":
        return {path: {"$in": [_value(field, part) for part in text.split(",") if part.strip()]}}
    if operator == "has the member":
        return {path: _value(field.item or ANYTHING, text)}
    value = _value(field, text)
    return {path: value} if operator == "is" else {path: {_COMPARE[operator]: value}}


def _value(field: Field, text: str) -> Any:
    try:
        value = cast(field, text.strip())
    except ValueError as error:
        raise ValueError(f"{field.path or 'member'}: {error}") from error
    if value is None:
        raise ValueError(f"{field.path or 'member'}: a value is missing")
    return value

"""The validators of a definition: which stored values the server would refuse (SIS-API 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cast import get_path
from .dates import milliseconds
from .types.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Callable

    from .schema import Field

    Fits = Callable[[str, str], bool]


def check(field: Field, value: Any, *, sent: bool = False, patterns: Patterns | None = None) -> str | None:
    """Return why the server would refuse a JSON value, already cast; None if it would take it.

    Uniqueness and references need the server: they are not looked at.

    Args:
        field: The field that holds the value.
        value: What `cast` returned.
        sent: The value is part of a request. The server refuses an explicit null for an enum, though the
            same field may be missing from a stored row.
        patterns: Of the plan that the value belongs to: they share the time that matching may take, and
            count the cells that were left to the server.
    """
    patterns = patterns or Patterns()
    undecided = False

    def fits(match: str, text: str) -> bool:
        nonlocal undecided
        found = patterns.fits(match, text, field.path)
        undecided |= found is None
        return found is not False

    reason = _check(field, value, fits, sent=sent)
    patterns.left[field.path] += undecided and reason is None
    return reason


def _check(field: Field, value: Any, fits: Fits, *, sent: bool = False) -> str | None:
    if field.unknown:
        return f"its type {field.unknown!r} is not known here" if sent else None
    if value is None or value == [] or (value == "" and field.type == "String"):
        if field.required:
            return "a value is required"
        if value is None:
            return "an enum cannot be cleared: the server refuses null" if sent and field.enum else None
    if field.type == "String":
        return _check_text(field, value, fits)
    if field.type in ("Number", "Date"):
        return _check_range(field, value)
    if field.type == "Array" and field.item:
        return _check_members([(str(i), field.item, member) for i, member in enumerate(value)], fits)
    if field.type == "Documents":
        return _check_members(
            [
                (f"{i}.{inner.path}", inner, get_path(member, inner.path))
                for i, member in enumerate(value)
                if member is not None
                for inner in field.fields
            ],
            fits,
        )
    return None


def _check_members(members: list[tuple[str, Field, Any]], fits: Fits) -> str | None:
    for place, field, member in members:
        reason = _check(field, member, fits)
        if reason:
            return f"member {place}: {reason}"
    return None


def _check_text(field: Field, value: Any, fits: Fits) -> str | None:
    if not isinstance(value, str):
        return None
    if field.enum and value not in field.enum:
        return f"{value!r} is none of {', '.join(field.enum)}"
    length = len(value.encode("utf-16-le", "surrogatepass")) // 2
    if field.minlength is not None and length < field.minlength:
        return f"shorter than {field.minlength} characters"
    if field.maxlength is not None and length > field.maxlength:
        return f"longer than {field.maxlength} characters"
    return f"does not match {field.match}" if field.match and value and not fits(field.match, value) else None


def _check_range(field: Field, value: Any) -> str | None:
    number = milliseconds(value) if isinstance(value, str) else value
    if not isinstance(number, int | float):
        return None
    unit = " (ms since 1970)" if field.type == "Date" else ""
    if field.min is not None and number < field.min:
        return f"less than {field.min}{unit}"
    if field.max is not None and number > field.max:
        return f"more than {field.max}{unit}"
    return None

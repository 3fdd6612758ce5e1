"""The validators of a definition: which stored values the server would refuse (SIS-API 4.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .cast import get_path
from .dates import milliseconds

if TYPE_CHECKING:
    from ..schema import Field


def check(field: Field, value: Any, *, sent: bool = False) -> str | None:
    """Return why the server would refuse a JSON value, already cast; None if it would take it.

    Uniqueness and references need the server: they are not looked at.

    Args:
        field: The field that holds the value.
        value: What `cast` returned.
        sent: The value is part of a request. The server refuses an explicit null for an enum, though the
            same field may be missing from a stored row.
    """
    if field.unknown:
        return f"its type {field.unknown!r} is not known here" if sent else None
    if value is None or value == [] or (value == "" and field.type == "String"):
        if field.required:
            return "a value is required"
        if value is None:
            return "an enum cannot be cleared: the server refuses null" if sent and field.enum else None
    if field.type == "String":
        return _check_text(field, value)
    if field.type in ("Number", "Date"):
        return _check_range(field, value)
    if field.type == "Array" and field.item:
        return _check_members([(str(i), field.item, member) for i, member in enumerate(value)])
    if field.type == "Documents":
        return _check_members(
            [
                (f"{i}.{inner.path}", inner, get_path(member, inner.path))
                for i, member in enumerate(value)
                if member is not None
                for inner in field.fields
            ]
        )
    return None


def _check_members(members: list[tuple[str, Field, Any]]) -> str | None:
    for place, field, member in members:
        reason = check(field, member)
        if reason:
            return f"member {place}: {reason}"
    return None


def _check_text(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if field.enum and value not in field.enum:
        return f"{value!r} is none of {', '.join(field.enum)}"
    length = len(value.encode("utf-16-le", "surrogatepass")) // 2
    if field.minlength is not None and length < field.minlength:
        return f"shorter than {field.minlength} characters"
    if field.maxlength is not None and length > field.maxlength:
        return f"longer than {field.maxlength} characters"
    pattern = _compiled(field.match) if field.match and value else None
    return f"does not match {field.match}" if pattern and not pattern.search(value) else None


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


@lru_cache(maxsize=1024)
def _compiled(match: str) -> re.Pattern[str] | None:
    """Return a JavaScript regex as Python's; None for one that only the server can judge."""
    body, _, flags = match[1:].rpartition("/")
    if not match.startswith("/") or "u" in flags or "v" in flags:
        return None
    options = re.ASCII
    options |= re.IGNORECASE if "i" in flags else 0
    options |= re.MULTILINE if "m" in flags else 0
    options |= re.DOTALL if "s" in flags else 0
    try:
        return re.compile(_translated(body, multiline="m" in flags), options)
    except (re.error, OverflowError):
        return None


def _translated(body: str, *, multiline: bool) -> str:
    """Write a JavaScript regex in Python's syntax, where the same signs mean something else."""
    out: list[str] = []
    in_class = False
    for sign in re.findall(r"\\.|\[\^?\]|\(\?<(?![=!])|.", body, re.DOTALL):
        if in_class:
            out.append("\\" + sign if sign[0] == "[" else sign)
            in_class = sign[-1] != "]" or sign == "\\]"
        elif sign == "[]":
            out.append("(?!)")
        elif sign == "[^]":
            out.append(r"[\s\S]")
        elif sign == "(?<":
            out.append("(?P<")
        elif sign == "$" and not multiline:
            out.append(r"\Z")
        else:
            out.append(sign)
            in_class = sign == "["
    return "".join(out)

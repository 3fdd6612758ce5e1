"""One cell as a person sees and types it: text <-> the JSON value of its field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..values.schema import RECEIPT
from ..values.times import brief, iso
from ..values.types.cells import Refused
from ..values.types.convert import cast, check
from ..values.types.frozen import DEEPEST

if TYPE_CHECKING:
    from ..values.types.base import Field

EMPTY_TEXT = '""'
"""Typed into a text cell this is the empty string; typing nothing, or the Delete key, is no value."""

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes one for every call


@dataclass(frozen=True, slots=True)
class Edit:
    """What a cell was changed to. With a `reason` the value is the input as given, not a stored value."""

    value: Any
    reason: str | None = None


def parse(field: Field, given: Any) -> Edit:
    """Turn what was typed, pasted or found in a frame into an Edit; never raises for bad input.

    Args:
        field: The column's field.
        given: Text, a JSON value, or a frame's cell. `None` and `""` typed mean no value.

    Example:
        >>> parse(Field("cores", "Number", max=128), "64")
        Edit(value=64, reason=None)
        >>> parse(Field("cores", "Number", max=128), "many").value
        'many'
    """
    try:
        value = cast(field, _meant(field, given))
        reason = check(field, value)
    except ValueError as error:
        return Edit(given, str(error))
    except RecursionError:
        return Edit(given, f"nested more than {DEEPEST} levels deep")
    return Edit(value) if reason is None else Edit(given, reason)


def typed(field: Field, given: Any) -> Edit:
    """Turn what somebody typed or pasted into an Edit, as people mean it: see `Type.typed`.

    Example:
        >>> typed(Field("os", "String", enum=("Debian", "RHEL")), " debian ")
        Edit(value='Debian', reason=None)
    """
    if not isinstance(given, str) or isinstance(given, Refused) or not given:
        return parse(field, given)
    try:
        edit = parse(field, field.kind.typed(given))
    except ValueError as error:
        return Edit(given, str(error))
    return edit if edit.reason is None else Edit(given, edit.reason)


def show(field: Field, value: Any) -> str | bool | None:
    """Write a JSON value as the text that `parse` reads back; booleans stay what they are."""
    if value is None or (value == [] and field.kind.is_array):
        return None
    shown_as = field.kind.presentation
    if field.path == RECEIPT.path and isinstance(value, int):
        value = iso(value)  # as conflicts have it
    if shown_as == "json":
        return _ENCODE(value)
    if isinstance(value, bool) and shown_as == "boolean":
        return value
    if shown_as == "date" and isinstance(value, str):
        return brief(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return EMPTY_TEXT if value == "" else str(value)


def show_edit(field: Field, edit: Edit) -> str | bool | None:
    """Write an edited cell: refused input comes back as it was given."""
    if edit.reason is None:
        return show(field, edit.value)
    return edit.value if edit.value is None or isinstance(edit.value, bool) else str(edit.value)


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python's own reader of JSON takes."""
    raise ValueError(f"not JSON: {name} is no value of it")


def _meant(field: Field, given: Any) -> Any:
    """Translate the conventions of typing: no text, the empty string, JSON."""
    if not isinstance(given, str) or isinstance(given, Refused):
        return given
    if given == "":
        return None
    if field.kind.has_empty:
        return "" if given == EMPTY_TEXT else given
    if field.kind.presentation == "json":
        try:
            return json.loads(given, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    return given

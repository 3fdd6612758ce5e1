"""What the options of a definition demand of a value, and of a whole document, in mongoose's texts.

Every update checks the whole document (SIS-API 5.2): old data that no longer fits blocks it, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js import scalars
from sispy.sandbox.js.dates import date_order
from sispy.sandbox.js.numbers import JS_SPACE, number, text_of_number
from sispy.sandbox.js.patterns import Pattern
from sispy.sandbox.js.scalars import MISSING, CastFailure, Json

if TYPE_CHECKING:
    from sispy.sandbox.mongoose.nodes import Check, Definition, Node

Setter = Callable[[str], str]


def checks_of(kind: str, options: Mapping[str, Json], path: str) -> tuple[Setter | None, tuple[Check, ...]]:
    """Read the options of a scalar: what changes its text, and what its values are checked for.

    Raises:
        ValueError: An option that the server refuses.
    """
    if kind == "String":
        return _setter(options), tuple(_text_checks(options, path))
    if kind in ("Number", "Date"):
        return None, tuple(_bound_checks(kind, options, path))
    return None, ()


def required_text(path: str) -> str:
    """Return what is said of a missing value."""
    return f"Path `{path}` is required."


def _setter(options: Mapping[str, Json]) -> Setter | None:
    steps: list[Setter] = []
    if options.get("trim") is True:
        steps.append(lambda text: text.strip(JS_SPACE))
    if options.get("lowercase") is True:
        steps.append(str.lower)
    if options.get("uppercase") is True:
        steps.append(str.upper)
    if not steps:
        return None

    def change(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return change


def _text_checks(options: Mapping[str, Json], path: str) -> list[Check]:
    checks: list[Check] = []
    allowed = options.get("enum")
    if isinstance(allowed, list) and allowed:
        known = {scalars.text_of(one) for one in allowed}
        checks.append(
            lambda value: (
                None
                if value in known
                else f"`{'null' if value is None else value}` is not a valid enum value for path `{path}`."
            )
        )
    if options.get("match") is not None:
        checks.append(_match_check(Pattern.of_match(options["match"]), path))
    least, most = _length(options, "minlength", path), _length(options, "maxlength", path)
    if least is not None:
        checks.append(
            lambda value: (
                None
                if value is None or _units(value) >= least
                else f"Path `{path}` (`{value}`) is shorter than the minimum allowed length ({least})."
            )
        )
    if most is not None:
        checks.append(
            lambda value: (
                None
                if value is None or _units(value) <= most
                else f"Path `{path}` (`{value}`) is longer than the maximum allowed length ({most})."
            )
        )
    return checks


def _match_check(pattern: Pattern, path: str) -> Check:
    def check(value: Any) -> str | None:
        try:
            if not value or pattern.finds(value):
                return None
        except TimeoutError:
            return f"Path `{path}` could not be matched in time."
        return f"Path `{path}` is invalid ({value})."

    return check


def _units(text: str) -> int:
    """Return the length as JavaScript counts it: characters beyond U+FFFF are two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _length(options: Mapping[str, Json], name: str, path: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(number(value)):
        return int(value)
    raise ValueError(f"{name} of `{path}` is no number.")


def _bound_checks(kind: str, options: Mapping[str, Json], path: str) -> list[Check]:
    checks: list[Check] = []
    for name in ("min", "max"):
        if options.get(name) is None:
            continue
        try:
            bound = (
                scalars.cast_number(options[name]) if kind == "Number" else scalars.cast_date(options[name])
            )
        except CastFailure as failure:
            raise ValueError(failure.text(path)) from None
        checks.append(_bound_check(kind, name, bound, path))
    return checks


def _bound_check(kind: str, name: str, bound: Any, path: str) -> Check:
    words = "less than minimum" if name == "min" else "more than maximum"

    def check(value: Any) -> str | None:
        if value is None:
            return None
        if kind == "Date":
            left, right = date_order(value), date_order(bound)
            fits = left >= right if name == "min" else left <= right
        else:
            fits = value >= bound if name == "min" else value <= bound
        if fits:
            return None
        shown = value if kind == "Date" else text_of_number(value)
        limit = bound if kind == "Date" else text_of_number(bound)
        return f"Path `{path}` ({shown}) is {words} allowed value ({limit})."

    return check


_FITTING: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Number": (int, float),
    "Boolean": (bool,),
    "ObjectId": (str,),
}


def validate(definition: Definition, document: Mapping[str, Json]) -> dict[str, str]:
    """Name what is wrong with a stored document: path -> the server's text. Does not look at references."""
    errors: dict[str, str] = {}
    _check_fields(definition.fields, document, "", errors)
    meta = document.get("_sis")
    if isinstance(meta, dict):
        _check_fields(definition.meta.fields, meta, "_sis.", errors, absent=False)
    return errors


def _check_fields(
    fields: Mapping[str, Node],
    document: Mapping[str, Json],
    prefix: str,
    errors: dict[str, str],
    *,
    absent: bool = True,
) -> None:
    for name, node in fields.items():
        value = document.get(name, MISSING)
        kind = node.kind
        if kind == "nested":
            _check_fields(node.fields, value if isinstance(value, dict) else {}, f"{prefix}{name}.", errors)
        elif value is MISSING:
            if node.required and absent:
                errors[prefix + name] = required_text(node.path)
        elif node.required and (value is None or value == "" or value == []):
            errors[prefix + name] = required_text(node.path)
        elif kind == "scalar":
            text = _check_scalar(node, value)
            if text is not None:
                errors[prefix + name] = text
        elif kind == "documents" and isinstance(value, list) and node.fields:
            for i, member in enumerate(value):
                if isinstance(member, dict):
                    _check_fields(node.fields, member, f"{prefix}{name}.{i}.", errors)
        elif kind == "array" and node.item is not None and isinstance(value, list):
            check_members(node.item, value, prefix + name, errors)


def check_members(item: Node, members: list[Json], where: str, errors: dict[str, str]) -> None:
    """Check the members of an array of scalars; null members are never wrong."""
    if item.cast is None:
        return
    for i, member in enumerate(members):
        text = None if member is None else _check_scalar(item, member)
        if text is not None:
            errors[f"{where}.{i}"] = text


def _check_scalar(node: Node, value: Json) -> str | None:
    """Check one value; one of another type (its field's has changed since) is checked as it would be cast."""
    if value is not None and type(value) not in _FITTING.get(node.type, (type(value),)):
        try:
            value = node.cast(value)  # type: ignore[misc] # scalars have one
        except CastFailure as failure:
            return failure.text(node.path)
    for check in node.checks:
        text = check(value)
        if text is not None:
            return text
    return None

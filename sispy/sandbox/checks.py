"""Validators and setters of one value: what the options of a definition demand, in mongoose's texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sispy.sandbox import scalars
from sispy.sandbox.dates import date_order
from sispy.sandbox.numbers import JS_SPACE, number, text_of_number
from sispy.sandbox.patterns import Pattern, pattern_of

if TYPE_CHECKING:
    from sispy.sandbox.scalars import Json

Check = Callable[[Any], str | None]
"""A cast value that is not missing -> what is wrong with it, or None."""
Setter = Callable[[str], str]


def checks_of(kind: str, options: Mapping[str, Json], path: str) -> tuple[Setter | None, tuple[Check, ...]]:
    """Read the options of a scalar: what changes its text, and what its values are checked for.

    Raises:
        ValueError: an option that the server refuses.
    """
    if kind == "String":
        return _setter(options), tuple(_text_checks(options, path))
    if kind in ("Number", "Date"):
        return None, tuple(_bound_checks(kind, options, path))
    return None, ()


def required_text(path: str) -> str:
    """Say that a value is missing."""
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
        checks.append(_match_check(pattern_of(options["match"]), path))
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
    """Length as JavaScript counts it: characters beyond U+FFFF are two."""
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
        except scalars.CastFailure as failure:
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

"""Numbers as JavaScript reads, keeps and writes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

JS_SPACE = " \t\n\r\v\f\u00a0\ufeff\u2028\u2029"
"""What JavaScript strips from a text."""

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def index_of(key: str) -> int | None:
    """Read a part of a path as an index of an array; None: it is no index, or larger than any."""
    return int(key) if len(key) < 10 and key.isascii() and key.isdigit() else None


def number(value: Any) -> Any:
    """Bring a JSON number into its stored form: a double, whole ones as int."""
    if type(value) is int and -9007199254740992 <= value <= 9007199254740992:
        return value
    if isinstance(value, bool):
        return int(value)
    try:
        value = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    if value.is_integer() and abs(value) < 1e21:
        return int(value) if abs(value) < 1e15 else int(Decimal(repr(value)))
    return value


def number_of_text(text: str) -> float | int | None:
    """Read a number as JavaScript's `Number(text)`; None: not a number."""
    text = text.strip(JS_SPACE)
    if not text:
        return 0
    if NUMBER.fullmatch(text):
        return number(int(text) if text.lstrip("+-").isdigit() and len(text) < 16 else float(text))  # type: ignore[no-any-return]
    if _RADIX.fullmatch(text):
        return number(int(text, 0))  # type: ignore[no-any-return]
    if text.lstrip("+-") == "Infinity" and len(text) <= 9:
        return -math.inf if text[0] == "-" else math.inf
    return None


def text_of_number(value: float) -> str:
    """Write a number as JavaScript's `String(number)`."""
    value = number(value)
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"

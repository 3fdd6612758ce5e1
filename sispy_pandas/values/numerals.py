"""Numbers as JavaScript, and with it the server, writes and reads them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np

WHOLE = 2**53
"""The range in which a double holds every whole number."""

DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_NUMBER = re.compile(DECIMAL.pattern + r"|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")


def number_text(value: Any) -> str:
    """Return a number as JavaScript writes it: 1 for 1.0, 1e+21, 1e-7."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float):
        refuse_infinity(number)
        if number.is_integer() and abs(number) < 1e21:
            return str(int(number))
        text = repr(number)
        if "e" not in text:
            return text
        mantissa, exponent = text.split("e")
        is_plain = 1e-6 <= abs(number) < 1e21
        return format(Decimal(text), "f") if is_plain else f"{mantissa}e{int(exponent):+d}"
    return str(number)


def number_of(text: str) -> int | float | None:
    """Return the number that a text stands for, None if it is none.

    >>> number_of("0x10"), number_of("1e3"), number_of("1_000")
    (16, 1000.0, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.lstrip("+-")
    if digits[:2].lower() in ("0x", "0o", "0b"):
        return int(text, 0)
    return int(text) if digits.isdigit() and len(digits) < 400 else float(text)


def refuse_infinity(number: Any) -> None:
    """Raise if a number has no place among the doubles.

    Raises:
        ValueError: It is infinite, or a whole number beyond them all.
    """
    try:
        finite = not isinstance(number, int | float) or math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError("infinity cannot be stored")

"""Number: a double, as JavaScript and with it the server writes and reads it."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sispy.remedies import Argument

from .base import PLAIN, Type
from .cell_text import are_all, lines, masked, means_nothing, structure_or_refuse, write_cell
from .cells import WHOLE, Rounded, kind_of, number_of_decimal, refuse_infinity, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sispy.remedies import Remedy

    from .base import Fits, Style

DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_NUMBER = re.compile(DECIMAL.pattern + r"|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_LARGEST = int(sys.float_info.max)
_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,14}", re.ASCII)
_FRACTION = re.compile(r"-?\d+\.\d+", re.ASCII)
_PER_CENT = re.compile(r"([^%]*)%\s*")
_PADDED = re.compile(r"-?0\d")
_EXACT = 16
"""Characters of a fraction that a double holds in any case."""


class Number(Type, name="Number"):
    """A double: a column is of whole numbers as long as all are, else of doubles."""

    is_scalar = is_ordered = is_name = True
    presentation = "number"
    json_types = (int, float)
    arrow = "float64"
    sheet_types = frozenset(json_types)
    plain = r"-?[0-9]{1,15}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
    told_by = ("decimal", "thousands")

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        return bounds(options)

    @staticmethod
    def is_spelt(text: str, style: Style) -> bool:
        """Without word of the marks `1.10` may be a version, and stays text."""
        digits = _plain(text.strip(), style)
        if not _FRACTION.fullmatch(digits):
            return _WHOLE_NUMBER.fullmatch(digits) is not None
        if style.has_plain_numbers and not style.has_told_decimal:
            return repr(float(digits)) == digits
        return len(digits) <= _EXACT and not _PADDED.match(digits)

    def cast(self, cell: Any) -> int | float | None:
        if isinstance(cell, np.generic):
            cell = cell.item()
        if isinstance(cell, str):
            text = cell.strip()
            if not text:
                return None
            found = number_of(text)
            if found is None:
                raise ValueError(f"{shown(cell)} is no number")
            cell = found
        elif isinstance(cell, Decimal):
            cell = number_of_decimal(cell)
        refuse_infinity(cell)
        if isinstance(cell, bool | int):
            if not is_exact(cell):
                raise ValueError(f"{cell} is beyond 2**53: the server would round it")
            return int(cell)
        if isinstance(cell, float):
            if isinstance(cell, Rounded):
                if abs(cell) > WHOLE:
                    raise ValueError(f"{cell.text} is beyond 2**53: the server would round it")
                cell = float(cell)
            return int(cell) if cell.is_integer() and abs(cell) <= WHOLE else cell
        raise ValueError(f"{kind_of(cell)} is no number")

    def typed(self, text: str) -> Any:
        return self.read(text, PLAIN) if text.strip() else text

    def check(self, value: Any, fits: Fits) -> str | None:
        return out_of_bounds(self.field.min, self.field.max, value)

    def holds(self, value: Any) -> bool:
        if isinstance(value, int) and not isinstance(value, bool):
            return abs(value) <= _LARGEST
        return isinstance(value, float)

    def json_of(self, value: Any) -> Any:
        is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= WHOLE
        return int(value) if is_whole else value

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return np.array(values, dtype=np.float64)

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        data = np.concatenate([np.empty(0), *pages])
        mask = np.isnan(data)
        if not stream:
            data[mask] = 0
            if len(data) == 0 or (np.abs(data).max() <= WHOLE and (data == np.trunc(data)).all()):
                return pd.arrays.IntegerArray(data.astype(np.int64), mask)
            data[mask] = np.nan
        return pd.arrays.FloatingArray(data, mask)

    def text(self, value: Any, style: Style) -> str:
        return _short(value)

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        if isinstance(cells.dtype, pd.Int64Dtype):
            return masked(map(str, cells.to_numpy("int64", na_value=0).tolist()), cells)
        if isinstance(cells.dtype, pd.Float64Dtype):
            return masked(map(_short, cells.to_numpy("float64", na_value=0.0).tolist()), cells)
        return None

    def read(self, text: str, style: Style) -> Any:
        per_cent = _PER_CENT.fullmatch(text)
        plain_text = _plain((per_cent[1] if per_cent else text).strip(), style)
        if not DECIMAL.fullmatch(plain_text):
            return structure_or_refuse(text, "no number")
        if per_cent is None or style.per_cent == "number":
            return self.cast(plain_text)
        hundredth = self.cast(format(Decimal(plain_text).scaleb(-2), "f"))
        if style.per_cent is None:
            raise ValueError(f"{shown(text.strip())} may be {hundredth} or {plain_text}: write it without %")
        return hundredth

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        for style in self.other_styles([text], PLAIN):
            with suppress(ValueError):
                if isinstance(self.read(text, style), int | float):
                    return self.told(style)
        return means_nothing(text)

    def other_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        signs = set().union(*texts) - set("0123456789+-eE")
        groups = ["", *(mark for mark, alike in _ALIKE.items() if signs & set(alike))]
        marks: tuple[Literal[".", ","], ...] = (",", ".") if "," in signs else (".", ",")
        pairs = [(mark, group) for mark in marks for group in groups if group != mark]
        found = (replace(style, decimal=mark, thousands=group) for mark, group in pairs)
        return tuple(other for other in found if other != style) if signs else ()

    def pasted_styles(self, texts: Collection[str]) -> tuple[Style, ...]:
        styles = self.other_styles(texts, PLAIN)
        if not any("%" in text for text in texts):
            return styles
        ways: tuple[Literal["fraction", "number"], ...] = ("fraction", "number")
        return tuple(replace(style, per_cent=way) for style in (PLAIN, *styles) for way in ways)

    def told(self, style: Style) -> tuple[Remedy, ...]:
        groups = (_grouped_by(style.thousands),) if style.thousands else ()
        return (_COMMA, *groups) if style.decimal == "," else groups or (_POINT,)

    def in_words(self, style: Style) -> str:
        mark = {".": "a decimal point", ",": "a decimal comma"}[style.decimal]
        if style.per_cent is not None:
            share = {"fraction": "% as hundredths", "number": "% left out"}[style.per_cent]
            plain = replace(style, per_cent=None)
            return share if plain == PLAIN else f"{self.in_words(plain)}, {share}"
        if not style.thousands:
            return mark
        return f"{mark} and {_GROUPS.get(style.thousands, repr(style.thousands))} between thousands"

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        if not style.has_plain_numbers or not are_all(_LINES, texts):
            return None
        numbers = [float(text) if text else None for text in texts]
        return None if inf in numbers or -inf in numbers else numbers

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        return [cell if _is_exact(cell) else write_cell(self.field, cell) or None for cell in cells.tolist()]

    def from_number(self, cell: float, style: Style) -> Any:
        return cell


_COMMA = Argument("decimal", "reads decimal commas", ",")
_POINT = Argument("decimal", "reads decimal points", ".")
_LINES = lines(Number.plain)
_GROUPED = {
    mark: re.compile(rf"[+-]?\d{{1,3}}(?:(?:\0\d\d)+\0\d{{3}}|(?:\0\d{{3}})+)(?:{re.escape(mark)}\d*)?")
    for mark in ".,"
}
"""Numbers whose digits stand in groups of three, or as in India, a NUL between them."""
_ALIKE = {".": ".", ",": ",", "'": "'\N{RIGHT SINGLE QUOTATION MARK}", " ": " \u00a0\u2009\u202f"}
"""Marks between groups, each with all that are no other mark for people."""
_GROUPS = {".": "points", ",": "commas", "'": "apostrophes", " ": "blanks"}


def _grouped_by(mark: str) -> Argument:
    return Argument("thousands", f"lets groups have {_GROUPS.get(mark, 'these marks')}", mark)


def _plain(text: str, style: Style) -> str:
    """Return the text of a number as JSON writes it; of what is none, another text that is none."""
    text = text.replace("\N{MINUS SIGN}", "-")
    if style.thousands:
        apart = re.sub(f"[{re.escape(_ALIKE.get(style.thousands, style.thousands))}]", "\0", text)
        if _GROUPED[style.decimal].fullmatch(apart):
            text = apart.replace("\0", "")
    return text.replace(".", "x").replace(",", ".") if style.decimal == "," else text


def bounds(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `min` and `max` that are numbers."""
    found = {side: options[side] for side in ("min", "max") if side in options}
    return {side: v for side, v in found.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def out_of_bounds(least: float | None, most: float | None, number: Any, unit: str = "") -> str | None:
    """Return why a number is out of bounds, None if it is not."""
    if not isinstance(number, int | float):
        return None
    if least is not None and number < least:
        return f"less than {least}{unit}"
    return f"more than {most}{unit}" if most is not None and number > most else None


def is_exact(number: float) -> bool:
    """Tell whether a number, which is finite, is stored as it is: the server has doubles."""
    if isinstance(number, float):
        return not isinstance(number, Rounded)
    return abs(number) <= WHOLE or int(float(number)) == number


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


def number_text(value: Any) -> str:
    """Return a number as JavaScript writes it: 1 for 1.0, 1e+21, 1e-7."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, Rounded):
        return number.text
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


def _short(number: float) -> str:
    return repr(number).removesuffix(".0")


def _is_exact(cell: Any) -> bool:
    """Tell whether the 16 digits of a workbook hold a number."""
    if type(cell) is int:
        return -(10**15) < cell < 10**15
    return type(cell) is float and cell == float(f"{cell:.15g}")

"""Number: a double, as JavaScript and with it the server writes and reads it."""

from __future__ import annotations

import re
import sys
import unicodedata
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
from .cells import WHOLE, Rounded, double_of, kind_of, number_of_decimal, refuse_infinity, shown

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
    told_by = ("decimal", "thousands", "unit")

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        return bounds(options)

    @staticmethod
    def straight(text: str) -> str:
        """Accountants write (123.45), and some programs 123.45-, for -123.45."""
        found = _BELOW_ZERO.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-"))
        bare = (found[1] or found[2]).strip() if found else ""
        return f"-{bare}" if _MEASURED.fullmatch(bare) else text

    @staticmethod
    def is_spelt(text: str, style: Style) -> bool:
        """Return whether a text is a number; where no decimal mark was told, `1.10` may be a version."""
        text = text.strip()
        bare, factor = _without_unit(text, style)
        digits = _plain(bare, style)
        if factor != "1":
            return DECIMAL.fullmatch(digits) is not None
        if not _FRACTION.fullmatch(digits):
            return _WHOLE_NUMBER.fullmatch(digits) is not None
        if digits == text == bare and not (style.thousands or style.has_told_decimal):
            return repr(float(digits)) == digits
        return len(digits) <= _EXACT and not _PADDED.match(digits)

    def cast(self, cell: Any) -> int | float | None:
        if type(cell) is int and -WHOLE <= cell <= WHOLE:
            return cell
        if isinstance(cell, np.generic):
            cell = cell.item()
        if isinstance(cell, str):
            text = cell.strip()
            if not text:
                return None
            found = number_of(text)
            if found is None:
                raise ValueError(f"{shown(cell)} is not a number")
            cell = found
        elif isinstance(cell, Decimal):
            cell = number_of_decimal(cell)
        refuse_infinity(cell)
        if isinstance(cell, int) and not isinstance(cell, bool):  # the server would make 1 of true
            if not is_exact(cell):
                raise ValueError(f"{cell} is beyond 2**53: the server would round it")
            return int(cell)
        if isinstance(cell, float):
            if isinstance(cell, Rounded):
                if abs(cell) > WHOLE:
                    raise ValueError(f"{cell.text} is beyond 2**53: the server would round it")
                cell = float(cell)
            return int(cell) if cell.is_integer() and abs(cell) <= WHOLE else cell
        raise ValueError(f"{kind_of(cell)} is not a number")

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
            numbers = map(repr, cells.to_numpy("float64", na_value=0.0).tolist())
            return masked([text.removesuffix(".0") for text in numbers], cells)
        return None

    def read(self, text: str, style: Style) -> Any:
        bare, factor = _without_unit(text.strip(), style)
        digits = _plain(bare, style)
        if DECIMAL.fullmatch(digits):
            return self.cast(digits if factor == "1" else format(Decimal(digits) * Decimal(factor), "f"))
        per_cent = _PER_CENT.fullmatch(text)
        if per_cent and DECIMAL.fullmatch(number := _plain(per_cent[1].strip(), style)):
            hundredth = self.cast(format(Decimal(number).scaleb(-2), "f"))
            raise ValueError(f"{shown(text.strip())} may be {hundredth} or {number}: write it without %")
        straight = self.straight(text)
        if straight != text and DECIMAL.fullmatch(_plain(_without_unit(straight, style)[0], style)):
            raise ValueError(f"{shown(text.strip())} may be {straight}: write it so")
        return structure_or_refuse(text, "not a number")

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        """Of a cell alone, letters that are no known unit may be misspelt as well."""
        found: dict[float, Style] = {}
        for style in self.other_styles([text], PLAIN):
            if any(map(_is_strange, style.unit)):
                continue
            with suppress(ValueError):
                if isinstance(number := self.read(text, style), int | float):
                    found.setdefault(number, style)
        ways: list[Remedy] = []
        for style in found.values():  # 1,234 is one of two numbers
            ways += [way for way in self.told(style) if way not in ways]
        return tuple(ways) or means_nothing(text)

    def other_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        asked, units = style, set(map(_unit_of, texts)) - {""}
        if len(units) == 1 and not (style.unit and any(map(_is_strange, units))):
            style = replace(style, unit=style.unit | units)
            texts = [_without_unit(text.strip(), style)[0] for text in texts]
        signs = set().union(*texts, *style.unit) - set("0123456789+-eE")
        groups = ["", *(mark for mark, alike in _ALIKE.items() if signs & set(alike))]
        marks: tuple[Literal[".", ","], ...] = (",", ".") if "," in signs else (".", ",")
        if not signs & {".", ","}:
            marks = (style.decimal,)
        pairs = [(mark, group) for mark in marks for group in groups if group != mark]
        found = (replace(style, decimal=mark, thousands=group) for mark, group in pairs)
        return tuple(other for other in found if other != asked) if signs else ()

    def hinted_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        """Offer points where all have as many places: 12.50 is a price, 1.10 beside 1.9 a version."""
        places = {len(text.rpartition(".")[2]) for text in texts if "." in text}
        told = (replace(style, has_told_decimal=True),) if len(places) == 1 else ()
        return (*self.other_styles(texts, style), *told)

    def pasted_styles(self, texts: Collection[str]) -> tuple[Style, ...]:
        found = []
        for style in self.other_styles(texts, PLAIN):
            found += [replace(style, unit=frozenset({_HUNDREDTH}))] if "%" in style.unit else []
            found.append(style)
        return tuple(found)

    def told(self, style: Style) -> tuple[Remedy, ...]:
        groups = (_grouped_by(style.thousands),) if style.thousands else ()
        units = [Argument("unit", "reads numbers without it", [one]) for one in sorted(style.unit)]
        if style.unit == {"%"}:
            units = [*_HUNDREDTHS]
        return (_COMMA, *groups, *units) if style.decimal == "," else (*groups, *units) or (_POINT,)

    def in_words(self, style: Style) -> str:
        said = {".": "a decimal point", ",": "a decimal comma"}[style.decimal]
        if style.thousands:
            said += f" and {_GROUPS.get(style.thousands, repr(style.thousands))} between thousands"
        if not style.unit:
            return said
        pairs = [one.partition("=")[::2] for one in sorted(style.unit)]
        units = [_taken(*pair) for pair in pairs]
        return ", ".join(units if style.decimal == "." and not style.thousands else [said, *units])

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        if not style.has_plain_numbers or not are_all(_LINES, texts):
            return None
        numbers = [float(text) if text else None for text in texts]
        return None if inf in numbers or -inf in numbers else numbers

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        return [cell if _is_exact(cell) else write_cell(self.field, cell) or None for cell in cells.tolist()]

    def from_number(self, cell: float, style: Style) -> Any:
        return cell


_HUNDREDTH = "%=0.01"
_HUNDREDTHS = (
    Argument("unit", "reads 50% as 50", ["%"]),
    Argument("unit", "reads it as 0.5", [_HUNDREDTH]),
)
_COMMA = Argument("decimal", "reads decimal commas", ",")
_POINT = Argument("decimal", "reads decimal points", ".")
_LINES = lines(Number.plain)
_GROUPED = {
    mark: re.compile(rf"[+-]?\d{{1,3}}(?:(?:\0\d\d)+\0\d{{3}}|(?:\0\d{{3}})+)(?:{re.escape(mark)}\d*)?")
    for mark in ".,"
}
"""Numbers whose digits stand in groups of three, or as in India, a NUL between them."""
_ALIKE = {".": ".", ",": ",", "'": "'\N{RIGHT SINGLE QUOTATION MARK}", " ": " \u00a0\u2009\u202f", "?": "?"}
"""Marks between groups, each with all that look like it to people."""
_GROUPS = {".": "points", ",": "commas", "'": "apostrophes", " ": "blanks", "?": "question marks"}


_UNITS = frozenset(
    unit
    for some in (
        "b kb mb gb tb pb kib mib gib tib pib k m g t bit kbit mbit gbit bps kbps mbps gbps hz khz mhz ghz",
        "w kw mw kwh v kv va kva a ma ah n nm bar ms s sec min h hr hrs d day days wk week weeks",
        "mo month months y yr year years mm cm km in ft kg lb lbs l ml u he ru c f",
        "eur usd gbp chf jpy cny sek nok dkk pln czk huf rub inr aud cad st stk pcs pc x",
        "core cores cpu cpus vcpu vcpus port ports user users",
    )
    for unit in some.split()
)
"""Letters that people write beside numbers, in lower case."""


def _is_strange(unit: str) -> bool:
    """Return whether letters beside a number are no known unit."""
    return unit.isalpha() and unit.lower() not in _UNITS


def _grouped_by(mark: str) -> Argument:
    return Argument("thousands", f"lets groups have {_GROUPS.get(mark, 'these marks')}", mark)


_BELOW_ZERO = re.compile(r"\(([^()]+)\)|([^-]+)-")
_MEASURED = re.compile(r"(?:[+-]\s?)?(\D{0,4}?)(\d(?:[\d.,'\u2019 \u00a0\u2009\u202f]*\d)?)(\s?\D{0,6})")
"""A number with something before it, or behind it."""


def _unit_of(text: str) -> str:
    """Return what stands beside a number as a unit does: a sign of a currency, letters behind it; or nothing.

    >>> [_unit_of(text) for text in ("€ 1.234,50", "-5 GB", "50%", "EUR 5", "web1", "12", "1-2")]
    ['€', 'GB', '%', 'EUR', '', '', '']
    """
    found = _MEASURED.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-"))
    before, behind = (found[1], found[3]) if found else ("", "")
    if before.strip() and behind.strip():
        return ""
    unit = before.strip() or behind.strip()
    is_money = any(unicodedata.category(sign) == "Sc" for sign in unit)
    is_unit = all(sign.isalpha() or sign in "%‰°/" or unicodedata.category(sign) == "Sc" for sign in unit)
    is_code = len(unit) == 3 and unit.isalpha() and unit.isupper() and before[-1:].isspace()
    return unit if is_unit and (behind.strip() or is_money or is_code) else ""


def _without_unit(text: str, style: Style) -> tuple[str, str]:
    """Return the text of a number without what stands beside it, and by what it is to be multiplied."""
    text = text.replace("\N{MINUS SIGN}", "-") if style.unit else text
    sign, rest = (text[:1], text[1:].lstrip()) if text[:1] in ("+", "-") else ("", text)
    for unit, _, factor in sorted((one.partition("=") for one in style.unit), key=_length, reverse=True):
        if rest.startswith(unit):
            return sign + rest.removeprefix(unit).lstrip(), factor or "1"
        if rest.endswith(unit):
            return sign + rest.removesuffix(unit).rstrip(), factor or "1"
    return text, "1"


def _length(parts: Sequence[str]) -> int:
    return len(parts[0])


def _taken(unit: str, factor: str) -> str:
    """Return in words what a unit does to a number."""
    if factor == "0.01":
        return f"{unit} as hundredths"
    return f"{unit} times {factor}" if factor else f"{unit} left out"


def _plain(text: str, style: Style) -> str:
    """Return the text of a number as JSON writes it; of any other text one that is no number, either."""
    text = text.replace("\N{MINUS SIGN}", "-")
    if style.thousands:
        apart = re.sub(f"[{re.escape(_ALIKE.get(style.thousands, style.thousands))}]", "\0", text)
        if _GROUPED[style.decimal].fullmatch(apart):
            text = apart.replace("\0", "")
    return text.replace(".", "x").replace(",", ".") if style.decimal == "," else text


def bounds(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `min` and `max` that are numbers."""
    found = {side: options[side] for side in ("min", "max") if side in options}
    return {side: v for side, v in found.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}


def out_of_bounds(least: float | None, most: float | None, number: Any, unit: str = "") -> str | None:
    """Return why a number is out of bounds, None if it is not."""
    if not isinstance(number, (int, float)):
        return None
    if least is not None and number < least:
        return f"less than {least}{unit}"
    return f"more than {most}{unit}" if most is not None and number > most else None


def is_exact(number: float) -> bool:
    """Return whether a number, which is finite, is stored as it is: the server has doubles."""
    if isinstance(number, float):
        return not isinstance(number, Rounded)
    return abs(number) <= WHOLE or int(float(number)) == number


def number_of(text: str) -> int | float | None:
    """Return the number that a text stands for, None for other texts.

    >>> number_of("0x10"), number_of("1e3"), number_of("1_000")
    (16, 1000.0, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.lstrip("+-")
    if digits[:2].lower() in ("0x", "0o", "0b"):
        return int(text, 0)
    return int(text) if digits.isdigit() and len(digits) < 400 else double_of(text)


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
    """Return whether the 16 digits of a workbook hold a number."""
    if type(cell) is int:
        return -(10**15) < cell < 10**15
    return type(cell) is float and cell == float(f"{cell:.15g}")

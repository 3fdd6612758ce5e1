"""Cells of any column and JSON values of any field: which are blank or refused, and what they are as JSON."""

from __future__ import annotations

import datetime
import ipaddress
import json
import math
from decimal import Decimal
from enum import Enum
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pandas as pd

from ..times import iso, writable
from .frozen import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

WHOLE = 2**53
"""The range in which a double holds every whole number."""
_SURELY_EXACT = 16
"""Characters of a number with a fraction whose digits a double holds in any case."""
HAS_ARROW = find_spec("pyarrow") is not None
USUAL = frozenset((str, int, float, bool, list, tuple, dict, type(None)))
"""Types of cells that are JSON values as they stand."""
_NEVER_MISSING = USUAL - {float, type(None)}
_WITH_NAN = (float, np.floating, np.datetime64)
_WITH_TEXT = (
    *(ipaddress.IPv4Address, ipaddress.IPv4Network, ipaddress.IPv6Address, ipaddress.IPv6Network),
    *(PurePath, UUID),
)
STRINGS: Any = pd.StringDtype("pyarrow" if HAS_ARROW else "python", na_value=np.nan)


def is_missing(cell: Any) -> bool:
    """Return whether a cell is one of pandas' or Python's signs for no value: None, NaN, NA, NaT."""
    if cell.__class__ in _NEVER_MISSING:
        return False
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return isinstance(cell, _WITH_NAN) and bool(cell != cell)


def values_of(cells: pd.Series[Any]) -> list[Any]:
    """Return the cells of a column as Python's values, None for no value."""
    found = cells.tolist()
    if cells.dtype == object:
        return [None if is_missing(cell) else cell for cell in found]
    blank = cells.isna().tolist()
    return [None if no or cell != cell else cell for cell, no in zip(found, blank, strict=True)]


def of_python(cell: Any) -> Any:
    """Return the value of a cell of one of Python's own types that have a text of their own.

    These are addresses of `ipaddress`, UUIDs, paths and times of day; of an enum's member it is its value.

    >>> of_python(ipaddress.ip_interface("10.1.2.3/24")), of_python(datetime.time(10, 30))
    ('10.1.2.3/24', '10:30:00')
    """
    if isinstance(cell, Enum):
        return of_python(cell.value)
    if isinstance(cell, datetime.time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, _WITH_TEXT) else cell


def listed(cell: Any) -> Any:
    """Return an array of numpy, as Arrow and Parquet make of lists, as a list of Python's own values."""
    if not isinstance(cell, np.ndarray):
        return cell
    return list(cell) if cell.dtype.kind == "M" and cell.ndim else cell.tolist()  # it makes ns of times


def get_path(record: Any, path: str) -> Any:
    """Return the value at a dotted path of a nested JSON object; None if it is not there."""
    for part in path.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def set_path(record: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted path of a nested JSON object, with the objects on the way."""
    *parents, last = path.split(".")
    for part in parents:
        record = record.setdefault(part, {})
    record[last] = value


def plain(cell: Any, room: int = DEEPEST) -> Any:
    """Return any cell as a JSON value of Python's own types.

    Raises:
        ValueError: It cannot be written as JSON, or is nested deeper than any value that can be stored.
    """
    if not room:
        raise ValueError(f"nested more than {DEEPEST} levels deep")
    if cell is None or isinstance(cell, (str, bool)):
        return cell
    if isinstance(cell, int):
        refuse_infinity(cell)
        return cell
    if isinstance(cell, dict):
        for key in cell:
            if not isinstance(key, str):
                raise ValueError(f"key {key!r} is not text")
        return {key: plain(value, room - 1) for key, value in cell.items()}
    cell = listed(cell)
    if isinstance(cell, (list, tuple)):
        return [plain(value, room - 1) for value in cell]
    if is_missing(cell):
        return None
    if isinstance(cell, (datetime.date, np.datetime64)):
        return iso_of(cell)
    if isinstance(cell, np.generic):
        return plain(cell.item())
    if isinstance(cell, float):
        refuse_infinity(cell)
        return cell
    if isinstance(cell, Decimal):
        return plain(number_of_decimal(cell))
    found = of_python(cell)
    if found is not cell:
        return plain(found, room)
    raise ValueError(f"{kind_of(cell)} cannot be written as JSON")


def number_of_decimal(cell: Decimal) -> int | float:
    """Return the number that JSON has for a decimal: whole ones stay whole."""
    if not cell.is_finite():
        return float(cell)
    return int(cell) if cell == cell.to_integral_value() else double_of(format(cell, "f"))


def double_of(text: str) -> float:
    """Return the double of a decimal number, `Rounded` where it has more digits than a double.

    >>> double_of("0.10000000000000001"), double_of("12345678901234567890.12").text
    (0.1, '12345678901234567890.12')
    """
    number = float(text)
    if len(text) <= _SURELY_EXACT or repr(number) == text or not math.isfinite(number):
        return number
    spelt = (Decimal(repr(number)), Decimal(f"{number:.17g}"), Decimal(number))
    return number if Decimal(text) in spelt else Rounded(number, text)


def iso_of(moment: datetime.date | np.datetime64) -> str:
    """Return a time of Python, numpy or pandas as SIS writes it; one without a zone is of UTC.

    Raises:
        ValueError: It is not of the years 0 to 9999.
    """
    found = pd.Timestamp(moment).to_datetime64()  # of UTC
    return writable(iso(int(found.astype("datetime64[ms]").astype(np.int64))))


def refuse_infinity(number: Any) -> None:
    """Raise if a number has no place among the doubles.

    Raises:
        ValueError: It is infinite, or a whole number beyond them all.
    """
    try:
        finite = not isinstance(number, (int, float)) or math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError("infinity cannot be stored")


def json_text(value: Any) -> str:
    """Return JSON with sorted keys, on one line, in readable characters."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


class KeyTwiceError(ValueError):
    """An object of JSON text has a key more than once."""


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of the members that JSON text has in it.

    Raises:
        KeyTwiceError: It has a key twice: one of the values would be lost.
    """
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    twice = next(key for key in keys if keys.count(key) > 1)
    values = " and ".join(shown(value) for key, value in pairs if key == twice)
    raise KeyTwiceError(f"an object has the key {shown(twice)} more than once, with {values}")


def kind_of(cell: Any) -> str:
    """Return in words what a cell is, for a message: "a list", "a Decimal"."""
    names: tuple[tuple[Any, str], ...] = (
        (dict, "an object"),
        (list | tuple | np.ndarray, "a list"),
        (bool, "a boolean"),
        (datetime.date | np.datetime64, "a time"),
        (str, "a text"),
        (int | float, "a number"),
    )
    return next((name for kind, name in names if isinstance(cell, kind)), f"a {type(cell).__name__}")


def shown(cell: Any) -> str:
    """Return a cell as a message shows it, cut where it is long."""
    try:
        text = repr(cell)
    except RecursionError:
        text = f"{kind_of(cell)} that is nested too deeply"
    except NotImplementedError:  # pandas: of a time beyond the year 9999
        text = kind_of(cell)
    return text if len(text) <= 60 else f"{text[:57]}..."


def objects(cells: Sequence[Any]) -> Any:
    """Return an array of objects; lists among them stay cells."""
    return np.fromiter(cells, dtype=object, count=len(cells))


class Rounded(float):
    """The double nearest to a number with more digits than a double has.

    Attributes:
        text: The number as it was written.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, number: float, text: str) -> Self:
        """Take the double and the number in words."""
        cell = super().__new__(cls, number)
        cell.text = text
        return cell

    def __reduce__(self) -> tuple[Any, ...]:
        return Rounded, (float(self), self.text)


class Refused(str):
    """Text that stands in a frame where a value should be, so that the diff can name the cell.

    It equals the plain text. `cast` raises its reason, also in Mixed columns, where other text is a value.

    >>> Refused("abc", "not a number").reason
    'not a number'
    """

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, text: str, reason: str) -> Self:
        """Take the text and the reason in words."""
        cell = super().__new__(cls, text)
        cell.reason = reason
        return cell

    def __reduce__(self) -> tuple[Any, ...]:
        return Refused, (str(self), self.reason)

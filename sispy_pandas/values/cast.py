"""Cells to JSON values as SIS would store them, and when two such values are the same (SIS-API 4.3).

Stricter than the server where it would guess: it takes "no" for true, wraps a scalar for an array, makes an
ObjectId of any twelve letters and drops what it does not know. Such values are refused here.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .addresses import ip_object, ip_text
from .dates import iso, milliseconds, writable
from .numerals import WHOLE, number_of, number_text, refuse_infinity
from .refused import Refused
from .schema import Field, nearest
from .types.frozen import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def is_missing(cell: Any) -> bool:
    """Tell whether a cell is one of pandas' or Python's signs for no value: None, NaN, NA, NaT."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return isinstance(cell, float | np.floating | np.datetime64) and bool(cell != cell)


def is_blank(cell: Any, field: Field | None = None) -> bool:
    """Tell whether a cell holds no value: missing, an empty list or an empty dict.

    An empty list is a value in a Mixed column: name the field where that may matter.
    """
    if isinstance(cell, tuple | list):
        return not cell and (field is None or field.type != "Mixed")
    return is_missing(cell) or (isinstance(cell, dict) and not cell)


def cast(field: Field, cell: Any) -> Any:
    """Return the JSON value that the server would store for a cell; None for no value, `[]` for arrays.

    >>> cast(Field("cpus", "Number"), " 8 ")
    8

    Raises:
        ValueError: The server would refuse the cell, or guess; the message is the reason alone.
    """
    if is_missing(cell):
        return [] if field.type in ("Array", "Documents") else None
    if isinstance(cell, Refused):
        raise ValueError(cell.reason)
    return _CASTS[field.type](field, cell)


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


def is_cleared(field: Field, member: Any) -> bool:
    """Tell whether a member of a document array has a null where it would get a default if it named nothing.

    >>> gb = Field("gb", "Number", default=8)
    >>> is_cleared(gb, {"gb": None}), is_cleared(gb, {})
    (True, False)
    """
    if field.default is None or not field.can_be_cleared:
        return False
    parents, _, last = field.path.rpartition(".")
    around = get_path(member, parents) if parents else member
    return isinstance(around, dict) and last in around and is_missing(around[last])


def set_path(record: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted path of a nested JSON object, with the objects on the way."""
    *parents, last = path.split(".")
    for part in parents:
        record = record.setdefault(part, {})
    record[last] = value


def _string(field: Field, cell: Any) -> str:
    if isinstance(cell, bool | np.bool_):
        cell = "true" if cell else "false"
    elif isinstance(cell, int | float | np.number):
        cell = number_text(cell)
    elif not isinstance(cell, str):
        raise ValueError(f"{_kind(cell)} is no text")
    text = str.__str__(cell)  # an enum that is a text has a str() of its own
    if field.trim:
        text = text.strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{_shown(text)} holds half a character: UTF-8 has no such text") from None
    return text.lower() if field.case == "lower" else text.upper() if field.case == "upper" else text


def _number(_: Field, cell: Any) -> int | float | None:
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return None
        found = number_of(text)
        if found is None:
            raise ValueError(f"{_shown(cell)} is no number")
        cell = found
    elif isinstance(cell, Decimal):
        cell = int(cell) if cell.is_finite() and cell == cell.to_integral_value() else float(cell)
    refuse_infinity(cell)
    if isinstance(cell, bool | int):
        if abs(cell) > WHOLE and int(float(cell)) != cell:
            raise ValueError(f"{cell} is beyond 2**53: the server would round it")
        return int(cell)
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) <= WHOLE else cell
    raise ValueError(f"{_kind(cell)} is no number")


def _boolean(_: Field, cell: Any) -> bool:
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    if isinstance(cell, int | float | np.number) and cell in (0, 1):
        return bool(cell)
    found = _BOOLEANS.get(cell.strip().lower()) if isinstance(cell, str) else None
    if found is None:
        raise ValueError(f"{_shown(cell)} is neither true nor false")
    return found


def _date(_: Field, cell: Any) -> str | None:
    if isinstance(cell, str):
        if not cell:
            return None
        ms = milliseconds(cell)
        if ms is None:
            raise ValueError(f"{_shown(cell)} is no ISO date or time")
        return iso(ms)
    if isinstance(cell, datetime.date | np.datetime64):
        moment = pd.Timestamp(cell)
        moment = moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment
        return writable(iso(int(moment.to_datetime64().astype("datetime64[ms]").astype(np.int64))))
    if isinstance(cell, np.number):
        cell = cell.item()
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < 8.64e15:
        return writable(iso(int(cell)))
    raise ValueError(f"{_kind(cell)} is no date or time")


def _object_id(_: Field, cell: Any) -> str:
    found = cell.get("_id") if isinstance(cell, dict) else cell
    if not is_object_id(found):
        raise ValueError(f"{_shown(found)} is no id of 24 hex digits")
    return str(found).lower()


def is_object_id(value: object) -> bool:
    """Tell whether a value is the text of an `_id`."""
    return isinstance(value, str) and _OBJECT_ID.fullmatch(value) is not None


def _ip_address(field: Field, cell: Any) -> Any:
    if isinstance(cell, dict):
        if all(map(is_missing, cell.values())):
            return None
        text = ip_text(cell)
        return text if text is not None else _mixed(field, cell)
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return None
        stored = ip_object(text)
        if stored:
            return ip_text(stored)
    raise ValueError(f"{_shown(cell)} is no IP address")


def _mixed(_: Field, cell: Any) -> Any:
    value = plain(cell)
    return None if isinstance(value, dict) and not value else value


def plain(cell: Any, room: int = DEEPEST) -> Any:
    """Return any cell as a JSON value of Python's own types.

    Raises:
        ValueError: It cannot be written as JSON, or is nested deeper than any value that can be stored.
    """
    if not room:
        raise ValueError(f"nested more than {DEEPEST} levels deep")
    if cell is None or isinstance(cell, str | bool):
        return cell
    if isinstance(cell, int):
        refuse_infinity(cell)
        return cell
    if isinstance(cell, dict):
        for key in cell:
            if not isinstance(key, str):
                raise ValueError(f"key {key!r} is no text")
        return {key: plain(value, room - 1) for key, value in cell.items()}
    cell = listed(cell)
    if isinstance(cell, list | tuple):
        return [plain(value, room - 1) for value in cell]
    if is_missing(cell):
        return None
    if isinstance(cell, datetime.date | np.datetime64):
        return _date(Field("", "Date"), cell)
    if isinstance(cell, np.generic):
        return plain(cell.item())
    if isinstance(cell, float):
        refuse_infinity(cell)
        return cell
    raise ValueError(f"{_kind(cell)} cannot be written as JSON")


def _members(_: Field, cell: Any) -> list[Any]:
    cell = listed(cell)
    if not isinstance(cell, list | tuple):
        raise ValueError(f"{_shown(cell)} is one value: an array takes a list")
    return list(cell)


def _array(field: Field, cell: Any) -> list[Any]:
    item = field.item or Field("", "Mixed")
    found = []
    for position, member in enumerate(_members(field, cell)):
        try:
            found.append(None if is_missing(member) else cast(item, member))
        except ValueError as error:
            raise ValueError(f"member {position}: {error}") from None
    return found


def _documents(field: Field, cell: Any) -> list[Any]:
    found: list[Any] = []
    for position, member in enumerate(_members(field, cell)):
        if is_missing(member):
            found.append(None)
            continue
        try:
            found.append(_document(field, member))
        except ValueError as error:
            raise ValueError(f"member {position}: {error}") from None
    return found


def _document(field: Field, member: Any) -> dict[str, Any]:
    if not isinstance(member, dict):
        raise ValueError(f"{_shown(member)} is no object")
    found: dict[str, Any] = {}
    if not is_missing(member.get("_id")):
        found["_id"] = _object_id(field, member["_id"])
    for inner in field.fields:
        value = get_path(member, inner.path)
        if is_missing(value) and not is_cleared(inner, member):
            continue
        try:
            stored = cast(inner, value)
        except ValueError as error:
            raise ValueError(f"{inner.path}: {error}") from None
        if stored is not None or is_cleared(inner, member):
            set_path(found, inner.path, stored)
    _refuse_unknown(field, member, "")
    return found


def _refuse_unknown(field: Field, member: Mapping[str, Any], prefix: str) -> None:
    """The server drops unknown keys without a word: name the first one instead."""
    paths = [inner.path for inner in field.fields]
    for key, value in member.items():
        path = prefix + key
        if path in paths or path == "_id":
            continue
        if not any(known.startswith(f"{path}.") for known in paths):
            raise ValueError(f"the schema has no {path!r} here{nearest(path, paths)}")
        if isinstance(value, dict):
            _refuse_unknown(field, value, f"{path}.")
        elif not is_missing(value):
            raise ValueError(f"{path}: {_shown(value)} is no object")


def _kind(cell: Any) -> str:
    names: tuple[tuple[Any, str], ...] = (
        (dict, "an object"),
        (list | tuple | np.ndarray, "a list"),
        (bool, "a boolean"),
        (datetime.date | np.datetime64, "a time"),
        (str, "a text"),
        (int | float, "a number"),
    )
    return next((name for kind, name in names if isinstance(cell, kind)), f"a {type(cell).__name__}")


def _shown(cell: Any) -> str:
    try:
        text = repr(cell)
    except RecursionError:
        text = f"{_kind(cell)} that is nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."


_CASTS: dict[str, Callable[[Field, Any], Any]] = {
    "String": _string,
    "Number": _number,
    "Boolean": _boolean,
    "Date": _date,
    "ObjectId": _object_id,
    "IpAddress": _ip_address,
    "Mixed": _mixed,
    "Array": _array,
    "Documents": _documents,
}

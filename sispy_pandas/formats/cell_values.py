"""The value that a cell's text means: the other half of `cells`, where the meaning is written down."""

from __future__ import annotations

import datetime
import json
import re
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.cast import cast
from ..values.dates import iso, milliseconds
from ..values.numerals import DECIMAL
from ..values.refused import Refused
from ..values.schema import Field
from .cells import PLAIN, Style, unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:(?:{pattern})?\n)*(?:{pattern})?", re.ASCII)


_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_DAY_FORM = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})"
    r"(?:,?[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,3}))?)?(?: ?([AaPp])\.?[Mm]\.?)?)?"
)
_OFFSET = re.compile(r".*\d(?:[Zz]|[+-]\d\d:?\d\d(?::\d\d)?)", re.DOTALL)
_PLAIN_BOOLEANS = {"": None, "true": True, "false": False}
_COMMON = {
    "Number": _lines(r"-?\d{1,15}(?:\.\d+)?(?:[eE][+-]?\d{1,3})?"),
    "Date": _lines(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "ObjectId": _lines(r"'?[0-9a-f]{24}"),
    "String": re.compile(r"^'", re.MULTILINE),
    "IpAddress": re.compile(r"^['{]", re.MULTILINE),
}
"""A whole column as lines: what all of them look like; of texts, how one begins that needs a closer look."""
_NUMBER_FIELD = Field("", "Number")


def read_cell(field: Field, text: str, style: Style = PLAIN) -> Any:
    """Return the JSON value that a cell's text means; None for no value.

    >>> read_cell(Field("cpus", "Number"), "8")
    8

    Raises:
        ValueError: The text is no value of this column; the message is the reason alone.
    """
    return _READERS[field.type](text, style) if text else None


def read_column(field: Field, texts: Sequence[str], style: Style = PLAIN) -> list[Any]:
    """Return the JSON values of a whole column; what cannot be read is `Refused`, with the reason."""
    found = _read_at_once(field, texts, style)
    if found is not None:
        return found
    found = []
    read = _READERS[field.type]
    for text in texts:
        try:
            found.append(read(text, style) if text else None)
        except ValueError as error:
            found.append(Refused(unescape(text), str(error)))
    return found


def _read_at_once(field: Field, texts: Sequence[str], style: Style) -> list[Any] | None:
    """Return a column of which every cell has the common form of its type; None for any other.

    One match for a column takes a fifth of the time of one match per cell.
    """
    if field.type == "Boolean":
        try:
            return list(map(_PLAIN_BOOLEANS.__getitem__, texts))
        except KeyError:
            return None
    pattern = _COMMON.get(field.type)
    if pattern is None or (field.type == "Number" and style.decimal == ","):
        return None
    joined = "\n".join(texts)
    if field.type in ("String", "IpAddress"):
        return None if pattern.search(joined) else [text or None for text in texts]
    if joined.count("\n") != len(texts) - 1 or not pattern.fullmatch(joined):
        return None
    if field.type == "Number":
        numbers = [float(text) if text else None for text in texts]
        return None if inf in numbers or -inf in numbers else numbers
    if field.type == "ObjectId":
        return [text[-24:] or None for text in texts]
    return [text or None for text in texts]


def _read_text(text: str, _style: Style) -> Any:
    if text[0] != "'":
        return text
    return _contradicting(text[1:]) if text[1:2] in ("{", "[") else text[1:]


def _contradicting(text: str) -> Any:
    """An object in a text column, as `_contradiction` wrote it; other text is text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _read_number(text: str, style: Style) -> Any:
    plain_text = text.strip()
    if style.decimal == ",":
        plain_text = plain_text.replace(".", "x").replace(",", ".")
    if not DECIMAL.fullmatch(plain_text):
        return _structure_or_refuse(text, "no number")
    return cast(_NUMBER_FIELD, plain_text)


def _read_boolean(text: str, _style: Style) -> Any:
    found = _BOOLEANS.get(text.strip().lower())
    return _structure_or_refuse(text, "neither true nor false") if found is None else found


def _read_date(text: str, style: Style) -> Any:
    ms = milliseconds(text)
    if ms is not None and not _OFFSET.fullmatch(text.strip()):
        ms = localised(ms, style.zone)
    if ms is None and style.dayfirst is not None:
        ms = _day_form(text.strip(), style.dayfirst, style.zone)
    if ms is None:
        return _structure_or_refuse(text, "no ISO date or time")
    return iso(ms)


def localised(ms: int, zone: datetime.tzinfo) -> int:
    """Return the ms since 1970 of a wall clock's time, given as if it were UTC.

    Raises:
        ValueError: The zone's clocks showed that time never or twice.
    """
    if zone is datetime.UTC:
        return ms
    try:
        moment = pd.Timestamp(ms, unit="ms").tz_localize(zone)
    except ValueError:
        raise ValueError(f"the clocks of {zone} showed this time never or twice: add an offset") from None
    return int(
        moment.tz_convert("UTC").tz_localize(None).to_datetime64().astype("datetime64[ms]").astype(np.int64)
    )


def _day_form(text: str, dayfirst: bool, zone: datetime.tzinfo) -> int | None:
    found = _DAY_FORM.fullmatch(text)
    if not found:
        return None
    day, month, year = (found[1], found[2], found[3]) if dayfirst else (found[2], found[1], found[3])
    hour = int(found[4] or 0)
    if found[8]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[8] in "pP" else 0)
    time = f"{hour:02}:{found[5] or '00'}:{found[6] or '00'}.{(found[7] or '0'):0<3}"
    ms = milliseconds(f"{year}-{int(month):02}-{int(day):02}T{time}Z")
    return None if ms is None else localised(ms, zone)


def _read_id(text: str, _style: Style) -> Any:
    found = unescape(text).strip()
    if _OBJECT_ID.fullmatch(found):
        return found.lower()
    return _structure_or_refuse(text, "no id of 24 hex digits")


def _read_address(text: str, style: Style) -> Any:
    if text[0] == "{":
        return _structure_or_refuse(text, "no IP address")
    return _read_text(text, style)


def _read_mixed(text: str, _style: Style) -> Any:
    return _json(text, 'text is written as "text"')


def _read_list(text: str, _style: Style) -> Any:
    return _json(text, 'a list is written as ["a", "b"]')


def _read_documents(text: str, _style: Style) -> Any:
    return _json(text, 'a list of objects is written as [{"key": "value"}]')


def _json(text: str, hint: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise ValueError(f"{_shown(text)} is no JSON: {hint}") from None


def _no_json(word: str) -> Any:
    raise ValueError(word)


def _structure_or_refuse(text: str, reason: str) -> Any:
    """An object or list, where the server stored one against the type; anything else is refused."""
    if text[0] in "{[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    raise ValueError(f"{_shown(text)} is {reason}")


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}..."


_READERS: dict[str, Callable[[str, Style], Any]] = {
    "String": _read_text,
    "Number": _read_number,
    "Boolean": _read_boolean,
    "Date": _read_date,
    "ObjectId": _read_id,
    "IpAddress": _read_address,
    "Mixed": _read_mixed,
    "Array": _read_list,
    "Documents": _read_documents,
}

"""What a cell of a text file means, both ways: the one home of this meaning for CSV and spreadsheets.

* blank: no value (null; `[]` for arrays); a lone `'`: the empty string
* text that begins with `TAB CR LF '`, or with `= + - @` in any width, also behind blanks and characters
  that cannot be seen, has one `'` in front, so that no program calculates it; an id that a program would
  take for a number has one, too; headings likewise, and those with blanks around them
* Mixed, arrays and arrays of documents: JSON
* Boolean: true, false, 1, 0, yes, no, in any case
* Date: ISO 8601 with milliseconds and offset; a time without offset is in the file's zone
"""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sispy.text import printable

from ..values.cast import cast, is_blank
from ..values.dates import iso, milliseconds
from ..values.records import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..values.schema import Field

_SIGNS = frozenset(
    "=+-@\u207a\u207c\u208a\u208c\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
"""What makes a program calculate a text, in all widths."""
_FIRST = frozenset("\t\r\n'")
"""What does so, or is taken away, at the very beginning."""
_PLAIN = frozenset(map(chr, range(0x21, 0x7F))) - _SIGNS - _FIRST

_NUMBER_LIKE = re.compile(r"\d+(?:[eE]\d+)?")


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes what can be written in more than one way."""

    zone: datetime.tzinfo = datetime.UTC
    """The zone of times, both ways."""
    dayfirst: bool | None = None
    """Take 3/4/2020, too: with True as the third of April, with False as March 4. None: refuse it."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers; only for reading."""


PLAIN = Style()
"""Times in UTC, ISO dates, decimal points."""


def escape(text: str) -> str:
    """Return text as a cell holds it: `'` alone if it is empty, one `'` before what would be calculated.

    >>> [escape(text) for text in ("web-1", "", "=1+1", " -5", "a=1")]
    ['web-1', "'", "'=1+1", "' -5", 'a=1']
    """
    return text if text[:1] in _PLAIN or not _is_calculated(text) else "'" + text


def unescape(text: str) -> str:
    """Return the text that a cell holds: what `escape` was given."""
    return text.removeprefix("'")


def write_heading(name: str) -> str:
    """Return the name of a column as the first row of a file holds it."""
    return "'" + name if name != name.strip() else escape(name)


def read_heading(cell: object) -> str:
    """Return the name of a column from the first row of a file; blanks around it are none of it."""
    text = "" if cell is None else str(cell)
    return text[1:] if text.startswith("'") else text.strip()


def _is_calculated(text: str) -> bool:
    if not text or text[0] in _FIRST:
        return True
    seen = next((char for char in text if char != " " and printable(char) == char), "")
    return seen in _SIGNS


def write_cell(field: Field, cell: Any, style: Style = PLAIN) -> str:
    """Return the text of one cell of a frame.

    >>> from sispy_pandas.values.schema import Field
    >>> write_cell(Field("name", "String"), "=1+1")
    "'=1+1"

    Args:
        field: The column.
        cell: As in a frame; a value that contradicts its type is written so that it reads back the same.
        style: The zone of times.
    """
    if is_blank(cell, field):
        return ""
    try:
        value = cast(field, cell)
    except ValueError:
        return _contradiction(field, cell)
    if value is None:
        return ""
    if isinstance(value, str):
        if field.type == "Date":
            ms = milliseconds(value)
            return _local(ms, style.zone) if ms is not None else escape(value)
        if field.type == "Mixed":
            return json_text(value)
        return "'" + value if field.type == "ObjectId" and _NUMBER_LIKE.fullmatch(value) else escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and field.type != "Mixed":
        return _number_text(value)
    return json_text(value)


def _contradiction(field: Field, cell: Any) -> str:
    """A stored value that is none of its type: text stays text, the rest is JSON."""
    if isinstance(cell, str):
        return escape(cell)
    return ("'" if field.type == "String" else "") + json_text(to_json(field, cell))


def json_text(value: Any) -> str:
    """Return JSON with sorted keys, on one line, in readable characters."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def write_column(field: Field, cells: pd.Series[Any], style: Style = PLAIN) -> list[str]:
    """Return the texts of a whole column, as `write_cell` would, only faster."""
    dtype = cells.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        texts = [write_cell(field, category, style) for category in dtype.categories]
        texts.append("")
        return [texts[code] for code in cells.cat.codes.tolist()]
    if isinstance(dtype, pd.StringDtype) and field.type in ("String", "ObjectId", "IpAddress"):
        return _write_texts(field, cells.tolist())
    if field.type == "Number" and isinstance(dtype, pd.Int64Dtype):
        return _masked(map(str, cells.to_numpy("int64", na_value=0).tolist()), cells)
    if field.type == "Number" and isinstance(dtype, pd.Float64Dtype):
        return _masked(map(_number_text, cells.to_numpy("float64", na_value=0.0).tolist()), cells)
    if field.type == "Boolean" and isinstance(dtype, pd.BooleanDtype):
        return _masked(
            ("true" if b else "false" for b in cells.to_numpy(bool, na_value=False).tolist()), cells
        )
    if field.type == "Date" and isinstance(dtype, pd.DatetimeTZDtype) and style.zone is datetime.UTC:
        moments = cells.dt.tz_convert(None).to_numpy("datetime64[ms]")
        return _masked((text + "Z" for text in np.datetime_as_string(moments, unit="ms").tolist()), cells)
    return [write_cell(field, cell, style) for cell in cells.tolist()]


def _number_text(number: float) -> str:
    text = repr(number)
    return text.removesuffix(".0")


def _write_texts(field: Field, cells: list[Any]) -> list[str]:
    if field.type == "ObjectId":
        return [
            "" if type(c) is not str else "'" + c if _NUMBER_LIKE.fullmatch(c) else escape(c) for c in cells
        ]
    if field.trim or field.case:
        return [write_cell(field, cell) for cell in cells]
    return ["" if type(c) is not str else c if c[:1] in _PLAIN else escape(c) for c in cells]


def _masked(texts: Iterable[str], cells: pd.Series[Any]) -> list[str]:
    found = list(texts)
    for position in np.flatnonzero(cells.isna().to_numpy()).tolist():
        found[position] = ""
    return found


def _local(ms: int, zone: datetime.tzinfo) -> str:
    if zone is datetime.UTC:
        return iso(ms)
    return pd.Timestamp(ms, unit="ms", tz="UTC").tz_convert(zone).isoformat(timespec="milliseconds")

"""What a cell of a text file means, both ways: the one home of this meaning for CSV and spreadsheets.

* blank: no value (null; `[]` for arrays), and so are blanks alone but where a text is wanted; a lone `'`:
  the empty string
* text that begins with `TAB CR LF '`, or with `= + - @` in any width, also behind blanks and characters
  that cannot be seen, has one `'` in front, so that no program calculates it; an id that a program would
  take for a number has one, too; headings likewise, and those with blanks around them; any other `'` is
  the text's own
* Mixed, arrays and arrays of documents: JSON
* Boolean: true, false, 1, 0, yes, no, in any case
* Date: ISO 8601 with milliseconds and offset; a time without offset is in the file's zone
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Argument, message_of
from sispy.text import printable

from .base import PLAIN, Field, Style
from .cells import KeyTwiceError, Refused, json_text, object_of, shown
from .convert import cast, is_blank, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sispy.remedies import Remedy

_SIGNS = frozenset(
    "=+-@\u207a\u207c\u208a\u208c\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
"""What makes a program calculate a text, in all widths."""
_FIRST = frozenset("\t\r\n'")
"""The same at the very beginning alone, and what programs take away there."""
HARMLESS = frozenset(map(chr, range(0x21, 0x7F))) - _SIGNS - _FIRST
"""Characters that a text may begin with to stand as it is."""
NEVER_TEXT = frozenset({"null", "(null)", "<null>", "[null]", "\\n", "nan", "n/a", "#n/a", "#n/v", "#nv"})
"""What programs write, in lower case, where they have no value, among texts, too."""
NOTHING = NEVER_TEXT | {"na", "n.a.", "k.a.", "-", "--", "---", "\u2013", "\u2014", "?", "??", "none", "nil"}
NOTHING |= {"(none)", "(blank)", "unknown", "unbekannt", "inconnu", "tbd", "tbc", "tba", "empty"}
"""What people write, in lower case, where they have no value."""
NUMBER_ID = re.compile(r"(?=.{24}\Z)[0-9]+(?:[eE][0-9]+)?")
"""Ids that a program would take for a number: they have a `'` in front, too."""


def escape(text: str) -> str:
    """Return text as a cell holds it: `'` alone if it is empty, one `'` before what would be calculated.

    >>> [escape(text) for text in ("web-1", "", "=1+1", " -5", "a=1")]
    ['web-1', "'", "'=1+1", "' -5", 'a=1']
    """
    return text if text[:1] in HARMLESS or not _is_calculated(text) else "'" + text


def unescape(text: str) -> str:
    """Return the text that a cell holds: what `escape` was given; any other `'` is the text's own.

    >>> [unescape(text) for text in ("'=1+1", "'", "''", "'s-Hertogenbosch", "'x'")]
    ['=1+1', '', "'", "'s-Hertogenbosch", "'x'"]
    """
    if text[:1] != "'":
        return text
    rest = text[1:]
    return rest if _is_calculated(rest) or NUMBER_ID.fullmatch(rest) else text


def write_heading(name: str) -> str:
    """Return the name of a column as the first row of a file holds it."""
    return "'" + name if name != name.strip() else escape(name)


def read_heading(cell: object) -> str:
    """Return the name of a column from the first row of a file, without blanks around it."""
    text = "" if cell is None else str(cell)
    is_ours = text[:1] == "'" and (text[1:] != text[1:].strip() or _is_calculated(text[1:]))
    return text[1:] if is_ours else text.strip()


def _is_calculated(text: str) -> bool:
    if not text or text[0] in _FIRST:
        return True
    seen = next((char for char in text if char != " " and printable(char) == char), "")
    return seen in _SIGNS


def write_cell(field: Field, cell: Any, style: Style = PLAIN) -> str:
    """Return the text of one cell of a frame.

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
    except ValueError:  # text stays text, the rest is JSON
        return escape(cell) if isinstance(cell, str) else field.kind.mark + json_text(to_json(field, cell))
    return "" if value is None else field.kind.text(value, style)


def write_column(field: Field, cells: pd.Series[Any], style: Style = PLAIN) -> list[str]:
    """Return the texts of a whole column, as `write_cell` would, only faster."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        texts = [write_cell(field, category, style) for category in cells.dtype.categories]
        texts.append("")
        return [texts[code] for code in cells.cat.codes.tolist()]
    found = field.kind.texts(cells, style)
    return [write_cell(field, cell, style) for cell in cells.tolist()] if found is None else found


def masked(texts: Iterable[str], cells: pd.Series[Any]) -> list[str]:
    """Return the texts of cells, blank where a cell is missing."""
    found = list(texts)
    for position in np.flatnonzero(cells.isna().to_numpy()).tolist():
        found[position] = ""
    return found


def read_cell(field: Field, text: str, style: Style = PLAIN) -> Any:
    """Return the JSON value that a cell's text means; None for no value.

    >>> read_cell(Field("cpus", "Number"), "8")
    8

    Raises:
        ValueError: The text is no value of this column; the message is the reason alone.
    """
    return None if _is_nothing(field, text) else field.kind.read(text, style)


def read_column(field: Field, texts: Sequence[str], style: Style = PLAIN) -> list[Any]:
    """Return the JSON values of a whole column; what cannot be read is `Refused`, with the reason."""
    found = field.kind.read_all(texts, style)
    if found is not None:
        return found
    values: dict[str, Any] = dict.fromkeys(texts)
    read = field.kind.read
    for text in values:  # each once: lists and objects repeat
        try:
            values[text] = None if _is_nothing(field, text) else read(text, style)
        except ValueError as error:
            values[text] = Refused(unescape(text), message_of(error))
    return list(map(values.__getitem__, texts))


def _is_nothing(field: Field, text: str) -> bool:
    return not text or (text.isspace() and not field.kind.has_empty)


def lines(pattern: str) -> re.Pattern[str]:
    """Return a regex for a whole column as lines, each of a common form or blank.

    One match for a column takes a fifth of the time of one match per cell.
    """
    return re.compile(f"(?:(?:{pattern})?\n)*(?:{pattern})?", re.ASCII)


def are_all(lines: re.Pattern[str], texts: Sequence[str]) -> bool:
    """Return whether all texts of a column have the form that `lines` was made for, or are blank."""
    joined = "\n".join(texts)
    return joined.count("\n") == len(texts) - 1 and lines.fullmatch(joined) is not None


def read_json(text: str, hint: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is no JSON; the message ends with the hint.
    """
    try:
        return json.loads(text, parse_constant=_no_json, object_pairs_hook=object_of)
    except KeyTwiceError as error:
        raise ValueError(str(error)) from None
    except (ValueError, RecursionError):
        raise ValueError(f"{shown(text)} is not JSON: {hint}") from None


def _no_json(word: str) -> Any:
    raise ValueError(word)


def means_nothing(text: str) -> tuple[Remedy, ...]:
    """Return the option that lets a usual word for no value mean that; others may be misspelt values."""
    if text.strip().lower() not in NOTHING:
        return ()
    return (Argument("na", "says that it means no value", [text.strip()]),)


def as_text(field: Field) -> Remedy:
    """Return the option that takes all cells of a column for texts, as people see them."""
    return Argument("text", "takes all cells of the column for texts, as they are shown", [field.path])


def structure_or_refuse(text: str, reason: str) -> Any:
    """Return the object or list of a text, where the server stored one against the type.

    Raises:
        ValueError: It is anything else; the message ends with the reason.
    """
    if text[0] in "{[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    raise ValueError(f"{shown(text)} is {reason}")

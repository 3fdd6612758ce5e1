"""Which edits are the work of a spreadsheet program and not of the person: a pure predicate.

A program that opens a CSV file takes text for numbers, dates and booleans, rounds to 15 digits, cuts long
text, and may read or save it in another encoding. The result looks like an edit. It is one only if the new
value is not exactly what a program makes of the old one.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sispy.remedies import Argument, Message

from ..formats.excel_cells import LONGEST_TEXT
from ..values.times import milliseconds, month_number
from ..values.types.boolean import WORDS
from ..values.types.number import DECIMAL

if TYPE_CHECKING:
    from ..values.types.base import Field

REASON = Message(
    "changed by the program? The new value is what a spreadsheet makes of the old one",
    Argument("accept_program_changes", "takes it for an edit", True),
)

_SHOWN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?|-?\d(?:\.\d+)?[eE][+-]?\d+")
"""As a program shows one: without zeros that mean nothing."""
_DOUBLE = re.compile(r"(-?\d+)\.0\Z")
"""As pandas writes a whole number of a column with blanks."""
_COMMA = re.compile(r"-?\d+,\d+(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[,' \u00a0\u202f]\d{3})+(?:\.\d+)?")
_PERCENT = re.compile(r"[+-]?\d+(?:\.\d+)?\s*%")
_DIGITS_KEPT = range(6, 16)
"""Excel shows a long number with 6 significant digits and holds 15."""
_PARTS = re.compile(r"(\d{1,4}|[A-Za-z]{3,9})[-/. ]{0,2}(\d{1,4}|[A-Za-z]{3,9})(?:[-/., ]{1,2}(\d{1,4}))?")
_ISO_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ][\d:.]+)?Z?")
_NUMBERED_DAY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d\d|\d{4})(?: [\d:.]+)?")
_LONGEST_MARKED = 100_000
"""Characters up to which a text is searched for marks in the place of letters."""
_NAMED_DAY = re.compile(r"(?:(\d{1,2})\.?[- ])?([^\W\d_]{3,9})\.?(?:[- ](\d\d|\d{4}))?")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?(?: ?([AaPp])[Mm])?")
_WRONG_READINGS = [
    (wrote, read)
    for wrote in ("utf-8", "cp1252", "cp1250", "cp437", "mac_roman", "utf-16-le")
    for read in ("cp1252", "cp1250", "cp437", "mac_roman", "latin-1")
    if wrote != read
]


class _Day(NamedTuple):
    """A date of which day or year may be missing."""

    month: int
    day: int | None
    year: int | None


def is_changed_by_program(field: Field, before: Any, after: Any) -> bool:
    """Return whether the new value of a cell is exactly what a spreadsheet program makes of the old one.

    >>> from sispy_pandas.values.schema import Field
    >>> is_changed_by_program(Field("serial", "String"), "00123", "123")
    True

    Args:
        field: Of the cell.
        before: The old value, in the JSON form.
        after: The new one, different and already cast.
    """
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        return bool(pairs) and all(
            isinstance(a, str) and isinstance(b, str) and _is_respelt(a, b) for a, b in pairs
        )
    if isinstance(before, bool) or isinstance(after, bool):
        return False
    if isinstance(before, int | float) and isinstance(after, int | float):
        return _is_rounded(float(before), float(after))
    if not (isinstance(before, str) and isinstance(after, str)) or before == after:
        return False
    if field.kind.presentation == "date":
        return _is_cut_time(before, after)
    return _is_respelt(before, after) or _is_converted(before.strip(), after.strip())


def _is_rounded(before: float, after: float) -> bool:
    digits = len(re.sub(r"e.*|\D", "", repr(before)).strip("0"))
    return digits > 10 and any(float(f"{before:.{kept}g}") == after for kept in _DIGITS_KEPT if kept < digits)


def _is_cut_time(before: str, after: str) -> bool:
    """Return whether a time lost its end: programs show seconds or minutes, LibreOffice hundredths."""
    old, new = milliseconds(before), milliseconds(after)
    if old is None or new is None:
        return False
    rounded = (old + unit // 2 - (old + unit // 2) % unit for unit in (10, 1000))
    return any(old - old % unit == new for unit in (10, 1000, 60_000)) or new in rounded


def _is_respelt(before: str, after: str) -> bool:
    """Return whether a text differs in blanks, line ends, case of a boolean, length or encoding alone."""
    if _tidy(before) == _tidy(after):
        return True
    old, new = before.strip().lower(), after.strip().lower()
    if old in ("true", "false") and (old == new or WORDS.get(new) is (old == "true")):
        return True
    if (
        len(before) > LONGEST_TEXT
        and before.startswith(after)
        and LONGEST_TEXT - 1 <= len(after) <= LONGEST_TEXT
    ):
        return True
    return not before.isascii() and (_is_misread(before, after) or _has_question_marks(before, after))


def _tidy(text: str) -> str:
    """Return a text as programs save it: no outer blanks or control characters, one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return "".join(c for c in text if c >= " " or c in "\n\t").strip("\ufeff \t\n")


def _is_misread(before: str, after: str) -> bool:
    return any(
        before.encode(wrote, "replace").decode(read, "replace") == after for wrote, read in _WRONG_READINGS
    )


def _has_question_marks(before: str, after: str) -> bool:
    """Return whether letters that an encoding lacks became one or two marks each.

    The places that can be reached in `after` are the bits of a number: a search that tries one way after the
    other would never end for some texts.
    """
    if not len(before) <= len(after) <= min(2 * len(before), _LONGEST_MARKED):
        return False
    places: dict[str, int] = {}
    for at, c in enumerate(after):
        places[c] = places.get(c, 0) | 1 << at
    marks = places.get("?", 0) | places.get("_", 0)
    reached = 1
    for c in before:
        ahead = (reached & places.get(c, 0)) << 1
        if not c.isascii():
            ahead |= (reached & marks) << 1 | (reached & marks & marks >> 1) << 2
        reached = ahead
    return bool(marks and reached >> len(after) & 1)


def _is_converted(before: str, after: str) -> bool:
    """Return whether a text was taken for a number, a date or a time."""
    if _COMMA.fullmatch(after) and not _COMMA.fullmatch(before):
        after = after.replace(",", ".")
    after = _DOUBLE.sub(r"\1", after)
    old, new = _number(before), _number(after)
    if old is not None and new is not None and _SHOWN_NUMBER.fullmatch(after):
        kept = range(3, 16) if "e" in after.lower() else (15,)
        return old == new or any(float(f"{old:.{digits}g}") == new for digits in kept)
    if _time(before) is not None and _time(before) == _time(after):
        return True
    if any(_is_same_day(old, shown) for old in _readings(before) for shown in _shown(after)):
        return True
    return new is not None and _is_serial(before, new)


def _number(text: str) -> float | None:
    if DECIMAL.fullmatch(text):
        return float(text)
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"[^\d.+-]", "", text))
    return float(text.rstrip("% ")) / 100 if _PERCENT.fullmatch(text) else None


def _time(text: str) -> tuple[int, int, int] | None:
    found = _TIME.fullmatch(text)
    if not found:
        return None
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4] in "pP" else 0)
    return hour, int(found[2]), int(found[3] or 0)


def _readings(text: str) -> set[_Day]:
    """Return every day that a program may see in a text."""
    found = _PARTS.fullmatch(text)
    if not found:
        return set()
    parts = [int(p) if p.isdigit() else month_number(p) or 0 for p in found.groups() if p]
    if found[1].isalpha() or found[2].isalpha():
        month, other = (parts[0], parts[1]) if found[1].isalpha() else (parts[1], parts[0])
        in_year = parts[2] if len(parts) > 2 else None
        days = {_Day(month, other, in_year), _Day(month, None, other)}
    elif len(parts) == 3:
        first, second, third = parts
        days = {_Day(second, third, first), _Day(first, second, third), _Day(second, first, third)}
    else:
        one, two = parts
        days = {_Day(one, two, None), _Day(two, one, None), _Day(one, None, two), _Day(two, None, one)}
    return {day for day in days if 1 <= day.month <= 12 and (day.day is None or 1 <= day.day <= 31)}


def _shown(text: str) -> set[_Day]:
    """Return what a text means that a program shows for a date; nothing for other texts."""
    found = _ISO_DAY.fullmatch(text)
    if found:
        return {_Day(int(found[2]), int(found[3]), int(found[1]))}
    found = _NUMBERED_DAY.fullmatch(text)
    if found:
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        return {_Day(first, second, year), _Day(second, first, year)}
    found = _NAMED_DAY.fullmatch(text)
    if found and (month := month_number(found[2])):
        day = int(found[1]) if found[1] else None
        return {_Day(month, day, int(found[3]) if found[3] else None)}
    return set()


def _is_same_day(old: _Day, new: _Day) -> bool:
    return (
        old.month == new.month
        and (old.day == new.day or new.day is None or (old.day is None and new.day == 1))
        and (old.year is None or new.year is None or old.year % 100 == new.year % 100)
    )


def _is_serial(before: str, number: float) -> bool:
    """Return whether a number counts the days from 1899-12-30 to a date that the text names."""
    if not 1 <= number < 2_958_466:
        return False
    day = datetime.date(1899, 12, 30) + datetime.timedelta(days=int(number))
    return any(_is_same_day(old, _Day(day.month, day.day, day.year)) for old in _readings(before))

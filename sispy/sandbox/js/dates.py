"""Dates as JavaScript reads and writes them, on a server in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"([+-]\d{6}|\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE | re.ASCII,
)
_DAYS = re.compile(r"(\d{1,4})[/-](\d{1,2})[/-](\d{1,4})(?:[T ]+(.*))?", re.ASCII)
_WORDS = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?:(?P<month>[A-Za-z]+)\.?\s+(?P<day>\d{1,2})|"
    r"(?P<day2>\d{1,2})[ -](?P<month2>[A-Za-z]+)\.?)"
    r",?[ -]+(?P<year>\d{4}),?\s*(?P<clock>.*)",
    re.ASCII,
)
_CLOCK = re.compile(
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(?:UTC|GMT)?(Z|[+-]\d\d:?\d\d)?(?:\s*\(.*\))?",
    re.IGNORECASE | re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH_DAYS = 719_468  # days from 0000-03-01 to 1970-01-01


def ms_of_date(text: str) -> int | None:
    """Read a date's text as JavaScript does on a server in UTC: ms since 1970, or None."""
    text = text.strip()
    found = _ISO.fullmatch(text)
    if found:
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        return _ms(int(year), int(month or 1), int(day or 1), hour, minute, second, fraction, zone)
    found = _DAYS.fullmatch(text)
    if found:
        first, middle, last, rest = found.groups()
        year, month, day = (first, middle, last) if len(first) == 4 else (last, first, middle)
        clock = _CLOCK.fullmatch(rest.strip()) if rest else None
        if len(year) == 4 and (clock or not rest):
            return _ms(int(year), int(month), int(day), *(clock.groups() if clock else (None,) * 5))
    return _ms_of_words(text)


def _ms_of_words(text: str) -> int | None:
    """Read `Jan 2, 2020 10:00`, `2 January 2020`, `Thu, 02 Jan 2020 03:04:05 GMT` and the like."""
    found = _WORDS.fullmatch(text)
    if not found:
        return None
    month = found["month"] or found["month2"]
    if month[:3].title() not in _MONTHS or len(month) > len("September"):
        return None
    clock = _CLOCK.fullmatch(found["clock"]) if found["clock"] else None
    if found["clock"] and clock is None:
        return None
    number = _MONTHS.index(month[:3].title()) + 1
    day = int(found["day"] or found["day2"])
    return _ms(int(found["year"]), number, day, *(clock.groups() if clock else (None,) * 5))


def _ms(
    year: int,
    month: int,
    day: int,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
) -> int | None:
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    if not (1 <= month <= 12 and 1 <= day <= 31 and h <= 24 and m < 60 and s < 60):
        return None
    if h == 24 and (m or s):
        return None
    total = _days(year, month, day) * 86_400_000 + h * 3_600_000 + m * 60_000 + s * 1000
    total += int((fraction or "")[:3].ljust(3, "0"))
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        shift = int(digits[:2]) * 60 + int(digits[2:])
        total -= (shift if zone[0] == "+" else -shift) * 60_000
    return total


def _days(year: int, month: int, day: int) -> int:
    """Return the days since 1970 in the proleptic Gregorian calendar, for any year."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH_DAYS


def date_of_ms(ms: int) -> str:
    """Write a time as the server does: ISO with milliseconds and Z, six-digit years beyond 0 to 9999."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    except OverflowError:
        # 400 Gregorian years have 146,097 days: borrow whole cycles until the year fits.
        cycles = (ms // 86_400_000 + _EPOCH_DAYS) // 146_097 - 5
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms - cycles * 146_097 * 86_400_000)
        year = moment.year + 400 * cycles
        head = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
        return f"{head}{moment.strftime('-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03}Z"
    return f"{moment.year:04}{moment.strftime('-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03}Z"


def date_order(text: str) -> str:
    """Return a text that sorts as the date does; the date itself in all years from 0 to 9999."""
    if text[:1] >= "0":
        return text
    if text.startswith("+"):
        return ":" + text
    return f"!{1_000_000 - int(text[1:7])}{text[7:]}" if text.startswith("-") else text

"""Date: a time in UTC to the millisecond; in JSON ISO 8601, in `_sis` ms since 1970."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sispy.remedies import Argument

from ..times import LAST, LATEST, is_written, iso, milliseconds, month_number, writable
from .base import PLAIN, Contradiction, Type
from .cell_text import are_all, lines, masked, means_nothing, structure_or_refuse, write_column
from .cells import HAS_ARROW, iso_of, kind_of, shown
from .frozen import freeze
from .number import bounds, out_of_bounds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sispy.remedies import Remedy

    from .base import Field, Fits, Style

if HAS_ARROW:
    import pyarrow as pa

    _ARROW_TIMES = pa.timestamp("ms", "UTC")

TIMES = pd.DatetimeTZDtype("ms", "UTC")

_NAT = np.iinfo(np.int64).min
_SPELT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3}0*)?)?(?: ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?)?"
)
_LINES = lines(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_OFFSET = re.compile(r".*:.*\d\s*(?:[Zz]|UTC|[+-]\d\d(?::?\d\d(?::\d\d)?)?)", re.DOTALL)
_DAY_FORM = re.compile(
    r"(?:(?P<year>\d{4})[./-] ?(?P<month>\d{1,2})[./-] ?(?P<day>\d{1,2})\.?"
    r"|(?P<one>\d{1,2})[./-] ?(?P<two>\d{1,2})[./-] ?(?P<last>\d{4}|\d\d))"
    r"(?:,?[ T\u00a0\u202f]+(?P<hour>\d{1,2})[:.](?P<minute>\d\d)"
    r"(?:[:.](?P<second>\d\d)(?:[.,](?P<ms>\d{1,3}))?)?"
    r"(?:[ \u00a0\u202f]?(?P<half>[AaPp])\.?[ \u00a0\u202f]?[Mm]\.?)?)?"
)
_SHORT = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d\d")
_NUMBERED = re.compile(r"\d{4}\.")
_VERSION = re.compile(r"(?:\d\.\d+|\d+\.\d)\.\d\d")
_DAY_NUMBER = r"[0-9]{1,2})(?:st|nd|rd|th|er)?"
_MONTH = r"[^\W\d_]{3,12})\.?"
_NAMED_MONTH = re.compile(
    r"(?:(?:mon|tue|tues|wed|wednes|thu|thurs|fri|sat|satur|sun)(?:day)?[.,]? )?"
    rf"(?:(?P<day>{_DAY_NUMBER}\.?[ /-]?(?:de )?(?P<word>{_MONTH}"
    rf"|(?P<first>{_MONTH} (?P<then>{_DAY_NUMBER}(?=\D)),?[ /-]?(?:de )?"
    r"(?P<year>[0-9]{4}|[0-9]{2})(?P<time>\D.*)?",
    re.IGNORECASE,
)
"""3 Feb 2026, 3-Feb-26, February 3, 2026, 3. Februar 2026: they leave one reading."""
_FINE = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3})\d+(.*)")
_APRIL = Argument("dayfirst", "takes 3/4/2026 for the third of April", True)
_MARCH = Argument("dayfirst", "takes 3/4/2026 for the fourth of March", False)
_SPAN = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_DAY = 86_400_000
_EPOCH = 25_569
"""Days from the workbooks' day 0 to 1970-01-01."""
_FIRST_SAFE = -2_203_891_200_000
"""1900-03-01: before it, the programs disagree about the days."""


class Date(Type, name="Date"):
    """A time: a column is of datetime64 in UTC."""

    is_scalar = is_ordered = True
    presentation = "date"
    json_types: tuple[type, ...] = (str,)
    told_by = ("dayfirst",)

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        if field.path.startswith("_"):  # of `_sis`: in its JSON a time is the ms since 1970
            self.json_types = (str, int)

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        return bounds({k: milliseconds(v) if isinstance(v, str) else v for k, v in options.items()})

    @staticmethod
    def straight(text: str) -> str:
        """A year of two digits tells no century, and nobody keeps more than milliseconds."""
        bare = text.strip()
        if fine := _FINE.fullmatch(bare):
            return fine[1] + fine[2]
        clock = _clock(bare, dayfirst=True) or _clock(bare, dayfirst=False)
        if clock is None or not clock.is_short or _VERSION.fullmatch(bare):
            return text
        return f"{bare[: clock.year_at]}20{bare[clock.year_at :]}"

    @staticmethod
    def is_spelt(text: str, style: Style) -> bool:
        text = text.strip()
        is_number = style.dayfirst is None and _NUMBERED.match(text)  # 2024.1.3 may be a version
        clock = None if is_number else _clock(text, style.dayfirst)
        if clock is not None:
            return not clock.is_short
        return _SPELT.fullmatch(text) is not None and milliseconds(text) is not None

    def cast(self, cell: Any) -> str | None:
        if isinstance(cell, str):
            if type(cell) is str and is_written(cell):
                return cell
            if not cell.strip():
                return None
            ms = _moment(cell, PLAIN)
            if ms is None:
                raise ValueError(f"{shown(cell)} is not an ISO date or time")
            return iso(ms)
        if isinstance(cell, (datetime.date, np.datetime64)):
            return iso_of(cell)
        if isinstance(cell, np.number):
            cell = cell.item()
        if isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) <= LATEST:
            return writable(iso(int(cell)))
        raise ValueError(f"{kind_of(cell)} is not a date or time")

    def typed(self, text: str) -> Any:
        return self.read(text, PLAIN) if text.strip() else text

    def check(self, value: Any, fits: Fits) -> str | None:
        ms = milliseconds(value) if isinstance(value, str) else value
        return out_of_bounds(self.field.min, self.field.max, ms, " (ms since 1970)")

    def stored(self, value: Any) -> Any:
        return milliseconds(value) if int in self.json_types and isinstance(value, str) else value

    def _ms(self, value: Any) -> int | None:
        """Return the ms of a stored time: a text with `Z`, or, in `_sis` alone, a number."""
        if isinstance(value, str):
            return milliseconds(value) if value.endswith("Z") else None
        return value if type(value) in self.json_types and abs(value) <= LATEST else None

    def holds(self, value: Any) -> bool:
        return self._ms(value) is not None

    def cell_of(self, value: Any) -> Any:
        ms = self._ms(value)
        return freeze(value) if ms is None else pd.Timestamp(ms, unit="ms", tz="UTC").as_unit("ms")

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        """Return the ms since 1970 of a page of ISO texts, or of numbers in `_sis`."""
        if int in self.json_types and str not in (kinds := set(map(type, values))):
            whole = values if kinds == {int} else [_NAT if value is None else value for value in values]
            found = np.array(whole, dtype=np.int64)
            if (np.abs(found) > LATEST).any():
                raise Contradiction
            return found
        try:
            if HAS_ARROW:
                times = pa.array(values, type=pa.string()).cast(_ARROW_TIMES)
                return times.view(pa.int64()).fill_null(_NAT).to_numpy()
            plain = ["NaT" if value is None else value[:-1] for value in values]
            if not all(value is None or (len(value) == 24 and value[-1] == "Z") for value in values):
                raise Contradiction
            return np.array(plain, dtype="datetime64[ms]").astype(np.int64)
        except (TypeError, ValueError):  # Arrow's own errors are among them
            raise Contradiction from None

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        return pd.array(np.concatenate([np.empty(0, np.int64), *pages]), dtype=TIMES)

    def text(self, value: Any, style: Style) -> str:
        if style.zone is datetime.UTC:
            return str(value)
        try:
            return pd.Timestamp(value).tz_convert(style.zone).isoformat(timespec="milliseconds")
        except NotImplementedError:  # there it is of the year 0 or 10000: 9999-12-31 is often for ever
            return str(value)

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        if not isinstance(cells.dtype, pd.DatetimeTZDtype) or style.zone is not datetime.UTC:
            return None
        moments = cells.dt.tz_convert(None).to_numpy("datetime64[ms]")
        return masked((text + "Z" for text in np.datetime_as_string(moments, unit="ms").tolist()), cells)

    def read(self, text: str, style: Style) -> Any:
        ms = _moment(text, style)
        return structure_or_refuse(text, "not an ISO date or time") if ms is None else iso(ms)

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        if (found := _DAY_FORM.fullmatch(text.strip())) and found["last"]:
            return (_APRIL,) if len(found["last"]) == 4 else ()  # nothing tells the century
        return means_nothing(text)

    def other_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        if not any(_DAY_FORM.fullmatch(text.strip()) for text in texts):
            return ()
        return tuple(replace(style, dayfirst=first) for first in (True, False))

    def told(self, style: Style) -> tuple[Remedy, ...]:
        return () if style.dayfirst is None else (_APRIL if style.dayfirst else _MARCH,)

    def pasted_styles(self, texts: Collection[str]) -> tuple[Style, ...]:
        """Offer years of two digits, too, which LibreOffice shows of every date."""
        styles = self.other_styles(texts, PLAIN)
        clocks = [_clock(text.strip(), first) for text in texts for first in (True, False)]
        if not any(clock is not None and clock.is_short for clock in clocks):
            return styles
        return tuple(replace(style, has_short_years=True) for style in styles or (PLAIN,))

    def in_words(self, style: Style) -> str:
        order = {True: "the day first", False: "the month first", None: ""}[style.dayfirst]
        return ", ".join(filter(None, [order, "years from 2000 to 2099" if style.has_short_years else ""]))

    def is_cut(self, text: str) -> bool:
        clock = _clock(text.strip(), dayfirst=True)
        return clock is not None and clock.unit > 1

    def shows(self, value: Any, text: str, style: Style) -> bool:
        clock, ms = _clock(text.strip(), style.dayfirst), self._ms(value)
        if clock is None or ms is None:
            return False
        at = ms if style.zone is datetime.UTC else _local(ms, style.zone)
        first = _in_century(clock.ms, at) if clock.is_short else clock.ms
        return first <= at < first + clock.unit

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        return [text or None for text in texts] if are_all(_LINES, texts) else None

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        return [_sheet_cell(text, style) for text in write_column(self.field, cells)]

    def from_number(self, cell: float, style: Style) -> Any:
        raise ValueError(f"{cell} is a number: format the cell as a date, or write 2020-01-31")

    def from_time(self, cell: datetime.datetime, style: Style) -> Any:
        ms = round((cell - datetime.datetime(1970, 1, 1)) / datetime.timedelta(milliseconds=1))  # noqa: DTZ001 - the cell has no zone
        return iso(localised(ms, style.zone))

    def span(self, text: str) -> tuple[str, str] | None:
        """Return the first and the last millisecond of a day, a month or a year."""
        if not (found := _SPAN.fullmatch(text.strip())):
            return None
        year, month, day = found.groups()
        if (first := milliseconds(f"{year}-{month or '01'}-{day or '01'}")) is None:
            return None
        if day:
            return iso(first), iso(first + _DAY - 1)
        after = f"{year}-{int(month) + 1:02}" if month and month != "12" else f"{int(year) + 1:04}-01"
        last = milliseconds(f"{after}-01")
        return None if last is None else (iso(first), iso(last - 1))


def _moment(text: str, style: Style) -> int | None:
    """Return the ms since 1970 of a text: of an ISO time, or another one that leaves one reading in a style.

    Raises:
        ValueError: Its year has two digits, or the clocks of the zone showed it never or twice.
    """
    ms = milliseconds(text)
    if ms is not None:
        return ms if _OFFSET.fullmatch(text.strip()) else localised(ms, style.zone)
    clock = _clock(text.strip(), style.dayfirst)
    if clock is None and not _SHORT.fullmatch(text.strip()):
        return None
    if clock is None or (clock.is_short and not style.has_short_years):
        raise ValueError(f"{shown(text)} has a year of two digits: write all four")
    return localised(clock.ms, style.zone)


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
        raise ValueError(
            f"the clocks of {zone} skipped or repeated this time: add an offset such as +01:00"
        ) from None
    except NotImplementedError:  # pandas
        raise ValueError("only times of the years 0 to 9999 can be written") from None
    return _as_ms(moment.tz_convert("UTC").tz_localize(None))


def _local(ms: int, zone: datetime.tzinfo) -> int:
    """Return what a zone's clocks show at a time, as if it were of UTC."""
    return _as_ms(pd.Timestamp(ms, unit="ms", tz="UTC").tz_convert(zone).tz_localize(None))


def _as_ms(moment: pd.Timestamp) -> int:
    return int(moment.to_datetime64().astype("datetime64[ms]").astype(np.int64))


class _Clock(NamedTuple):
    """What a text shows of a time, by the clocks of its zone."""

    ms: int
    """As if it were of UTC."""
    unit: int
    """Ms of the last place that is shown."""
    is_short: bool
    """The century is not shown."""
    year_at: int
    """Where in the text the year begins."""


def _clock(text: str, dayfirst: bool | None) -> _Clock | None:
    """Return what a text like 3/4/2026 1:05 PM, 2026/4/3 or 3 Apr 2026 shows.

    None for other texts, and where the order is unknown.
    """
    if (named := _NAMED_MONTH.fullmatch(text)) and (number := month_number(named["word"] or named["first"])):
        text = f"{number}/{named['day'] or named['then']}/{named['year']}{named['time'] or ''}"
        dayfirst = False
    found = _DAY_FORM.fullmatch(text)
    if not found or (found["last"] and dayfirst is None):
        return None
    day, month, year = found["day"], found["month"], found["year"]
    if year is None:
        day, month = (found["one"], found["two"]) if dayfirst else (found["two"], found["one"])
        year = found["last"]
    hour = int(found["hour"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    time = f"{hour:02}:{found['minute'] or '00'}:{found['second'] or '00'}.{(found['ms'] or '0'):0<3}"
    ms = milliseconds(f"{int(year) + (2000 if len(year) == 2 else 0)}-{int(month):02}-{int(day):02}T{time}Z")
    units = (("ms", 1), ("second", 1000), ("minute", 60_000))
    unit = next((unit for place, unit in units if found[place]), _DAY)
    year_at = named.start("year") if named else found.start("last" if found["last"] else "year")
    return None if ms is None else _Clock(ms, unit, len(year) == 2, year_at)


def _in_century(shown: int, at: int) -> int:
    """Return the time whose year ends as shown, in the century of another time."""
    year, other = (np.datetime64(ms, "ms").astype("datetime64[Y]").astype(int) + 1970 for ms in (shown, at))
    moved = pd.Timestamp(shown, unit="ms").replace(year=int(other - other % 100 + year % 100))
    return _as_ms(moved)


def _sheet_cell(text: str, style: Style) -> Any:
    """Return a time as days since day 0 by the zone's clocks; as text where a workbook cannot hold it."""
    ms = milliseconds(text) if text else None
    if ms is None:
        return text or None
    shown = ms
    if style.zone is not datetime.UTC:
        local = pd.Timestamp(ms, unit="ms", tz="UTC").tz_convert(style.zone)
        shown = _as_ms(local.tz_localize(None))
        try:
            localised(shown, style.zone)
        except ValueError:
            return local.isoformat(timespec="milliseconds")
    return shown / _DAY + _EPOCH if _FIRST_SAFE <= shown <= LAST else text

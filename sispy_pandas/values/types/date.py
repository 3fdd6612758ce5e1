"""Date: a time in UTC to the millisecond; in JSON ISO 8601, in `_sis` ms since 1970."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Argument

from ..times import LATEST, iso, milliseconds, writable
from .base import Contradiction, Type
from .cell_text import are_all, lines, masked, means_nothing, structure_or_refuse, write_column
from .cells import HAS_ARROW, iso_of, kind_of, shown
from .frozen import freeze
from .number import bounds, out_of_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sispy.remedies import Remedy

    from .base import Field, Fits, Style

if HAS_ARROW:
    import pyarrow as pa

TIMES = pd.DatetimeTZDtype("ms", "UTC")

_NAT = np.iinfo(np.int64).min
_SPELT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_LINES = lines(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_OFFSET = re.compile(r".*\d(?:[Zz]|[+-]\d\d:?\d\d(?::\d\d)?)", re.DOTALL)
_DAY_FORM = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})"
    r"(?:,?[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,3}))?)?(?: ?([AaPp])\.?[Mm]\.?)?)?"
)
_DAY = 86_400_000
_EPOCH = 25_569
"""Days from the workbooks' day 0 to 1970-01-01."""
_FIRST_SAFE = -2_203_891_200_000
"""1900-03-01: before it, the programs disagree about the days."""
_LAST_SAFE = 253_402_300_799_999


class Date(Type, name="Date"):
    """A time: a column is of datetime64 in UTC."""

    is_scalar = is_ordered = True
    presentation = "date"
    json_types: tuple[type, ...] = (str,)

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        if field.path.startswith("_"):  # of `_sis`: in its JSON a time is the ms since 1970
            self.json_types = (str, int)

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        return bounds({k: milliseconds(v) if isinstance(v, str) else v for k, v in options.items()})

    @staticmethod
    def is_spelt(text: str) -> bool:
        return _SPELT.fullmatch(text) is not None and milliseconds(text) is not None

    def cast(self, cell: Any) -> str | None:
        if isinstance(cell, str):
            if not cell:
                return None
            ms = milliseconds(cell)
            if ms is None:
                raise ValueError(f"{shown(cell)} is no ISO date or time")
            return iso(ms)
        if isinstance(cell, datetime.date | np.datetime64):
            return iso_of(cell)
        if isinstance(cell, np.number):
            cell = cell.item()
        if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) <= LATEST:
            return writable(iso(int(cell)))
        raise ValueError(f"{kind_of(cell)} is no date or time")

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
        if int in self.json_types and str not in set(map(type, values)):
            found = np.array([_NAT if value is None else value for value in values], dtype=np.int64)
            if (np.abs(found) > LATEST).any():
                raise Contradiction
            return found
        try:
            if HAS_ARROW:
                texts = pa.array(values, type=pa.string())
                return texts.cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).fill_null(_NAT).to_numpy()
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
        ms = milliseconds(text)
        if ms is not None and not _OFFSET.fullmatch(text.strip()):
            ms = localised(ms, style.zone)
        if ms is None and style.dayfirst is not None:
            ms = _day_form(text.strip(), style.dayfirst, style.zone)
        if ms is None:
            return structure_or_refuse(text, "no ISO date or time")
        return iso(ms)

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        if _DAY_FORM.fullmatch(text.strip()):
            return (Argument("dayfirst", "takes 3/4/2026 for the third of April", True),)
        return means_nothing(text)

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        return [text or None for text in texts] if are_all(_LINES, texts) else None

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        return [_sheet_cell(text, style) for text in write_column(self.field, cells)]

    def from_number(self, cell: float) -> Any:
        raise ValueError(f"{cell} is a number: format the cell as a date, or write 2020-01-31")

    def from_time(self, cell: datetime.datetime, style: Style) -> Any:
        ms = round((cell - datetime.datetime(1970, 1, 1)) / datetime.timedelta(milliseconds=1))  # noqa: DTZ001 - the cell has no zone
        return iso(localised(ms, style.zone))

    def span(self, text: str) -> tuple[str, str] | None:
        day = milliseconds(text) if re.fullmatch(r"\s*[\d-]{10}\s*", text) else None
        return None if day is None else (iso(day), iso(day + _DAY - 1))


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
    except NotImplementedError:  # pandas
        raise ValueError("only times of the years 0 to 9999 can be written") from None
    return _as_ms(moment.tz_convert("UTC").tz_localize(None))


def _as_ms(moment: pd.Timestamp) -> int:
    return int(moment.to_datetime64().astype("datetime64[ms]").astype(np.int64))


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


def _sheet_cell(text: str, style: Style) -> Any:
    """The days since day 0 by the clocks of the zone, or text where a workbook or the clocks would not do."""
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
    return shown / _DAY + _EPOCH if _FIRST_SAFE <= shown <= _LAST_SAFE else text

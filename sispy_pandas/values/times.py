"""Points in time: as SIS writes them, as users give them, as people read them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from sispy.remedies import Argument, Message

LATEST = 8_640_000_000_000_000
"""The latest time that a Date of the server can be, in ms since 1970."""
LAST = 253_402_300_799_999
"""The last moment that has a date here: the end of the year 9999, in ms since 1970."""
When = datetime | str | int | timedelta
"""As users give them: aware, a text with a zone, ms since 1970, or how long ago (a timedelta, or "3d")."""
_AGO = re.compile(r"\s*(\d{1,9}(?:\.\d+)?)\s*(s|m|h|d|w)\s*")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene gennaio gen januari janeiro sty",
            "feb february februar fevrier fev fevr febrero febbraio februari fevereiro lut",
            "mar march marz mrz maerz mars marzo maart mrt marco marzec",
            "apr april avril avr abril abr aprile kwi",
            "may mai mayo maggio mag mei maio maj",
            "jun june juni juin junio giugno giu junho cze",
            "jul july juli juillet juil julio luglio lug julho lip",
            "aug august aout agosto ago augustus sie",
            "sep sept september septembre septiembre settembre set setembro wrz",
            "oct october okt oktober octobre octubre ottobre ott outubro out paz",
            "nov november novembre noviembre novembro lis",
            "dec december dez dezember decembre diciembre dic dicembre dezembro gru",
        ),
        start=1,
    )
    for name in names.split()
}
"""Months in English, German, French, Spanish, Italian, Dutch, Portuguese and Polish, without accents."""
_ISO = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)"
    r"\s*(Z|z|UTC|[+-]\d\d(?::?\d\d(?::\d\d)?)?)?)?\s*"
)


def milliseconds(text: str) -> int | None:
    """Return the ms since 1970 of an ISO date or time; None for other texts. No offset means UTC.

    >>> milliseconds("2020-01-02T03:04:05.678Z")
    1577934245678
    """
    found = _ISO.fullmatch(text)
    if not found:
        return None
    day, time, offset = found.groups()
    try:
        moment = np.datetime64(f"{day}T{(time or '00:00').replace(',', '.')}", "us")
    except ValueError:
        return None
    ms = int(moment.astype("datetime64[ms]").astype(np.int64))
    if offset and offset not in ("Z", "z", "UTC"):
        digits = f"{offset[1:].replace(':', ''):0<6}"
        # offsets of long ago have seconds
        seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
        ms -= (seconds if offset[0] == "+" else -seconds) * 1000
    return ms


def month_number(name: str) -> int | None:
    """Return the number of a month by its name, in any case, with or without accents; None if it is none.

    >>> month_number("März"), month_number("Aug"), month_number("x")
    (3, 8, None)
    """
    bare = unicodedata.normalize("NFKD", name.lower())
    return _MONTHS.get("".join(sign for sign in bare if not unicodedata.combining(sign)))


def iso(ms: int) -> str:
    """Return the text that SIS shows for a time.

    >>> iso(1577934245678)
    '2020-01-02T03:04:05.678Z'
    """
    return f"{np.datetime_as_string(np.datetime64(ms, 'ms'))}Z"


def is_written(text: str) -> bool:
    """Return whether a text is a time just as SIS shows it.

    >>> is_written("2020-01-02T03:04:05.678Z"), is_written("2020-01-02 03:04:05.678Z")
    (True, False)
    """
    if len(text) != 24:
        return False
    try:
        return f"{datetime.fromisoformat(text[:-1]).isoformat(timespec='milliseconds')}Z" == text
    except ValueError:
        return False


def brief(text: str) -> str:
    """Return the text of a time as people read it, in UTC: without what is zero in it.

    >>> brief("2020-01-02T03:04:05.000Z"), brief("2020-01-02T00:00:00.000Z")
    ('2020-01-02 03:04:05', '2020-01-02')
    """
    return text.removesuffix("T00:00:00.000Z").replace(".000Z", "").replace("Z", "").replace("T", " ")


def writable(text: str) -> str:
    """Return a time as it is, if the server can read it: other years than these have another form there.

    Raises:
        ValueError: It is not of the years 0 to 9999.
    """
    if not (text[:4].isdigit() and text[4] == "-"):
        raise ValueError(f"{text} is not of the years 0 to 9999")
    return text


def milliseconds_of(when: When, *, tz: str | tzinfo | None = None) -> int:
    """Return a point in time as ms since 1970.

    >>> milliseconds_of("2026-11-20T14:05Z")
    1795183500000
    >>> milliseconds_of("2026-11-20 14:05", tz="Europe/Berlin")
    1795179900000

    Args:
        when: An aware datetime or Timestamp, an ISO text with a zone, ms since 1970, or how long ago: a
            timedelta, or a text such as 90s, 5m, 2h, 3d and 1w.
        tz: The zone of times that name none.

    Raises:
        ValueError: The time names no zone and `tz` neither, or it is not a time.
        TypeError: It is something else altogether.
    """
    if isinstance(when, str) and (ago := _AGO.fullmatch(when)):
        when = timedelta(**{_UNITS[ago[2]]: float(ago[1])})
    if isinstance(when, timedelta):
        return round((datetime.now(UTC) - when).timestamp() * 1000)
    if isinstance(when, int) and not isinstance(when, bool):
        return when
    if not isinstance(when, str | datetime):
        raise TypeError(f"{when!r} is not a time: give a datetime with a zone, an ISO text or ms since 1970")
    try:
        moment = pd.Timestamp(when)
    except ValueError as error:
        raise ValueError(f"{when!r} is not a time such as '2026-11-20T14:05Z'") from error
    if pd.isna(moment):
        raise ValueError(f"{when!r} is not a time such as '2026-11-20T14:05Z'")
    if moment.tzinfo is None:
        if tz is None:
            raise ValueError(
                Message(
                    f"{str(when)!r} has no time zone",
                    Argument("tz", "gives one"),
                )
            )
        try:
            moment = moment.tz_localize(_zone(tz))
        except NotImplementedError as error:  # pandas: in UTC it is of the year 0 or 10000
            raise ValueError(f"{when!r} is not a time such as '2026-11-20T14:05Z'") from error
    return int(moment.to_datetime64().astype("datetime64[ms]").astype("int64"))  # of UTC


def times(values: Any) -> pd.Series[Any]:
    """Return ms since 1970 as a column of times in UTC."""
    numbers = pd.Series(values, dtype="Int64")
    return pd.to_datetime(numbers, unit="ms", utc=True).astype("datetime64[ms, UTC]")


def clock(ms: int) -> str:
    """Return a time for people of this machine: the hour, and the day if it was not today."""
    moment, now = datetime.fromtimestamp(ms / 1000).astimezone(), datetime.now().astimezone()
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M}"


def _zone(tz: str | tzinfo) -> tzinfo:
    try:
        return ZoneInfo(tz) if isinstance(tz, str) else tz
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{tz!r} is not a time zone such as 'Europe/Berlin'") from error


def duration_text(duration: timedelta) -> str:
    """Return a duration as a program shows it, also one of more than a day, to the microsecond.

    >>> duration_text(timedelta(hours=26, minutes=30)), duration_text(timedelta(seconds=-1.5))
    ('26:30:00', '-00:00:01.500000')
    """
    micros = duration // timedelta(microseconds=1)
    sign, (seconds, rest) = "-" * (micros < 0), divmod(abs(micros), 1_000_000)
    minutes, last = divmod(seconds, 60)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{last:02}{f'.{rest:06}' if rest else ''}"

"""Points in time as users give them: aware datetimes, texts with a zone, milliseconds, or how long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

When = datetime | str | int | timedelta


def milliseconds_of(when: When, *, tz: str | tzinfo | None = None) -> int:
    """Return a point in time as ms since 1970.

    >>> milliseconds_of("2026-11-20T14:05Z")
    1795183500000
    >>> milliseconds_of("2026-11-20 14:05", tz="Europe/Berlin")
    1795179900000

    Args:
        when: An aware datetime or Timestamp, an ISO text with a zone, ms since 1970, or a timedelta ago.
        tz: The zone of times that name none.

    Raises:
        ValueError: The time names no zone and `tz` neither, or it is no time.
        TypeError: It is something else altogether.
    """
    if isinstance(when, timedelta):
        return round((datetime.now(UTC) - when).timestamp() * 1000)
    if isinstance(when, int) and not isinstance(when, bool):
        return when
    if not isinstance(when, str | datetime):
        raise TypeError(f"{when!r} is no time: give a datetime with a zone, an ISO text or ms since 1970")
    try:
        moment = pd.Timestamp(when)
    except ValueError as error:
        raise ValueError(f"{when!r} is no time such as '2026-11-20T14:05Z'") from error
    if pd.isna(moment):
        raise ValueError(f"{when!r} is no time such as '2026-11-20T14:05Z'")
    if moment.tzinfo is None:
        if tz is None:
            raise ValueError(f"{str(when)!r} names no time zone, so it may be any of many moments: give tz=")
        moment = moment.tz_localize(_zone(tz))
    return int(
        moment.tz_convert(UTC).tz_localize(None).to_datetime64().astype("datetime64[ms]").astype("int64")
    )


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
        raise ValueError(f"tz={tz!r} is no time zone such as 'Europe/Berlin'") from error

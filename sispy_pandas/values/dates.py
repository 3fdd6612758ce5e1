"""Times as SIS writes them: ISO 8601 in UTC with milliseconds and `Z`."""

from __future__ import annotations

import re

import numpy as np

_ISO = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|z|[+-]\d\d:?\d\d(?::\d\d)?)?)?\s*"
)


def milliseconds(text: str) -> int | None:
    """Return the ms since 1970 of an ISO date or time; None if the text is none. No offset means UTC.

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
    if offset and offset not in "Zz":
        digits = offset[1:].replace(":", "")
        seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:] or 0)  # long ago: odd ones
        ms -= (seconds if offset[0] == "+" else -seconds) * 1000
    return ms


def iso(ms: int) -> str:
    """Return the text that SIS shows for a time.

    >>> iso(1577934245678)
    '2020-01-02T03:04:05.678Z'
    """
    return f"{np.datetime_as_string(np.datetime64(ms, 'ms'))}Z"


def writable(text: str) -> str:
    """Return a time as it is, if the server can read it: other years than these have another form there.

    Raises:
        ValueError: It is not of the years 0 to 9999.
    """
    if not (text[:4].isdigit() and text[4] == "-"):
        raise ValueError(f"{text} is not of the years 0 to 9999")
    return text

"""Scalar values as the server stores them: the casts of one value, in JavaScript's terms.

How values are kept, everywhere in the sandbox:

* Date: the ISO text that is sent, `2020-01-02T03:04:05.000Z`; compare with `date_order`;
* ObjectId: 24 lower-case hex digits as text;
* Number: int where it is whole and JavaScript would print its digits, else float; infinity and NaN are floats
  that encode as null;
* IpAddress: the object of six keys; everything else as JSON has it.

So a stored document is encoded as it is, and what a text means is known from the definition alone.
"""

from __future__ import annotations

import ipaddress
import itertools
import math
import os
import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from sispy.sandbox.inspect import inspect

Json = Any


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""An absent value, where null is a value."""

_HEX_ID = re.compile(r"[0-9a-fA-F]{24}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_ISO = re.compile(
    r"([+-]\d{6}|\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
_DAYS = re.compile(r"(\d{1,4})[/-](\d{1,2})[/-](\d{1,4})(?:[T ]+(.*))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.IGNORECASE)
JS_SPACE = " \t\n\r\v\f\u00a0\ufeff\u2028\u2029"
_LAST_MS = 8_640_000_000_000_000
_EPOCH_DAYS = 719_468  # days from 0000-03-01 to 1970-01-01


class CastFailure(Exception):  # noqa: N818 - no error of its own: the caller makes the text with its path
    """A value that its type does not take."""

    def __init__(self, kind: str, value: Json) -> None:
        super().__init__(kind, value)
        self.kind, self.value = kind, value

    def text(self, path: str) -> str:
        """Word it as the server does."""
        return f'Cast to {self.kind} failed for value {quoted(self.value)} at path "{path}"'


def quoted(value: Json) -> str:
    """Show a value in an error text: in double quotes, whatever it is."""
    text = inspect(value)
    return '"' + text[1:-1] + '"' if isinstance(value, str) else f'"{text}"'


def number(value: Json) -> Json:
    """Bring a JSON number into its stored form: a double, whole ones as int."""
    if type(value) is int and -9007199254740992 <= value <= 9007199254740992:
        return value
    if isinstance(value, bool):
        return int(value)
    try:
        value = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    if value.is_integer() and abs(value) < 1e21:
        return int(value) if abs(value) < 1e15 else int(Decimal(repr(value)))
    return value


def number_of_text(text: str) -> float | int | None:
    """Read a number as JavaScript's `Number(text)`; None: not a number."""
    text = text.strip(JS_SPACE)
    if not text:
        return 0
    if _NUMBER.fullmatch(text):
        return number(int(text) if text.lstrip("+-").isdigit() and len(text) < 16 else float(text))  # type: ignore[no-any-return]
    if _RADIX.fullmatch(text):
        return number(int(text, 0))  # type: ignore[no-any-return]
    if text.lstrip("+-") == "Infinity" and len(text) <= 9:
        return -math.inf if text[0] == "-" else math.inf
    return None


def text_of_number(value: float) -> str:
    """Write a number as JavaScript's `String(number)`."""
    value = number(value)
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def text_of(value: Json) -> str | None:
    """Write a value as JavaScript's `String(value)`; None for objects, whose text nobody wants."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return text_of_number(value)
    if isinstance(value, list):
        return ",".join("" if one is None else text_of(one) or "" for one in value)
    return None


def cast_number(value: Json) -> Json:
    """Cast to Number."""
    if value is None or (type(value) is int and -9007199254740992 <= value <= 9007199254740992):
        return value
    if isinstance(value, int | float):
        return number(value)
    if value == "":
        return None
    result = number_of_text(value) if isinstance(value, str) else None
    if result is None:
        raise CastFailure("Number", value)
    return result


def cast_string(value: Json) -> Json:
    """Cast to String."""
    if value is None or isinstance(value, str):
        return value
    text = text_of(value)
    if text is None or (isinstance(value, list) and any(isinstance(one, dict) for one in value)):
        raise CastFailure("String", value)
    return text


def cast_boolean(value: Json) -> Json:
    """Cast to Boolean: all but a few spellings of false is true."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | dict):
        return True
    return value not in (0, "0", "false", "")


def cast_date(value: Json) -> Json:
    """Cast to Date: the ISO text with milliseconds, in UTC."""
    if value is None or value == "":
        return None
    if isinstance(value, list):
        value = text_of(value)
    ms: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        ms = float(value)
    elif isinstance(value, str):
        plain = number_of_text(value) if value.strip() else None
        ms = float(plain) if plain is not None and text_of_number(plain) == value else ms_of_date(value)
    if ms is None or not abs(ms) <= _LAST_MS:
        raise CastFailure("Date", value)
    return date_of_ms(int(ms))


def cast_object_id(value: Json) -> Json:
    """Cast to ObjectId; an object stands for its `_id`."""
    if value is None:
        return None
    if isinstance(value, dict) and "_id" in value:
        value = value["_id"]
    if isinstance(value, str):
        if _HEX_ID.fullmatch(value):
            return value.lower()
        raw = value.encode("utf-8", "surrogatepass")
        if len(raw) == 12:
            return raw.hex()
    raise CastFailure("ObjectID", value)


def cast_ip_address(value: Json) -> Json:
    """Cast to IpAddress: the object of six keys."""
    if value is None or value == "":
        return None
    if isinstance(value, dict) and set(value) == set(_IP_KEYS):
        return {key: value[key] for key in _IP_KEYS}
    if isinstance(value, str) and "%" not in value:
        try:
            return _ip_object(value)
        except ValueError:
            pass
    raise CastFailure("undefined", value)


_IP_KEYS = ("ip_address", "version", "cidr", "network", "broadcast", "subnet_mask")


def _ip_object(text: str) -> dict[str, Json]:
    address, slash, prefix = text.partition("/")
    if slash and not (prefix.isascii() and prefix.isdigit()):
        raise ValueError(text)
    network = ipaddress.ip_interface(text).network
    return {
        "ip_address": address,
        "version": f"v{network.version}",
        "cidr": network.prefixlen,
        "network": network.network_address.exploded,
        "broadcast": network.broadcast_address.exploded,
        "subnet_mask": network.netmask.exploded,
    }


def cast_buffer(value: Json) -> Json:
    """Cast to Buffer: the object that Node.js prints for one."""
    if value is None:
        return None
    if isinstance(value, dict) and value.get("type") == "Buffer" and isinstance(value.get("data"), list):
        value = value["data"]
    if isinstance(value, str):
        return {"type": "Buffer", "data": list(value.encode("utf-8", "surrogatepass"))}
    if isinstance(value, list) and all(type(one) is int for one in value):
        return {"type": "Buffer", "data": [one & 255 for one in value]}
    raise CastFailure("Buffer", value)


def cast_decimal(value: Json) -> Json:
    """Cast to Decimal128: the object that the database's driver prints for one."""
    if value is None:
        return None
    if isinstance(value, dict) and isinstance(value.get("$numberDecimal"), str):
        value = value["$numberDecimal"]
    text = text_of(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    if text is not None and _NUMBER.fullmatch(text):
        return {"$numberDecimal": text}
    raise CastFailure("Decimal128", value)


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
    """Read `Jan 2 2020 10:00`, `2 January 2020`, `Thu, 02 Jan 2020 03:04:05 GMT` and the like."""
    if re.fullmatch(r"[A-Za-z]{3,9}\.?,? \d{1,2},? \d{4}.*", text):  # month first: as mail has it, day first
        month, day, rest = text.replace(",", " ").replace(".", " ").split(maxsplit=2)
        if month[:3].title() in _MONTHS:
            text = f"{day} {month[:3]} {rest}"
    try:
        moment = parsedate_to_datetime(re.sub(r"\b([A-Za-z]{3})[a-z]*\b", r"\1", text))
    except (ValueError, TypeError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
    """Days since 1970 in the proleptic Gregorian calendar, for any year."""
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
    """Give a text that sorts as the date does; the date itself in all years from 0 to 9999."""
    if text[:1] >= "0":
        return text
    if text.startswith("+"):
        return ":" + text
    return f"!{1_000_000 - int(text[1:7])}{text[7:]}" if text.startswith("-") else text


_counter = itertools.count(int.from_bytes(os.urandom(3), "big"))
_machine = os.urandom(5).hex()


def new_object_id() -> str:
    """Make an ObjectId: seconds, a random part per process, a counter."""
    return f"{int(time.time()):08x}{_machine}{next(_counter) & 0xFFFFFF:06x}"

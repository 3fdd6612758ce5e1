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
import os
import re
import time
from typing import Any

from sispy.sandbox.js.dates import date_of_ms, ms_of_date
from sispy.sandbox.js.numbers import NUMBER, number, number_of_text, text_of_number

Json = Any


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""An absent value, where null is a value."""

_HEX_ID = re.compile(r"[0-9a-fA-F]{24}")
_LAST_MS = 8_640_000_000_000_000


class CastFailure(Exception):  # noqa: N818 - no error of its own: the caller makes the text with its path
    """A value that its type does not take."""

    def __init__(self, kind: str, value: Json) -> None:
        super().__init__(kind, value)
        self.kind: str = kind
        self.value: Json = value

    def text(self, path: str) -> str:
        """Word it as the server does."""
        return f'Cast to {self.kind} failed for value {quoted(self.value)} at path "{path}"'


def quoted(value: Json) -> str:
    """Show a value in an error text: in double quotes, whatever it is."""
    text = inspect(value)
    return '"' + text[1:-1] + '"' if isinstance(value, str) else f'"{text}"'


_PLAIN_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_SHOWN_DEPTH = 2
_SHOWN_MEMBERS = 100


def inspect(value: Any, depth: int = 0) -> str:
    """Show a JSON value as Node.js's `util.inspect`: `{ a: [ 1, 'x' ] }`.

    Example:
        >>> inspect({"a": [1, None, "x"], "b-c": {"d": {"e": {}}}})
        "{ a: [ 1, null, 'x' ], 'b-c': { d: [Object] } }"
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(value, dict):
        if not value:
            return "{}"
        if depth >= _SHOWN_DEPTH:
            return "[Object]"
        shown = (
            f"{key if _PLAIN_NAME.fullmatch(key) else inspect(key)}: {inspect(one, depth + 1)}"
            for key, one in value.items()
        )
        return f"{{ {', '.join(shown)} }}"
    if isinstance(value, list):
        if not value:
            return "[]"
        if depth > _SHOWN_DEPTH:
            return "[Array]"
        members = [inspect(one, depth + 1) for one in value[:_SHOWN_MEMBERS]]
        if len(value) > _SHOWN_MEMBERS:
            members.append(f"... {len(value) - _SHOWN_MEMBERS} more items")
        return f"[ {', '.join(members)} ]"
    return text_of_number(value)


def text_of(value: Json) -> str | None:
    """Write a value as JavaScript's `String(value)`; None for objects."""
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
    if text is not None and NUMBER.fullmatch(text):
        return {"$numberDecimal": text}
    raise CastFailure("Decimal128", value)


_counter = itertools.count(int.from_bytes(os.urandom(3), "big"))
_machine = os.urandom(5).hex()


def new_object_id() -> str:
    """Make an ObjectId: seconds, a random part per process, a counter."""
    return f"{int(time.time()):08x}{_machine}{next(_counter) & 0xFFFFFF:06x}"

"""Python values as a SIS server reads them: ids in paths, query strings, JSON bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

_LISTS = ("fields", "sort", "populate")
_NO_QUERY = "a query is a dict such as {'q': {...}, 'limit': 10}"


_PORTS = {"http": 80, "https": 443}


def one_address(url: str) -> str:
    """Return a server's address in its one spelling; what is no address stays as it is.

    >>> one_address("HTTPS://SIS.example.com:443/cmdb/")
    'https://sis.example.com/cmdb'
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    if not host:
        return url.rstrip("/")
    user, at, _ = parts.netloc.rpartition("@")
    netloc = f"{user}{at}{f'[{host}]' if ':' in host else host}"
    netloc += "" if port in (None, _PORTS.get(parts.scheme)) else f":{port}"
    return parts._replace(netloc=netloc).geturl().rstrip("/")


def token_text(token: str, named: str) -> str:
    """Return a token as a header holds it.

    Raises:
        ValueError: It is none; the error calls it what `named` says, and does not show it.
    """
    if not (token.isascii() and token.isprintable()):  # http.client's own error would show it
        raise ValueError(f"{named} holds a line end or another character that no token has")
    return token


def path_part(name: str, value: object) -> str:
    """Percent-encode one part of a path.

    Raises:
        ValueError: The value is empty: the path would address the whole collection.
    """
    text = "" if value is None else str(value)
    if not text:
        raise ValueError(f"{name} must not be empty, got {value!r}")
    # a path of only dots would be walked up by clients and proxies
    return text.replace(".", "%2E") if text.strip(".") == "" else quote(text, safe="")


def milliseconds(when: datetime | int | float) -> int:
    """Return the time in milliseconds since 1970 (UTC), as SIS counts.

    Raises:
        ValueError: It is a datetime without a time zone, or no time at all.
    """
    if isinstance(when, datetime):
        return round(_aware(when).timestamp() * 1000)
    try:
        return int(when)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a time is a datetime or milliseconds since 1970, got {when!r}") from None


def iso(when: date) -> str:
    """Return a date or datetime the way the server writes it: UTC, milliseconds and Z."""
    if not isinstance(when, datetime):
        return when.isoformat()
    return _aware(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _aware(when: datetime) -> datetime:
    # pandas' NaT is a datetime, and unequal to itself
    if when.tzinfo is None or when != when:
        raise ValueError(f"{when!r} has no time zone; say it, such as .replace(tzinfo=timezone.utc)")
    return when


def query_string(query: Mapping[str, Any] | None) -> str:
    """Return the query as `?name=value&...`, empty for None or an empty dict; the dict stays as it is.

    None values are left out, True and False become `true` and `false`, lists of names are joined by
    commas, dicts (`q`, `cas`) become JSON, times are written as the server compares them.

    Raises:
        TypeError: The query is not a mapping.
        ValueError: A value has no JSON form (NaN, a datetime without time zone, ...).
    """
    if query is None:
        return ""
    if not isinstance(query, Mapping):
        raise TypeError(f"{_NO_QUERY}, got {type(query).__name__}")
    pairs = [
        f"{_quoted(str(name))}={_quoted(_value(name, value))}"
        for name, value in query.items()
        if value is not None
    ]
    return "?" + "&".join(pairs) if pairs else ""


_quoted = lru_cache(maxsize=64)(quote_plus)  # a request for each row has the same options again


def _value(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if name in _LISTS and isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json_text(_times(value))
    if isinstance(value, date):
        return str(milliseconds(value)) if isinstance(value, datetime) else iso(value)
    return str(value)


def _times(value: Any, *, meta: bool = False) -> Any:
    """Write the times of a query: milliseconds below `_sis` and in commits, ISO text elsewhere."""
    if isinstance(value, Mapping):
        return {key: _times(item, meta=meta or _counts_ms(str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_times(item, meta=meta) for item in value]
    if meta and isinstance(value, datetime):
        return milliseconds(value)
    return value


def _counts_ms(path: str) -> bool:
    return path == "date_modified" or "_sis" in path.split(".")


def json_text(value: Any) -> str:
    """Return the value as JSON; datetimes as ISO text, numpy scalars as what they hold.

    Raises:
        ValueError: NaN or infinity, which are no JSON, or a datetime without time zone.
        TypeError: A value without a JSON form.
    """
    try:
        return json.dumps(value, default=_default, allow_nan=False, separators=(",", ":"))
    except ValueError as exc:
        if "JSON compliant" in str(exc):
            raise ValueError("NaN and infinity are not JSON: send None for an empty value") from exc
        raise


def _default(value: Any) -> Any:
    if isinstance(value, date):
        return iso(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    item = getattr(value, "item", None)  # numpy's scalars
    if callable(item):
        return item()
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")

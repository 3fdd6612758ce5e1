"""What the client said: path, query string and body of a request, as the server understands them."""

from __future__ import annotations

import asyncio
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_to_bytes

from sispy.sandbox.js.json import decode
from sispy.sandbox.js.numbers import index_of
from sispy.sandbox.sis.errors import Bad, Internal

if TYPE_CHECKING:
    from sispy.sandbox.sis.writes import Window

PREFIX = ["api", "v1.1"]
BODY_LIMIT = 10 * 1024 * 1024
HEAD_LIMIT = 16 * 1024
"""URL and headers together; more is 431."""

_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_DEPTH = 5
"""How many brackets of a parameter's name count; what follows is one name more."""
_LAST_INDEX = 20
"""Greater numbers in brackets are names."""
_PARAMETERS = 1000
_INTEGER = re.compile(r"\s*([+-]?\d+)")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


async def _yield(item: str | None) -> None:  # noqa: ARG001  # a window that everybody may use
    """Let other requests go on."""
    await asyncio.sleep(0)


@dataclass
class Request:
    """One request: its method, the decoded segments of its path, its parameters and headers."""

    method: str
    target: str
    segments: list[str] | None
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any = None
    """The JSON of the body; None if there is none that the server takes."""
    window: Window = _yield

    def text(self, name: str) -> str | None:
        """Return the value of a parameter that was given once, as text."""
        value = self.query.get(name)
        return value if isinstance(value, str) else None

    def integer(self, name: str) -> int:
        """Return the leading integer of a parameter, of its first value if it is repeated; 0 without one."""
        value = self.query.get(name)
        if isinstance(value, list):
            value = value[0]
        found = _INTEGER.match(value) if isinstance(value, str) else None
        return int(found[1][:18]) if found else 0


def parse(method: str, raw_path: bytes, query: bytes, headers: dict[str, str]) -> Request:
    """Parse the head of a request.

    The path's segments are None for a path that no route has; Internal is raised for bad percent codes.
    """
    target = raw_path.decode("latin-1")
    return Request(method, target, _segments(raw_path), _parameters(query), headers)


def _segments(raw_path: bytes) -> list[str] | None:
    parts = raw_path.split(b"/")[1:]
    if parts and not parts[-1]:
        parts.pop()
    if not all(parts):
        return None
    segments = []
    for part in parts:
        if b"%" in part and _BROKEN_PERCENT.search(part):
            raise Internal(f"URIError: Failed to decode param '{part.decode('latin-1')}'")
        try:
            segments.append(unquote_to_bytes(part).decode())
        except UnicodeDecodeError as error:
            raise Internal("URIError: Failed to decode param") from error
    if [segment.lower() for segment in segments[:2]] != PREFIX:
        return None
    return segments[2:]


class _Array(dict[int, Any]):
    """An array with holes, while it is put together."""

    def push(self, value: Any) -> None:
        self[max(self, default=-1) + 1] = value


def _parameters(query: bytes) -> dict[str, Any]:
    """Return parameters by name: repeated ones as lists, `q[n]=3` an object, `q[n][0]=3` with an array."""
    given: dict[str, Any] = {}
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None)
    for name, value in pairs[:_PARAMETERS]:
        if name not in given:
            given[name] = value
        elif isinstance(given[name], _Array):
            given[name].push(value)
        else:
            given[name] = _Array({0: given[name], 1: value})
    found: dict[str, Any] = {}
    for name, value in given.items():
        brackets = _BRACKETS.fullmatch(name)
        if brackets is None:
            found[name] = _merged(found[name], value) if name in found else value
            continue
        keys = re.findall(r"\[([^\[\]]*)\]", brackets[2])
        if keys[_DEPTH:]:
            keys[_DEPTH:] = ["[" + "][".join(keys[_DEPTH:]) + "]"]
        for key in reversed(keys):
            value = _held(key, value)
        found[brackets[1]] = _merged(found[brackets[1]], value) if brackets[1] in found else value
    return {name: _compact(value) for name, value in found.items()}


def _held(key: str, value: Any) -> Any:
    """Return what brackets make of a value: an array for `[]` and small numbers, else an object."""
    if key == "":
        return value if isinstance(value, _Array) else _Array({0: value})
    index = index_of(key)
    if index is None or index > _LAST_INDEX or str(index) != key:
        return {key: value}
    return _Array({index: value})


def _merged(target: Any, source: Any) -> Any:
    """Put together what two parameters say of one name."""
    if not isinstance(source, dict):
        if isinstance(target, _Array):
            target.push(source)
        elif isinstance(target, dict):
            target[source] = True
        else:
            return _Array({0: target, 1: source})
        return target
    if not isinstance(target, dict):
        members = source.values() if isinstance(source, _Array) else [source]
        return _Array(enumerate([target, *members]))
    both = isinstance(target, _Array) and isinstance(source, _Array)
    if isinstance(target, _Array) and not both:
        target = {str(index): value for index, value in target.items()}
    for key, value in source.items():
        key = key if both else str(key)
        if key not in target:
            target[key] = value
        elif both and not isinstance(target[key], dict):
            target.push(value)
        else:
            target[key] = _merged(target[key], value)
    return target


def _compact(value: Any) -> Any:
    if isinstance(value, _Array):
        return [_compact(value[index]) for index in sorted(value)]
    if isinstance(value, dict):
        return {name: _compact(one) for name, one in value.items()}
    return value


def parse_body(headers: dict[str, str], content: bytes, limit: int = BODY_LIMIT) -> Any:
    """Return the JSON of a body, None if there is none or its type is another.

    Raises:
        Internal: The body is too large, its encoding or charset is not supported.
        Bad: It is no JSON object or array.
    """
    kind, _, parameters = headers.get("content-type", "").partition(";")
    if not content or kind.strip().lower() != "application/json":
        return None
    charset = _CHARSET.search(parameters)
    if charset and charset[1].lower() not in {"utf-8", "utf8"}:
        raise Internal(f'UnsupportedMediaTypeError: unsupported charset "{charset[1].upper()}"')
    content = _inflate(headers.get("content-encoding", "identity").strip().lower(), content, limit)
    if not content:
        return None
    try:
        body = decode(content)
    except (ValueError, RecursionError) as error:
        raise Bad("Invalid JSON") from error
    if not isinstance(body, dict | list):
        raise Bad("Invalid JSON")
    return body


def _inflate(coding: str, content: bytes, limit: int) -> bytes:
    if coding in {"gzip", "deflate"}:
        engine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            content = engine.decompress(content, limit + 1)
        except zlib.error as error:
            raise Bad("Invalid JSON") from error
        if not engine.eof and len(content) <= limit:
            raise Bad("Invalid JSON")  # its end is missing
    elif coding != "identity":
        raise Internal(f'UnsupportedMediaTypeError: unsupported content encoding "{coding}"')
    if len(content) > limit:
        raise Internal("PayloadTooLargeError: request entity too large")
    return content.removeprefix(b"\xef\xbb\xbf")

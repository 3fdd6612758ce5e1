"""What the client said: path, query string and body of a request, as the server understands them."""

from __future__ import annotations

import asyncio
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_to_bytes

from sispy.sandbox.js.json import decode
from sispy.sandbox.sis.errors import Bad, Internal

if TYPE_CHECKING:
    from sispy.sandbox.sis.writes import Window

PREFIX = ["api", "v1.1"]
BODY_LIMIT = 10 * 1024 * 1024
HEAD_LIMIT = 16 * 1024
"""URL and headers together; more is 431."""

_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
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
        """The value of a parameter that was given once, as text."""
        value = self.query.get(name)
        return value if isinstance(value, str) else None

    def integer(self, name: str) -> int:
        """The leading integer of a parameter, 0 if there is none; the first value if it is repeated."""
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


def _parameters(query: bytes) -> dict[str, Any]:
    """Parameters by name; repeated ones are lists, `q[n]=3` is an object of texts."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None):
        brackets = _BRACKETS.fullmatch(name)
        if brackets:
            _nest(found, [brackets[1], *re.findall(r"\[([^\[\]]*)\]", brackets[2])[:5]], value)
        elif name not in found:
            found[name] = value
        else:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), value]
    return found


def _nest(found: dict[str, Any], path: list[str], value: str) -> None:
    for key in path[:-1]:
        inner = found.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = found[key] = {}
        found = inner
    found[path[-1]] = value


def parse_body(headers: dict[str, str], content: bytes, limit: int = BODY_LIMIT) -> Any:
    """Return the JSON of a body, None if there is none or its type is another.

    Raises:
        Internal: the body is too large, its encoding or charset is not supported.
        Bad: it is no JSON object or array.
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

"""What the server says over HTTP: JSON, errors as JSON, HTML for unknown routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.json import encode
from sispy.sandbox.sis.errors import SisError

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_TYPE = "application/json; charset=utf-8"
STREAMED_TYPE = "application/json"
STREAMED_FROM = 100
"""Lists of so many items are sent in chunks, without a length."""


@dataclass(frozen=True)
class Answer:
    """An answer: status, body and the headers beyond those that every answer has."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False
    cors: bool = True
    cut: bool = False
    """Whether the connection breaks in the middle of the body."""


class Foreign(SisError):
    """421, 403: a request that a page of somebody else made, or may have made."""

    code = 1004
    prefix = "Unauthorized. "

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with one JSON value."""
    return Answer(status, encode(value), {"content-type": JSON_TYPE, **(headers or {})})


def list_answer(items: list[bytes], headers: Mapping[str, str]) -> Answer:
    """Answer with a list of encoded items; long ones are streamed."""
    body = b"[" + b",".join(items) + b"]"
    if len(items) < STREAMED_FROM:
        return Answer(200, body, {"content-type": JSON_TYPE, **headers})
    return Answer(
        200, body, {"content-type": STREAMED_TYPE, "x-accel-buffering": "no", **headers}, streamed=True
    )


def error_answer(error: SisError, headers: Mapping[str, str] | None = None, *, cors: bool = True) -> Answer:
    """Answer with an error."""
    return Answer(error.status, encode(error.body), {"content-type": JSON_TYPE, **(headers or {})}, cors=cors)


def html_answer(method: str, path: str) -> Answer:
    """Answer that there is no such route."""
    page = f"<!DOCTYPE html><html><body><pre>Cannot {escape(method)} {escape(path)}</pre></body></html>\n"
    return Answer(404, page.encode(), {"content-type": "text/html; charset=utf-8"})

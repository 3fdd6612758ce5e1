"""What the server says: answers, and the errors that become answers.

The shapes are those of the contract: `{"error", "code"}` for regular errors, the raw exception of the
database for some 500s, `{}` for a few others, HTML for unknown routes, nothing for what HTTP itself refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.json import encode

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


class SisError(Exception):
    """An error that is told to the client as status, code and text."""

    status = 500
    code = 1002
    prefix = "Internal error "

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.prefix}{text}")

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the error."""
        return {"error": str(self), "code": self.code}

    @property
    def entry(self) -> list[Any]:
        """The error within the results of a bulk operation; 401 and 500 have a third member."""
        short = [self.status, self.body]
        return [*short, str(self)] if self.status in {401, 500} else short


class Internal(SisError):
    """500: duplicate keys, version conflicts, unverifiable references, bodies too large."""


class Missing(SisError):
    """404: the object, its schema, the user or the token does not exist."""

    status = 404
    code = 1000
    prefix = ""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name} does not exist")


class Bad(SisError):
    """400: the request cannot be carried out as it is."""

    status = 400
    code = 1001
    prefix = "Bad request: "


class Denied(SisError):
    """401: not permitted, not logged in, locked or immutable."""

    status = 401
    code = 1004
    prefix = "Unauthorized. "


class Foreign(SisError):
    """421, 403: a request that a page of somebody else made, or may have made."""

    code = 1004
    prefix = "Unauthorized. "

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Raw(SisError):
    """500 with the exception of the database as it is, without the key `error`."""

    def __init__(self, name: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.raw = {"name": name, "message": message, **details}

    @property
    def body(self) -> dict[str, Any]:
        """The database's own object."""
        return self.raw


class Empty(SisError):
    """500 with the body `{}`."""

    @property
    def body(self) -> dict[str, Any]:
        """Nothing but an empty object."""
        return {}


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

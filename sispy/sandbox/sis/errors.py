"""What the server refuses, as status, code and text.

The bodies are those of the contract: `{"error", "code"}` for regular errors, the raw exception of the
database for some 500s, `{}` for a few others.
"""

from __future__ import annotations

from typing import Any


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


class Unserved(SisError):
    """501: what a sandbox leaves out on purpose."""

    status = 501
    prefix = ""


class Raw(SisError):
    """500 with the exception of the database as it is, without the key `error`."""

    def __init__(self, name: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.raw: dict[str, Any] = {"name": name, "message": message, **details}

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

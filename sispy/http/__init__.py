"""HTTP by requests or by the standard library: the only place that opens sockets.

A handler does one exchange and nothing else: no retry, no redirect, no decoding of JSON. Every thread has a
connection of its own, so any number of them may share a handler.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .base import IDLE_SECONDS, Answer, Handler, Request
from .by_requests import RequestsHandler
from .stdlib import StdlibHandler

if TYPE_CHECKING:
    import os

__all__ = [
    "HTTP_LIB", "IDLE_SECONDS", "Answer", "Handler", "Request", "RequestsHandler", "StdLibHandler",
    "StdlibHandler", "get_handler", "urlencode",
]  # fmt: skip

HTTP_LIB = "requests" if find_spec("requests") else "stdlib"
"""Which library new clients use: "requests" or "stdlib"."""

StdLibHandler = StdlibHandler  # its name in sispy 1.1


def get_handler(
    http_keep_alive: bool = True, *, verify: bool | str | os.PathLike[str] | None = None
) -> Handler:
    """Return a handler of the library that `HTTP_LIB` names.

    Args:
        http_keep_alive: False opens a connection for every request.
        verify: What to trust, see `sispy.Client`.
    """
    if HTTP_LIB == "stdlib":
        return StdlibHandler(http_keep_alive, verify=verify)
    return RequestsHandler(http_keep_alive, verify=verify)

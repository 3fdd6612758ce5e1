"""HTTP where requests is installed: its exceptions, its proxies, and for all else the standard library.

A small request takes http.client a third of the time that it takes requests.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from .. import errors
from .base import Answer, Handler, Request, origin_of, proxy_for
from .stdlib import StdlibHandler

if TYPE_CHECKING:
    import os


class RequestsHandler:
    """Raise the exceptions of requests; requests itself sends what goes by a proxy alone."""

    def __init__(
        self, http_keep_alive: bool = True, *, verify: bool | str | os.PathLike[str] | None = None
    ) -> None:
        self._direct = StdlibHandler(http_keep_alive, verify=verify)
        self._proxied = functools.cache(functools.partial(_proxied, http_keep_alive, verify))
        self._proxy = functools.lru_cache(maxsize=8)(proxy_for)

    def send(self, request: Request, *, timeout: tuple[float, float]) -> Answer:
        """Send the request and read the answer; see `Handler.send`."""
        handler = self._proxied() if self._proxy(origin_of(request.uri)) else self._direct
        try:
            return handler.send(request, timeout=timeout)
        except errors.NoAnswer as exc:
            failure = exc
        raise _as_requests(failure) from failure.__cause__

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        self._direct.close()
        if self._proxied.cache_info().currsize:
            self._proxied().close()


def _as_requests(failure: errors.NoAnswer) -> errors.Error:
    try:
        from .of_requests import as_requests
    except (ImportError, OSError):  # no file can be opened any more: that may be why it failed
        return failure
    return as_requests(failure)


def _proxied(http_keep_alive: bool, verify: bool | str | os.PathLike[str] | None) -> Handler:
    from .of_requests import ProxyHandler

    return ProxyHandler(http_keep_alive, verify=verify)

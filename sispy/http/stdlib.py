"""HTTP by the standard library's http.client, with connections that stay open between requests."""

from __future__ import annotations

import contextlib
import http.client
import weakref
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..failures import no_answer
from ..response import Headers
from .base import (
    Answer,
    PatientResponse,
    Request,
    Wires,
    body_from,
    body_of,
    headers_of,
    origin_of,
    proxy_authorization,
    proxy_for,
)
from .tls import context, readable, trust

if TYPE_CHECKING:
    import os


class StdlibHandler:
    """Do HTTP with http.client."""

    def __init__(
        self, http_keep_alive: bool = True, *, verify: bool | str | os.PathLike[str] | None = None
    ) -> None:
        self.http_keep_alive = http_keep_alive
        self._trusted = trust(verify)
        self._wires = Wires(_Lines, _Lines.close)

    def send(self, request: Request, *, timeout: tuple[float, float]) -> Answer:
        """Send the request and read the answer; see `Handler.send`."""
        url = urlsplit(request.uri)
        origin = origin_of(request.uri)
        lines = self._wires.get()
        sent, seconds = False, timeout[0]
        try:
            line, proxy = lines.get(origin, self._trusted)
            line.timeout = timeout[0]
            if line.sock is None:
                line.connect()
            sent, seconds = True, timeout[1]
            line.sock.settimeout(timeout[1])
            headers = headers_of(request, keep_alive=self.http_keep_alive)
            if proxy:  # it wants the whole address
                target = request.uri
                headers |= proxy_authorization(proxy)
            else:
                target = (url.path or "/") + ("?" + url.query if url.query else "")
            answer = _exchange(line, request, target, headers)
            self._wires.used(answer.headers)
        except (OSError, http.client.HTTPException) as exc:
            lines.close()
            cause = exc
        except BaseException:
            lines.close()  # interrupted: the server need not go on; no later request would use them
            raise
        else:
            return answer
        raise no_answer(cause, origin, sent=sent, seconds=seconds, proxy=proxy_for(origin)) from cause

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        self._wires.close()


def _exchange(
    line: http.client.HTTPConnection, request: Request, target: str, headers: dict[str, str]
) -> Answer:
    with contextlib.suppress(BrokenPipeError):  # a server may answer before it has read a large body
        line.request(request.method, target, body=body_of(request), headers=headers)
    with contextlib.closing(line.getresponse()) as answer:
        read = Headers(answer.getheaders())
        body = body_from(answer.read, read, has_body=request.method != "HEAD")
    if answer.will_close:
        line.close()
    return Answer(answer.status, answer.reason, read, body)


class _Lines:
    """Hold a thread's connections, one per origin."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[http.client.HTTPConnection, str]] = {}
        weakref.finalize(self, _close, self._open)  # when its thread or its client has gone

    def get(self, origin: str, trusted: bool | str) -> tuple[http.client.HTTPConnection, str]:
        """Return the connection, and the proxy that wants whole addresses ("" without one)."""
        if origin not in self._open:
            self._open[origin] = _connection(origin, trusted)
        line, proxy = self._open[origin]
        if line.sock is not None and readable(line.sock):  # readable without a question: the server closed it
            line.close()
        return line, proxy

    def close(self) -> None:
        """Close the connections and forget them: a closed one may hold half a request, and would send it."""
        _close(self._open)


def _close(lines: dict[str, tuple[http.client.HTTPConnection, str]]) -> None:
    while lines:
        _, (line, _) = lines.popitem()
        line.close()


def _connection(origin: str, trusted: bool | str) -> tuple[http.client.HTTPConnection, str]:
    url, proxy = urlsplit(origin), proxy_for(origin)
    place = urlsplit(proxy) if proxy else url
    if proxy and (place.scheme != "http" or not place.hostname):
        raise OSError(
            f"the standard library speaks to http:// proxies only, not {place.scheme}://; install requests"
        )
    line: http.client.HTTPConnection
    host = str(place.hostname)
    if url.scheme == "https":
        line = http.client.HTTPSConnection(host, place.port, context=context(trusted))
    else:
        line = http.client.HTTPConnection(host, place.port)
    line.response_class = PatientResponse
    if not proxy or url.scheme == "http":
        return line, proxy
    line.set_tunnel(str(url.hostname), url.port or 443, headers=proxy_authorization(proxy))
    return line, ""

"""What requests itself does and raises: what goes by a proxy, and its exceptions.

This module needs requests, which takes a tenth of a second to import: it is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from .. import errors
from ..failures import no_answer
from ..response import Headers
from ..text import mask_path, printable
from .base import (
    Answer,
    PatientResponse,
    Request,
    Wires,
    body_from,
    body_of,
    headers_of,
    origin_of,
    proxy_for,
)
from .tls import context, trust

if TYPE_CHECKING:
    import os

_NO_CONNECTION = urllib3.exceptions.NewConnectionError
_NEVER_SENT = (_NO_CONNECTION, urllib3.exceptions.ConnectTimeoutError, ssl.SSLCertVerificationError)


class _OfRequests:
    """The attributes that all exceptions of requests have."""

    request: Any = None
    response: Any = None


class Refused(_OfRequests, errors.Refused, requests.exceptions.ConnectionError):
    """`sispy.Refused` that is caught as requests' ConnectionError, too."""


class UnknownHost(_OfRequests, errors.UnknownHost, requests.exceptions.ConnectionError):
    """`sispy.UnknownHost` that is caught as requests' ConnectionError, too."""


class TLSFailed(_OfRequests, errors.TLSFailed, requests.exceptions.SSLError):
    """`sispy.TLSFailed` that is caught as requests' SSLError, too."""


class Timeout(
    _OfRequests, errors.Timeout, requests.exceptions.ConnectTimeout, requests.exceptions.ReadTimeout
):
    """`sispy.Timeout` that is caught as requests' timeouts, too."""


class ConnectionLost(_OfRequests, errors.ConnectionLost, requests.exceptions.ConnectionError):
    """`sispy.ConnectionLost` that is caught as requests' ConnectionError, too."""


_AS_REQUESTS = {kind.__name__: kind for kind in (Refused, UnknownHost, TLSFailed, Timeout, ConnectionLost)}
"""Name -> error that is one of requests, too: code written for sispy 1.1 catches those."""


def as_requests(error: errors.NoAnswer) -> errors.Error:
    """Return an error as one that is caught as an exception of requests, too."""
    kind = _AS_REQUESTS.get(type(error).__name__)
    return error if kind is None else errors.rebuilt(kind, error.__dict__)


class _Masked(logging.Filter):
    """Mask the tokens in the paths that urllib3 logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                printable(mask_path(item)) if isinstance(item, str) else item for item in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_Masked())


class ProxyHandler:
    """Do HTTP with requests, by the proxy of each address."""

    def __init__(
        self, http_keep_alive: bool = True, *, verify: bool | str | os.PathLike[str] | None = None
    ) -> None:
        self.http_keep_alive = http_keep_alive
        self._trusted = trust(verify)
        if self._trusted is False:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # it was asked for
        self._wires = Wires(functools.partial(_Adapter, self._trusted), _Adapter.close)
        self._proxy = functools.lru_cache(maxsize=8)(proxy_for)

    def send(self, request: Request, *, timeout: tuple[float, float]) -> Answer:
        """Send the request and read the answer; see `Handler.send`."""
        origin = origin_of(request.uri)
        prepared = _prepared(request, headers_of(request, keep_alive=self.http_keep_alive))
        adapter, proxy = self._wires.get(), self._proxy(origin)
        try:
            answer = adapter.send(
                prepared,
                stream=True,
                timeout=timeout,
                verify=self._trusted is not False,
                proxies={urlsplit(origin).scheme: proxy},
            )
            result = _read(answer, request.method)
            self._wires.used(result.headers)
        except (OSError, urllib3.exceptions.HTTPError) as exc:  # requests' exceptions are OSErrors
            adapter.close()
            cause, sent = _root(exc)
        except BaseException:
            adapter.close()  # interrupted: the server need not go on; no later request would use it
            raise
        else:
            return result
        # requests' own texts quote the path, where a token may stand: only what the socket said goes on
        raise no_answer(cause, origin, sent=sent, seconds=timeout[1 if sent else 0], proxy=proxy) from cause

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        self._wires.close()


class _Line(urllib3.connection.HTTPConnection):
    response_class = PatientResponse


class _SecureLine(urllib3.connection.HTTPSConnection):
    response_class = PatientResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Line


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureLine


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Connect with the given trust and nothing of requests' own certificates."""

    def __init__(self, trusted: bool | str) -> None:
        self._trusted = trusted
        super().__init__(pool_connections=4, pool_maxsize=1)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=context(self._trusted), **kwargs)
        if not proxy.lower().startswith("socks"):  # those have pools of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the certificates to the SSL context."""


def _prepared(request: Request, headers: dict[str, str]) -> requests.PreparedRequest:
    # prepare() would unquote parts of the path and cost as much as all the rest
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, request.uri, body_of(request)
    prepared.headers = CaseInsensitiveDict(headers)
    if prepared.body is not None or request.method in ("POST", "PUT"):
        prepared.headers["Content-Length"] = str(len(prepared.body or b""))
    return prepared


def _read(answer: requests.Response, method: str) -> Answer:
    with contextlib.closing(answer.raw) as raw:  # what is not read to its end must not stay open
        headers = Headers(raw.headers.iteritems())
        read = functools.partial(raw.read, decode_content=False)
        body = body_from(read, headers, has_body=method != "HEAD")
        raw.release_conn()
    return Answer(answer.status_code, answer.reason or "", headers, body)


def _root(exc: BaseException) -> tuple[BaseException, bool]:
    """Unwrap to what the socket said; and say whether the request may have been sent."""
    sent = True
    while True:
        if isinstance(exc, _NEVER_SENT):
            sent = False
        # NewConnectionError is a kind of timeout to urllib3, whatever its reason
        if isinstance(exc, urllib3.exceptions.TimeoutError) and not isinstance(exc, _NO_CONNECTION):
            return TimeoutError(), sent
        candidates = (getattr(exc, "reason", None), *exc.args, exc.__cause__, exc.__context__)
        inner = next((item for item in candidates if isinstance(item, BaseException)), None)
        if inner is None:
            return exc, sent
        exc = inner

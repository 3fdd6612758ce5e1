"""Which error a failure is: from what the socket said, or from the status and body of an answer."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import errors
from .text import as_object, excerpt, mask, mask_deep, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUST_HINT = (
    "name your company's CA file with Client(verify=FILE), the environment variable SIS_CA_FILE, "
    "REQUESTS_CA_BUNDLE or SSL_CERT_FILE, or in the profile: `sispy login --ca FILE`"
)


_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
"""What OpenSSL says of an answer that is not TLS."""
_OTHER_NAME = (62, 64)
"""OpenSSL's codes for a host's name, and an address, that the certificate does not hold."""
_EXPIRED = 10


class TooLargeError(OSError):
    """An answer is larger than any that is expected; asked again it would be no smaller."""


def no_answer(
    cause: BaseException, where: str, *, sent: bool, seconds: float | None = None, proxy: str = ""
) -> errors.NoAnswer:
    """Turn what the socket said into a NoAnswer.

    Args:
        cause: The exception of the socket, of http.client or of requests, unwrapped.
        where: Scheme, host and port.
        sent: Whether the request may have reached the server.
        seconds: The time limit in force, for the message.
        proxy: The address of the proxy in between, "" without one.
    """
    where = came_from(where, proxy)
    if isinstance(cause, socket.gaierror):
        return errors.UnknownHost(f"{where}: the host's name has no address ({cause.strerror})", sent=False)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return errors.TLSFailed(f"{where}: {_distrusted(cause)}", sent=False)
    if isinstance(cause, TooLargeError):
        return errors.NoAnswer(f"{where}: {cause}", sent=sent)
    if isinstance(cause, TimeoutError):
        doing = "no complete answer" if sent else "no connection"
        limit = "" if seconds is None else f" within {seconds:g} s"
        return errors.Timeout(f"{where}: {doing}{limit}", sent=sent)
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        text = f"{where}: what answers there does not speak TLS; an address that begins with http:// may do"
        return errors.TLSFailed(text, sent=False)
    if isinstance(cause, ssl.SSLError) and not (sent and isinstance(cause, ssl.SSLEOFError)):
        return errors.TLSFailed(f"{where}: TLS failed ({cause.reason or cause}); {TRUST_HINT}", sent=sent)
    if not sent:
        return errors.Refused(f"{where}: cannot connect ({_words(cause)})", sent=False)
    lost, cut = _words(cause), isinstance(cause, http.client.IncompleteRead | ValueError)
    # a server that expects TLS ends a connection without it, and says no word
    hint = (
        ""
        if cut or not where.startswith("http://")
        else "; if it speaks TLS, its address begins with https://"
    )
    return errors.ConnectionLost(f"{where}: the connection was lost ({lost}){hint}", sent=True)


def came_from(origin: str, proxy: str) -> str:
    """Return in words whence an answer comes.

    Args:
        origin: Scheme, host and port of the server.
        proxy: The address of the proxy in between, "" without one; its password is left out.
    """
    if not proxy:
        return origin
    place = urlsplit(proxy)
    shown = f"{place.scheme}://{place.hostname or ''}" + (f":{place.port}" if place.port else "")
    without = f"NO_PROXY={urlsplit(origin).hostname} goes without it"
    return printable(f"{origin} through the proxy {shown} of the environment ({without})")


def _distrusted(cause: ssl.SSLCertVerificationError) -> str:
    """Return in words what is wrong with a certificate: its name, its time, or who vouches for it."""
    if cause.verify_code in _OTHER_NAME:
        return f"the server's certificate is for another name ({cause.verify_message}): use one that it holds"
    if cause.verify_code == _EXPIRED:
        return f"the server's certificate is out of date ({cause.verify_message})"
    return f"the server's certificate is not trusted ({cause.verify_message}); {TRUST_HINT}"


def _words(cause: BaseException) -> str:
    if isinstance(cause, http.client.IncompleteRead | ValueError):  # of urllib3
        return "the answer was cut off"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def bad_answer(
    status: int,
    body: bytes,
    *,
    reason: str = "",
    secrets: Iterable[str] = (),
    cas: bool = False,
    login: bool = False,
    sent_bytes: int = 0,
    location: str = "",
    path: str = "",
    by: str = "",
) -> errors.BadAnswer:
    """Build the error for an answer that is no success, whatever its shape (SIS-API 13.2).

    Args:
        status: The HTTP status.
        body: The undecoded answer; may be empty, HTML, or a raw database error.
        reason: The status line's words.
        secrets: Tokens to replace by `***`; the server's own texts quote them.
        cas: Whether the request carried a compare-and-set condition.
        login: Whether it was a login, where an unknown user is a 404.
        sent_bytes: Size of the uncompressed request body.
        location: Where a redirect points to.
        path: Of the request.
        by: Server and proxy, where a proxy may have answered in place of the server.
    """
    document = as_object(body)
    said = _said(document)
    if 300 <= status < 400:
        said = f"{status}: not following the redirect to {location or 'nowhere'}; is the client's url right?"
    elif not said:
        reason = reason or _phrase(status)
        said = f"{status} {reason}{by and f' from {by}'}: {excerpt(body) or _hint(status)}"
    if status == 404 and path.count("/api/v") > 1:
        said = f"{said}; is the path of the API, /api/v..., in the client's url? It is added to that"
    # a stack trace may follow the message: it helps nobody and names files of the server
    said = re.split(r"\n\s+at ", said, maxsplit=1)[0].strip()
    kind = _kind(status, said, cas=cas, login=login, sent_bytes=sent_bytes)
    return kind(
        printable(mask(said, secrets), lines=True), status, document.get("code"), mask_deep(document, secrets)
    )


def _said(document: dict[str, Any]) -> str:
    """Return the server's words in any of its JSON shapes, empty if there are none."""
    error = document.get("error")
    if error:
        return error if isinstance(error, str) else excerpt(repr(error).encode())
    message = document.get("message") or document.get("errmsg") or document.get("err")
    if not message:
        return ""
    name = document.get("name")
    return f"{name}: {message}" if name else str(message)


def _kind(status: int, said: str, *, cas: bool, login: bool, sent_bytes: int) -> type[errors.BadAnswer]:
    # texts decide only where status and code cannot: the server answers 400, 404 and 500 for unlike things
    if status in (401, 403) or (login and status == 404):
        return errors.Unauthorized
    if "E11000" in said or status == 409:
        return errors.DuplicateKey
    if status == 413 or (status == 500 and (sent_bytes > 10 * 2**20 or "PayloadTooLarge" in said)):
        return errors.PayloadTooLarge
    if (status == 400 and "x-auth-token" in said) or (status == 404 and said.startswith("sis_tokens ")):
        return errors.Unauthorized
    if status == 404:
        return errors.NotFound
    if status == 429:
        return errors.TooManyRequests
    if status >= 500 or status == 407:  # which a proxy alone says
        return errors.ServerError
    if status >= 400:
        return (
            errors.CASConflict if cas and status == 400 and "CAS update failed" in said else errors.BadRequest
        )
    return errors.Redirected if status >= 300 else errors.NotJSON


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _hint(status: int) -> str:
    if status == 431:
        return "the URL and headers are too long; split the query (URLs below 6 KB are safe)"
    return "the answer is empty"

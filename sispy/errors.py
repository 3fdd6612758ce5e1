"""What can go wrong between this program and a SIS server.

```
Error                      the root; what sispy 1.1 called Error
|-- NoAnswer               nothing usable came back; also an OSError. `sent`: may the request have arrived?
|   |-- Refused            nobody listens there, or no way leads there
|   |-- UnknownHost        the name has no address
|   |-- TLSFailed          the server's certificate is not trusted, or it does not speak TLS
|   |-- Timeout            no connection, or no (complete) answer, in time
|   `-- ConnectionLost     the connection broke
`-- BadAnswer              the server answered, but not with what was asked for
    |-- BadRequest         400 and the other refusals of a request as it is
    |   `-- CASConflict    the object no longer meets the compare-and-set condition
    |-- Unauthorized       no token, a dead token, a wrong password, or not allowed
    |-- NotFound           no such object, schema or address
    |-- DuplicateKey       the value of a unique field is taken
    |-- PayloadTooLarge    the body is above the server's limit
    |-- TooManyRequests    429
    |-- Redirected         a redirect that must not be followed
    |-- ServerError        500 and above
    `-- NotJSON            a success whose body is no JSON, such as a login page
```
"""

from __future__ import annotations

import re
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .text import as_object, excerpt, mask, mask_deep

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUST_HINT = (
    "name your company's CA file with Client(verify=FILE), the environment variable SIS_CA_FILE, "
    "REQUESTS_CA_BUNDLE or SSL_CERT_FILE, or ca_file in the profile"
)


class Error(Exception):
    """Describe a failure: the root of all errors this package raises about a server.

    Args:
        error: what happened, in words; never None.
        http_status_code: status of the answer, None without an answer.
        code: the server's own number (1000 to 1004), None if it gave none.
        response_dict: the JSON object the server sent, else empty.

    Example:
        >>> try:
        ...     client.entities("host").get("nowhere")
        ... except Error as error:
        ...     error.error, error.http_status_code, error.code
        ('host nowhere does not exist', 404, 1000)
    """

    def __init__(
        self,
        error: str,
        http_status_code: int | None = None,
        code: Any = None,
        response_dict: dict[str, Any] | None = None,
    ) -> None:
        self.error = error or "unknown error"
        self.http_status_code = http_status_code
        self.code = code
        self.response_dict = {} if response_dict is None else response_dict
        super().__init__(self.error)

    def __str__(self) -> str:
        return self.error

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.error!r}, http_status_code={self.http_status_code!r}, "
            f"code={self.code!r}, response_dict={self.response_dict!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException would call the class with args alone and OSError with two: build from the attributes
        return _rebuild, (type(self), self.__dict__.copy())


def _rebuild(kind: type[Error], attributes: dict[str, Any]) -> Error:
    error = kind.__new__(kind, attributes["error"])
    error.__dict__.update(attributes)
    error.args = (attributes["error"],)
    return error


class NoAnswer(Error, OSError):
    """Say that no usable answer came; `sent` is False only if the request certainly did not arrive.

    Example:
        >>> import sispy
        >>> try:
        ...     sispy.Client("http://127.0.0.1:1", retries=0).info()
        ... except NoAnswer as error:
        ...     type(error).__name__, error.sent
        ('Refused', False)
    """

    def __init__(self, error: str, *, sent: bool = True) -> None:
        super().__init__(error)
        self.sent = sent


class Refused(NoAnswer, ConnectionRefusedError):
    """Say that nobody listens at the address, or that no way leads there."""


class UnknownHost(NoAnswer):
    """Say that the host's name has no address."""


class TLSFailed(NoAnswer):
    """Say that no trusted TLS connection could be made."""


class Timeout(NoAnswer, TimeoutError):
    """Say that connecting, or the answer, took longer than allowed."""


class ConnectionLost(NoAnswer, ConnectionError):
    """Say that the connection broke before the answer was complete."""


class BadAnswer(Error):
    """Say that the server answered with something else than what was asked for.

    `retry_after` holds the seconds the server asks to wait, None if it does not say.

    Example:
        >>> try:
        ...     client.schemas.create({"name": "no spaces"})
        ... except BadAnswer as error:
        ...     type(error).__name__
        'BadRequest'
    """

    retry_after: float | None = None


class BadRequest(BadAnswer):
    """Say that the server refuses the request as it is: fields, values, query, references."""


class CASConflict(BadRequest):
    """Say that the object does not meet the compare-and-set condition (any more)."""


class Unauthorized(BadAnswer):
    """Say that the token is missing, dead or not sufficient, or that a login failed."""


class NotFound(BadAnswer):
    """Say that there is no such object, schema or address."""


class DuplicateKey(BadAnswer):
    """Say that another object holds the value of a unique field."""


class PayloadTooLarge(BadAnswer):
    """Say that the body is above the server's limit (10 MiB uncompressed)."""


class TooManyRequests(BadAnswer):
    """Say that the server, or a proxy before it, wants fewer requests."""


class Redirected(BadAnswer):
    """Say that the server redirects a write, or points to another host: the token must not go there."""


class ServerError(BadAnswer):
    """Say that the server, or a proxy before it, failed."""


class NotJSON(BadAnswer):
    """Say that a successful answer holds no JSON: a proxy's or login page, or a body cut short."""


def no_answer(cause: BaseException, where: str, *, sent: bool, seconds: float | None = None) -> NoAnswer:
    """Turn what the socket said into a NoAnswer.

    Args:
        cause: the exception of the socket, of http.client or of requests, unwrapped.
        where: scheme, host and port.
        sent: whether the request may have reached the server.
        seconds: the time limit in force, for the message.
    """
    if isinstance(cause, socket.gaierror):
        return UnknownHost(f"{where}: the host's name has no address ({cause.strerror})", sent=False)
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = f"{where}: the server's certificate is not trusted ({cause.verify_message}); {TRUST_HINT}"
        return TLSFailed(text, sent=False)
    if isinstance(cause, TimeoutError):
        doing = "no complete answer" if sent else "no connection"
        limit = "" if seconds is None else f" within {seconds:g} s"
        return Timeout(f"{where}: {doing}{limit}", sent=sent)
    if isinstance(cause, ssl.SSLError) and not (sent and isinstance(cause, ssl.SSLEOFError)):
        return TLSFailed(f"{where}: TLS failed ({cause.reason or cause}); {TRUST_HINT}", sent=sent)
    if not sent:
        return Refused(f"{where}: cannot connect ({_words(cause)})", sent=False)
    return ConnectionLost(f"{where}: the connection was lost ({_words(cause)})", sent=True)


def _words(cause: BaseException) -> str:
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
) -> BadAnswer:
    """Build the error for an answer that is no success, whatever its shape (SIS-API.md, section 13.2).

    Args:
        status: the HTTP status.
        body: the undecoded answer; may be empty, HTML, or a raw database error.
        reason: the status line's words.
        secrets: tokens to replace by `***`; the server's own texts quote them.
        cas: whether the request carried a compare-and-set condition.
        login: whether it was a login, where an unknown user is a 404.
        sent_bytes: size of the uncompressed request body.
        location: where a redirect points to.
    """
    document = as_object(body)
    said = _said(document)
    if 300 <= status < 400:
        said = f"{status}: not following the redirect to {location or 'nowhere'}; is the client's url right?"
    elif not said:
        reason = reason or _phrase(status)
        said = f"{status} {reason}: {excerpt(body) or _hint(status)}"
    # a stack trace may follow the message: it helps nobody and names files of the server
    said = re.split(r"\n\s+at ", said, maxsplit=1)[0].strip()
    kind = _kind(status, said, cas=cas, login=login, sent_bytes=sent_bytes)
    return kind(mask(said, secrets), status, document.get("code"), mask_deep(document, secrets))


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


def _kind(status: int, said: str, *, cas: bool, login: bool, sent_bytes: int) -> type[BadAnswer]:
    # texts decide only where status and code cannot: the server answers 400, 404 and 500 for unlike things
    if status in (401, 403, 407) or (login and status == 404):
        return Unauthorized
    if "E11000" in said or status == 409:
        return DuplicateKey
    if status == 413 or (status == 500 and (sent_bytes > 10 * 2**20 or "PayloadTooLarge" in said)):
        return PayloadTooLarge
    if (status == 400 and "x-auth-token" in said) or (status == 404 and said.startswith("sis_tokens ")):
        return Unauthorized
    if status == 404:
        return NotFound
    if status == 429:
        return TooManyRequests
    if status >= 500:
        return ServerError
    if status >= 400:
        return CASConflict if cas and status == 400 and "CAS update failed" in said else BadRequest
    return Redirected if status >= 300 else NotJSON


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _hint(status: int) -> str:
    if status == 431:
        return "the URL and headers are too long; split the query (URLs below 6 KB are safe)"
    return "the answer is empty"

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
    |   `-- TokenRenewed   nothing was done; there is a new token now (`Endpoint.tried_once`)
    |-- NotFound           no such object, schema or address
    |-- DuplicateKey       the value of a unique field is taken
    |-- PayloadTooLarge    the body is above the server's limit
    |-- TooManyRequests    429
    |-- Redirected         a redirect that must not be followed
    |-- ServerError        500 and above
    `-- NotJSON            a success whose body is not JSON, such as a login page
```
"""

from __future__ import annotations

from typing import Any

from .text import printable, shorten

_LONGEST = 2_000
"""Characters of a line of a message that are shown; `error` has all."""


class Error(Exception):
    """The root of all errors that this package raises about a server.

    Args:
        error: What happened, in words; never None.
        http_status_code: Status of the answer, None without an answer.
        code: The server's own number (1000 to 1004), None if it gave none.
        response_dict: The JSON object the server sent, else empty.

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
        self.error: str = error or "unknown error"
        self.http_status_code = http_status_code
        self.code = code
        self.response_dict: dict[str, Any] = {} if response_dict is None else response_dict
        super().__init__(self.error)

    def __str__(self) -> str:
        return "\n".join(shorten(line, _LONGEST) for line in self.error.split("\n"))

    def __repr__(self) -> str:
        return printable(
            f"{type(self).__name__}({self.error!r}, http_status_code={self.http_status_code!r}, "
            f"code={self.code!r}, response_dict={self.response_dict!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException would call the class with args alone and OSError with two: build from the attributes
        return rebuilt, (type(self), self.__dict__.copy())


def rebuilt(kind: type[Error], attributes: dict[str, Any]) -> Error:
    """Return an error of a kind with the attributes of another one."""
    error = kind.__new__(kind, attributes["error"])
    error.__dict__.update(attributes)
    error.args = (attributes["error"],)
    return error


class NoAnswer(Error, OSError):
    """No usable answer came; `sent` is False only if the request certainly did not arrive.

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
    """Nobody listens at the address, or no way leads there.

    Example:
        >>> import sispy
        >>> try:
        ...     sispy.Client("http://127.0.0.1:1", retries=0).info()
        ... except Refused as error:
        ...     error.sent
        False
    """


class UnknownHost(NoAnswer):
    """The host's name has no address."""


class TLSFailed(NoAnswer):
    """No trusted TLS connection could be made.

    Example:
        >>> import sispy
        >>> try:
        ...     sispy.Client(client.url.replace("http:", "https:"), retries=0).info()  # it has no TLS
        ... except TLSFailed as error:
        ...     isinstance(error, sispy.NoAnswer)
        True
    """


class Timeout(NoAnswer, TimeoutError):
    """Connecting, or the answer, took longer than allowed.

    Example:
        >>> import sispy
        >>> from sispy.sandbox import Faults, Sandbox
        >>> with Sandbox(faults=Faults(latency=2)) as slow:
        ...     try:
        ...         sispy.Client(slow.url, timeout=0.1, retries=0).info()
        ...     except Timeout as error:
        ...         error.sent
        True
    """


class ConnectionLost(NoAnswer, ConnectionError):
    """The connection broke before the answer was complete.

    Example:
        >>> from sispy.sandbox import Faults, Sandbox
        >>> with Sandbox(samples=3, faults=Faults(drop_after={"PUT *": 1.0})) as broken:
        ...     racks = broken.client().entities("rack")
        ...     name = racks.fetch_all()[0]["name"]
        ...     try:
        ...         racks.update(name, {"units": 40})
        ...     except ConnectionLost as error:
        ...         error.sent, racks.get(name)["units"]  # the write was carried out
        (True, 40)
    """


class BadAnswer(Error):
    """The server answered, but not with what was asked for.

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
    """The server refuses the request as it is: fields, values, query, references.

    Example:
        >>> try:
        ...     client.entities("rack").create({"units": 42})
        ... except BadRequest as error:
        ...     error.error
        'Bad request: ValidationError: name: Path `name` is required.'
    """


class CASConflict(BadRequest):
    """The object does not meet the compare-and-set condition (any more).

    Example:
        >>> racks = client.entities("rack")
        >>> rack = racks.fetch_all()[0]
        >>> seen = {"_sis._updated_at": 0}  # anything but the state that is stored
        >>> try:
        ...     racks.update(rack["_id"], {"_sis": rack["_sis"], "units": 42}, cas=seen)
        ... except CASConflict as error:
        ...     error.http_status_code
        400
    """


class Unauthorized(BadAnswer):
    """The token is missing, dead or not sufficient, or a login failed.

    Example:
        >>> import sispy
        >>> try:
        ...     sispy.Client(client.url).authenticate("root", "guessed")
        ... except Unauthorized as error:
        ...     error.http_status_code
        401
    """

    def __str__(self) -> str:
        said = super().__str__()
        return said.removeprefix("Unauthorized. ") or said  # the server's heading is the name of the class


class TokenRenewed(Unauthorized):
    """A write had no effect because the token had ended; the client has a new one now.

    Only an endpoint of `Endpoint.tried_once` raises it; others send the write again.
    """


class NotFound(BadAnswer):
    """There is no such object, schema or address.

    Example:
        >>> try:
        ...     client.entities("hots").fetch_all()
        ... except NotFound as error:
        ...     error.error
        'sis_schemas hots does not exist'
    """


class DuplicateKey(BadAnswer):
    """Another object holds the value of a unique field.

    Example:
        >>> racks = client.entities("rack")
        >>> try:
        ...     racks.create({"name": racks.fetch_all()[0]["name"]})
        ... except DuplicateKey as error:
        ...     error.http_status_code, "E11000" in error.error
        (500, True)
    """


class PayloadTooLarge(BadAnswer):
    """The body is above the server's limit (10 MiB uncompressed).

    Example:
        >>> big = {"name": "big", "_sis": {"owner": ["ops"]}, "hieradata": {"a": "x" * 11_000_000}}
        >>> try:
        ...     client.hiera.create(big)
        ... except PayloadTooLarge as error:
        ...     error.http_status_code
        500
    """


class TooManyRequests(BadAnswer):
    """The server, or a proxy before it, wants fewer requests.

    Example:
        >>> import sispy
        >>> from sispy.sandbox import Faults, Sandbox
        >>> with Sandbox(faults=Faults(errors={"*": (429, 1.0)}, retry_after=1)) as busy:
        ...     try:
        ...         sispy.Client(busy.url, retries=0).info()
        ...     except TooManyRequests as error:
        ...         error.retry_after
        1.0
    """


class Redirected(BadAnswer):
    """The server redirects a write, or points to another host, where the token must not go."""


class ServerError(BadAnswer):
    """The server, or a proxy before it, failed.

    Example:
        >>> import sispy
        >>> from sispy.sandbox import Faults, Sandbox
        >>> with Sandbox(faults=Faults(errors={"*": (503, 1.0)})) as down:
        ...     try:
        ...         sispy.Client(down.url, retries=0).info()
        ...     except ServerError as error:
        ...         error.http_status_code
        503
    """


class NotJSON(BadAnswer):
    """A success whose body is not what was asked for: a login page, a body cut short, no list for a list."""

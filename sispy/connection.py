"""What endpoints need of a client: an address, a token and whose it is, sending, logging in again."""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from . import http
from .encoding import one_address, path_part, token_text
from .errors import BadAnswer, Error, NotJSON, TokenRenewed, Unauthorized
from .failures import came_from
from .http import Answer, Request
from .http.base import origin_of, proxy_for
from .remedies import Call, Message
from .response import Meta, Response
from .rules import Rules
from .text import MASK, excerpt, mask
from .transport import Policy, call

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

_ALL = 10_000
"""Objects that the server gives at once, at most."""
_READS = ("GET", "HEAD", "OPTIONS")
_EIGHT_HOURS = 8 * 3600 * 1000  # milliseconds


class Connection:
    """Send requests to one server, with a token that is renewed when it ends.

    Args:
        url: Address of the server.
        version: Version of the API.
        auth_token: Token for writes.
        policy: How long and how often to try.
        http_keep_alive: False closes the connection after every request.
        verify: What to trust; these and the attributes are those of `sispy.Client`.

    Raises:
        ValueError: The address is no http(s) address, or holds a password, or there is no such CA file.
    """

    def __init__(
        self,
        url: str,
        version: float | str,
        auth_token: str | None,
        policy: Policy,
        *,
        http_keep_alive: bool,
        verify: bool | str | os.PathLike[str] | None,
    ) -> None:
        self.url: str = _checked(url)
        self.version = version
        self.base_uri: str = f"{self.url}/api/v{version}"
        self.auth_token = auth_token
        self._claim: str | None = None
        self._proof: tuple[str, str, bool] | None = None  # a token, a name, and whether they go together
        self._proving = threading.Lock()
        self.token_expires: datetime | None = None
        self.rules: Rules = Rules()
        self._policy = policy
        self._renewal: Renewal | None = None
        self._connect: dict[str, Any] = {"http_keep_alive": http_keep_alive, "verify": verify}
        self._http_handler = http.get_handler(http_keep_alive, verify=verify)

    def __getstate__(self) -> dict[str, Any]:
        """Leave connections and passwords behind; the token travels, for workers in other processes."""
        return {**self.__dict__, "_http_handler": None, "_renewal": None, "_proving": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._proving = threading.Lock()
        self._http_handler = http.get_handler(**self._connect)

    @property
    def username(self) -> str | None:
        """Whose token is in use, None if unknown; see `Client`."""
        with self._proving:
            while (name := self._claim) and (token := self.auth_token):
                known = self._proof
                if known is not None and known[:2] == (token, name):
                    return name if known[2] else None
                theirs = self._lists(name, token)
                if theirs is None:  # no answer proves nothing: the next look asks again
                    return None
                if token == self.auth_token:  # else it was renewed meanwhile
                    self._proof = token, name, theirs
            return name

    @username.setter
    def username(self, name: str | None) -> None:
        self._claim = name
        if self._proof is not None and not self._proof[2]:  # what was told then need not be the server's word
            self._proof = None

    def authenticate(self, username: str, password: str, *, renew: bool = False) -> bool:
        """Log in and use the new token (good for 8 hours) from now on.

        Args:
            username: Name of the user.
            password: Not kept, unless it is needed to renew.
            renew: Log in again, once, whenever a call finds the token ended.

        Returns:
            True.

        Raises:
            Unauthorized: Unknown user, wrong password, or a user without any role.
        """
        expires = self._log_in(username, password)
        self._renewal = Renewal(username, lambda: password, expires) if renew else None
        return True

    def request(self, request: Request) -> Response:
        """Send a request of your own; the answer must be JSON."""
        answer = self._send(request)
        try:
            result = json.loads(answer.body)
        except (ValueError, RecursionError):
            text = f"Failed to decode JSON from the response: {excerpt(answer.body) or 'it is empty'}"
            whence = came_from(origin_of(request.uri), proxy_for(request.uri))
            said = mask(f"{text}; it came from {whence}", self._secrets(request))
            raise NotJSON(said, answer.status) from None
        return Response(result, Meta(answer.headers))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._http_handler.close()

    def _log_in(self, username: str, password: str) -> float:
        """Get a new token; return the milliseconds it is good for."""
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        headers = {"Accept": "application/json", "Authorization": f"Basic {pair}"}
        answer = self.request(Request(f"{self.base_uri}/users/auth_token", "POST", headers=headers))
        self._belongs(answer["name"], username)
        expires = float(answer._result.get("expires", _EIGHT_HOURS))
        self.token_expires = datetime.now(UTC) + timedelta(milliseconds=expires)
        return expires

    def _belongs(self, token: str, username: str) -> None:
        """Use a token that certainly is this user's."""
        self._proof = token, username, True
        self.auth_token, self._claim = token, username

    def _lists(self, name: str, token: str) -> bool | None:
        """Return whether a token is that user's; None where the server does not say now.

        It is sent to list the user's tokens, in a header: so it stands in no address (SIS-API 12.4).
        """
        if "/" in name:  # no such name can be
            return False
        try:
            uri = f"{self.base_uri}/users/{path_part('name', name)}/tokens?fields=name&limit={_ALL}"
            found = self.request(Request(uri, headers=self._headers())).to_list()
            return any(entry["name"] == token for entry in found)
        except ValueError:  # a token or name that cannot be sent
            return False
        except BadAnswer as exc:
            return False if exc.http_status_code in (400, 401, 403, 404) else None
        except (Error, TypeError, KeyError):  # no answer, or none that is a list of tokens
            return None

    def _send(self, request: Request) -> Answer:
        if request.method not in _READS and not request.uri.startswith(f"{self.base_uri}/users/auth_token"):
            self.rules.refuse_write()
        token = (request.headers or {}).get("x-auth-token")
        try:
            return call(self._http_handler, request, self._policy, self._secrets(request))
        except Unauthorized as exc:
            if token is None or self._renewal is None or not self._renewal.ended(exc):
                raise
            refusal = exc
        # refused before anything was done: also a write may be sent again
        self._renewal.renew(self, token)
        if request.once:
            raise TokenRenewed(refusal.error, refusal.http_status_code, refusal.code)
        request = replace(request, headers={**(request.headers or {}), "x-auth-token": str(self.auth_token)})
        return call(self._http_handler, request, self._policy, self._secrets(request))

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.auth_token:
            headers["x-auth-token"] = token_text(self.auth_token, "auth_token")
        return headers

    def _secrets(self, request: Request) -> list[str]:
        named = (request.headers or {}).get("x-auth-token"), self.auth_token
        secrets = [secret for secret in named if secret]
        _, found, below = urlsplit(request.uri).path.partition("/tokens/")
        below = below.partition("/")[0]
        return [*secrets, below, unquote(below)] if found else secrets


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (ValueError, AttributeError):  # a port that is no number, half an IPv6 address, no text at all
        fit = False
    if not fit or re.search(r"\s", url):
        shown = re.sub(r"[^/]*@", f"{MASK}@", str(url))  # a password may stand there
        raise ValueError(f"url is an address such as 'https://sis.example.com', got {shown!r}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            Message(
                "url must hold no user name, password, query or fragment",
                Call("authenticate()", "logs in", ("login",)),
            )
        )
    return one_address(url)


class Renewal:
    """Log in again once per ended token, whichever thread notices first.

    Args:
        username: Whom to log in.
        password: Returns the password; called only when it is needed.
        expires: Milliseconds the present token has left.
        stored: Called with the connection after each new login.
    """

    def __init__(
        self,
        username: str,
        password: Callable[[], str],
        expires: float,
        stored: Callable[[Connection], None] | None = None,
    ) -> None:
        self._username, self._password, self._stored = username, password, stored
        self._lock = threading.Lock()
        self._start(expires)

    def _start(self, expires: float) -> None:
        # two clocks: the monotonic one may stand still while the machine sleeps, the other may be set back
        self._ends = time.monotonic() + expires / 1000, time.time() + expires / 1000

    def ended(self, refusal: Unauthorized) -> bool:
        """Return whether the refusal is about a token at its end, and not about permissions."""
        late = time.monotonic() >= self._ends[0] or time.time() >= self._ends[1]
        return refusal.http_status_code == 404 or late or "expired" in refusal.error

    def renew(self, connection: Connection, dead: str) -> None:
        """Give the connection a new token unless another thread has done so already.

        Raises:
            Unauthorized: The password is no longer right, or nobody is there to ask.
        """
        with self._lock:
            if connection.auth_token == dead:
                expires = connection._log_in(self._username, self._password())
                self._start(expires)
                if self._stored is not None:
                    self._stored(connection)


def can_ask() -> bool:
    """Return whether a person can be asked: in a terminal or a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None:
        return True
    return sys.stdin is not None and sys.stdin.isatty()


def ask_password(username: str, url: str) -> str:
    """Ask for a password without showing it.

    Raises:
        Unauthorized: Nobody is there to ask.
    """
    if can_ask():
        import getpass

        try:
            return getpass.getpass(f"Password of {username} at {url}: ")
        except (RuntimeError, EOFError):
            pass  # a notebook that runs without its reader
    expired = f"the token for {url} has expired"
    raise Unauthorized(Message(expired, Call("`sispy login`", "gets a new one", ("login",))))

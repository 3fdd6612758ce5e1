"""The client: an address, a token, and the endpoints below it."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from . import http
from .endpoint import Endpoint
from .errors import NotJSON, TokenRenewed, Unauthorized
from .http import Answer, Request
from .resources import Hooks, Schemas, Tokens
from .response import Meta, Response
from .session import Renewal, lists_token, open_profile
from .text import MASK, excerpt, mask, printable
from .transport import Policy, call

if TYPE_CHECKING:
    import os

_EIGHT_HOURS = 8 * 3600 * 1000  # milliseconds


class Client:
    """Talk to a SIS server; any number of threads may share one client.

    Args:
        url: address of the server, such as "https://sis.example.com"; it may have a path.
        version: version of the API.
        auth_token: token for writes; `authenticate` sets it as well.
        http_keep_alive: False closes the connection after every request.
        timeout: seconds (to connect, of silence before the answer), or one number for both; 10 and 60 unless
            given. Bulk calls get 10 ms more for every item, those by query 100 s more.
        retries: how often to repeat a read that met a busy server or a lost connection, or any request that
            certainly did not arrive.
        verify: CA file or folder to trust; False trusts anybody. Else SIS_CA_FILE, REQUESTS_CA_BUNDLE,
            SSL_CERT_FILE, or the operating system's store.
        compress: send bodies of so many bytes and more as gzip; None for never.

    Attributes:
        url: the address, without a slash at its end.
        base_uri: the address of the API below it.
        auth_token: the token in use; may be set.
        username: whose token is in use, None if unknown: who logged in, or who is said to own the token and
            does; may be set. The first look at a name that was only said asks the server (SIS-API 12.4).
        token_expires: when the token of `authenticate` ends, None if unknown.

    Raises:
        ValueError: the address is no http(s) address, or holds a password, or there is no such CA file.

    Example:
        >>> import sispy
        >>> client = sispy.Client("https://sis.example.com")
        >>> client.entities("host").endpoint
        'entities/host'
    """

    def __init__(
        self,
        url: str,
        version: float | str = 1.1,
        auth_token: str | None = None,
        http_keep_alive: bool = True,
        *,
        timeout: float | tuple[float, float] | None = None,
        retries: int = 4,
        verify: bool | str | os.PathLike[str] | None = None,
        compress: int | None = 65536,
    ) -> None:
        self.url = _checked(url)
        self.version = version
        self.base_uri = f"{self.url}/api/v{version}"
        self.auth_token = auth_token
        self._claim: str | None = None
        self._proof: tuple[str, str, bool] | None = None  # a token, a name, and whether they go together
        self._proving = threading.Lock()
        self.token_expires: datetime | None = None
        if timeout is None:
            timeout = (10.0, 60.0)
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        if not (connect > 0 and read > 0 and retries >= 0):
            raise ValueError(f"timeout is above 0 and retries not below, got {timeout!r} and {retries!r}")
        self._policy = Policy(connect, read, retries, compress=compress)
        self._renewal: Renewal | None = None
        self._connect: dict[str, Any] = {"http_keep_alive": http_keep_alive, "verify": verify}
        self._http_handler = http.get_handler(http_keep_alive, verify=verify)

        self.schemas = Schemas("schemas", self)
        self.hooks = Hooks("hooks", self)
        self.hiera = Endpoint("hiera", self)
        self.users = Endpoint("users", self)
        self.scripts = Endpoint("scripts", self)

    @classmethod
    def from_profile(
        cls,
        name: str | None = None,
        *,
        url: str | None = None,
        auth_token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        **options: Any,
    ) -> Client:
        """Make a client from what this machine knows, and log in if that takes a password.

        Explicit arguments, the profile `name` among them, win over SIS_URL, SIS_TOKEN, SIS_TOKEN_FILE,
        SIS_USER, SIS_PASSWORD, SIS_PROFILE, these over the config file (see `sispy.config`), and that over
        netrc. Where only an ended token is found, a terminal or notebook asks for the password.

        Args:
            name: profile of the config file.
            url: address of the server.
            auth_token: token for writes.
            username: whose token or password to use.
            password: to log in with.
            options: further arguments of `Client`, such as timeout and verify.

        Raises:
            ValueError: nobody says which server, or there is no such profile.
            Unauthorized: the token has ended and nobody is there to ask, or the login fails.
        """
        from .config import resolve  # here, so that `import sispy` stays fast

        profile = resolve(name, url=url, auth_token=auth_token, username=username, password=password)
        return open_profile(cls, profile, options)

    @property
    def username(self) -> str | None:
        """Whose token is in use, None if unknown; see `Client`."""
        with self._proving:
            while (name := self._claim) and (token := self.auth_token):
                known = self._proof
                if known is not None and known[:2] == (token, name):
                    return name if known[2] else None
                theirs = lists_token(self, name, token)
                if theirs is None:  # no answer proves nothing: the next look asks again
                    return None
                if token == self.auth_token:  # else it was renewed meanwhile
                    self._proof = token, name, theirs
            return name

    @username.setter
    def username(self, name: str | None) -> None:
        self._claim = name

    def __repr__(self) -> str:
        known = self._proof  # a look must not ask the server
        told = known is not None and known == (self.auth_token, self._claim, True)
        user = f", user {self._claim!r}" if told else ""
        return printable(f"<sispy.Client {self.url}{user}>")

    def __getstate__(self) -> dict[str, Any]:
        """Leave connections and passwords behind; the token travels, for workers in other processes."""
        return {**self.__dict__, "_http_handler": None, "_renewal": None, "_proving": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._proving = threading.Lock()
        self._http_handler = http.get_handler(**self._connect)

    def entities(self, schema_name: str) -> Endpoint:
        """Return the entities of a schema."""
        return Endpoint(_below("entities/", schema_name), self)

    def tokens(self, username: str) -> Tokens:
        """Return the tokens of a user."""
        return Tokens(_below("users/", username) + "/tokens", self)

    def info(self) -> Response:
        """Fetch the server's description of its build: the cheapest sign of life."""
        return self.request(Request(f"{self.base_uri}/info", headers=self._headers()))

    def authenticate(self, username: str, password: str, *, renew: bool = False) -> bool:
        """Log in and use the new token (good for 8 hours) from now on.

        Args:
            username: name of the user.
            password: not kept, unless it is needed to renew.
            renew: log in again, once, whenever a call finds the token ended.

        Returns:
            True.

        Raises:
            Unauthorized: unknown user, wrong password, or a user without any role.
        """
        expires = self._log_in(username, password)
        self._renewal = Renewal(username, lambda: password, expires) if renew else None
        return True

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

    def request(self, request: Request) -> Response:
        """Send a request of your own; the answer must be JSON."""
        answer = self._send(request)
        try:
            result = json.loads(answer.body)
        except (ValueError, RecursionError):
            text = f"Failed to decode JSON from the response: {excerpt(answer.body) or 'it is empty'}"
            raise NotJSON(mask(text, self._secrets(request)), answer.status) from None
        return Response(result, Meta(answer.headers))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._http_handler.close()

    def _send(self, request: Request) -> Answer:
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
        token = self.auth_token
        if token:
            if not (token.isascii() and token.isprintable()):  # http.client's own error would show it
                raise ValueError("auth_token holds a line end or another character that no token has")
            headers["x-auth-token"] = token
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
    except (ValueError, AttributeError):  # a port that is none, half an IPv6 address, no text at all
        fit = False
    if not fit or re.search(r"\s", url):
        shown = re.sub(r"[^/]*@", f"{MASK}@", str(url))  # a password may stand there
        raise ValueError(f"url is an address such as 'https://sis.example.com', got {shown!r}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            "url must hold no user name, password, query or fragment: use authenticate() to log in"
        )
    return url.rstrip("/")


def _below(parent: str, name: str) -> str:
    if not name or "/" in name:
        raise ValueError(f"{parent}NAME: a name is not empty and has no slash, got {name!r}")
    return parent + name

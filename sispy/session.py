"""Logging in again when a token has ended, and asking a person for the password where one sits."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .errors import BadAnswer, Error, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client
    from .config import Profile

_ALL = 10_000
"""The server gives no more objects at once."""


class Renewal:
    """Log in again once per ended token, whichever thread notices first.

    Args:
        username: whom to log in.
        password: returns the password; called only when it is needed.
        expires: milliseconds the present token has left.
        stored: called with the client after each new login.
    """

    def __init__(
        self,
        username: str,
        password: Callable[[], str],
        expires: float,
        stored: Callable[[Client], None] | None = None,
    ) -> None:
        self._username, self._password, self._stored = username, password, stored
        self._lock = threading.Lock()
        self._start(expires)

    def _start(self, expires: float) -> None:
        # two clocks: the monotonic one may stand still while the machine sleeps, the other may be set back
        self._ends = time.monotonic() + expires / 1000, time.time() + expires / 1000

    def ended(self, refusal: Unauthorized) -> bool:
        """Say whether the refusal is about a token at its end, and not about permissions."""
        late = time.monotonic() >= self._ends[0] or time.time() >= self._ends[1]
        return refusal.http_status_code == 404 or late or "expired" in refusal.error

    def renew(self, client: Client, dead: str) -> None:
        """Give the client a new token unless another thread has done so already.

        Raises:
            Unauthorized: the password is no longer right, or nobody is there to ask.
        """
        with self._lock:
            if client.auth_token == dead:
                expires = client._log_in(self._username, self._password())
                self._start(expires)
                if self._stored is not None:
                    self._stored(client)


def lists_token(client: Client, name: str, token: str) -> bool | None:
    """Tell whether a token is that user's; None where the server does not say now.

    The user's tokens are listed with it: so no address of a request shows it (SIS-API 12.4).
    """
    try:
        found = client.tokens(name).fetch_page({"fields": "name", "limit": _ALL}).to_list()
        return any(entry["name"] == token for entry in found)
    except ValueError:  # no such name can be
        return False
    except BadAnswer as exc:
        return False if exc.http_status_code in (400, 401, 403, 404) else None
    except (Error, TypeError, KeyError):  # no answer, or none that is a list of tokens
        return None


def open_profile(kind: type[Client], profile: Profile, options: dict[str, Any]) -> Client:
    """Make a client of what is in force; see `Client.from_profile`."""
    if not profile.url:
        raise ValueError("which server? give url=, set SIS_URL, or run `sispy login URL`")
    client = kind(profile.url, auth_token=profile.token, **options_of(profile, options))
    client.username = user = profile.username
    client.token_expires = profile.expires
    if profile.password and user:
        client.authenticate(user, profile.password, renew=True)
    elif profile.stored and profile.expires and user:
        left = (profile.expires - datetime.now(UTC)).total_seconds() * 1000
        ask = partial(ask_password, user, client.url)
        client._renewal = Renewal(user, ask, left, partial(_store, profile.name))
        if profile.expired:
            client._renewal.renew(client, str(profile.token))
    return client


def options_of(profile: Profile, options: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of `Client`: with the profile's CA file unless they or SIS_CA_FILE name one."""
    if profile.ca_file and options.get("verify") is None and not os.environ.get("SIS_CA_FILE"):
        return {**options, "verify": profile.ca_file}
    return options


def _store(name: str, client: Client) -> None:
    from .config import update_profile

    update_profile(name, {"token": client.auth_token, "expires": client.token_expires})


def can_ask() -> bool:
    """Say whether a person can be asked: in a terminal or a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None:
        return True
    return sys.stdin is not None and sys.stdin.isatty()


def ask_password(username: str, url: str) -> str:
    """Ask for a password without showing it.

    Raises:
        Unauthorized: nobody is there to ask.
    """
    if can_ask():
        import getpass

        try:
            return getpass.getpass(f"Password of {username} at {url}: ")
        except (RuntimeError, EOFError):
            pass  # a notebook that runs without its reader
    raise Unauthorized(f"the token for {url} has expired: `sispy login` gets a new one")

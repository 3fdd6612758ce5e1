"""Which certificates are trusted: the operating system's, or those of a file that somebody names."""

from __future__ import annotations

import os
import select
import ssl
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

CA_VARIABLES = ("SIS_CA_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def trust(verify: bool | str | os.PathLike[str] | None) -> bool | str:
    """Decide what to trust: an argument wins over the environment, which wins over the system.

    Args:
        verify: A CA file or folder; False for no verification at all; None or True for
            SIS_CA_FILE, REQUESTS_CA_BUNDLE, SSL_CERT_FILE, else the operating system's store.

    Returns:
        A path; True for the operating system's store; False for no verification.

    Raises:
        ValueError: There is no such file or folder, or no certificate in the file.
    """
    if verify is False:
        return False
    named = [("verify", os.fspath(verify))] if verify is not None and verify is not True else []
    named += [(name, os.environ[name]) for name in CA_VARIABLES if os.environ.get(name)]
    if not named:
        return True
    source, path = named[0]
    found = Path(path).expanduser()
    if not found.exists():
        raise ValueError(f"{source}: no such CA file or folder: {path}")
    try:
        context(str(found))
    except OSError as exc:
        raise ValueError(f"{source}: no CA certificate can be read from {path}") from exc
    return str(found)


@lru_cache(maxsize=8)
def context(trusted: bool | str) -> ssl.SSLContext:
    """Return the TLS settings for what `trust` decided; contexts are shared, loading a store is slow."""
    if isinstance(trusted, str):
        folder = Path(trusted).is_dir()
        return ssl.create_default_context(
            cafile=None if folder else trusted, capath=trusted if folder else None
        )
    if trusted:
        return _system()
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return unverified


def _system() -> ssl.SSLContext:
    try:
        import truststore
    except ImportError:  # OpenSSL's own default paths: the system's store on most Linux machines
        return ssl.create_default_context()
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def readable(sock: socket.socket) -> bool:
    """Return whether something (data, or the end) waits to be read."""
    if hasattr(select, "poll"):  # select() knows file numbers below 1024 only
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])

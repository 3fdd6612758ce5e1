"""Passwords and tokens: salted and stretched, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_COST = 2**12
"""A tenth of what a real server should take: sandboxes log in often and keep nothing worth stealing."""

_NOBODYS = f"{'0' * 32}${'0' * 128}"


def stretched(password: str) -> str:
    """Give what is stored of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_hash(password, salt).hex()}"


def fits(password: str, stored: object) -> bool:
    """Tell whether a password is the stored one; where none is stored, it takes as long."""
    salt, _, expected = (stored if isinstance(stored, str) and "$" in stored else _NOBODYS).partition("$")
    return hmac.compare_digest(_hash(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def equal(password: str, other: str | None) -> bool:
    """Tell whether two passwords are the same, in a time that does not tell how much of them is."""
    if other is None:
        return False
    return hmac.compare_digest(password.encode("utf-8", "surrogatepass"), other.encode())


def new_token() -> str:
    """Make the name of a token."""
    return secrets.token_hex(16)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=8, p=1)

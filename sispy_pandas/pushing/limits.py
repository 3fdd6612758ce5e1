"""How big the requests of a push are and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, fields

CLOCKS_APART = 5_000
"""Milliseconds by which the clocks of a server's processes may differ."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes and waits of a push; the defaults suit a server with one process (SIS-API 15).

    Raises:
        ValueError: A size below 1 or a negative time.

    Example:
        >>> Limits(rows=100).bytes
        900000
    """

    rows: int = 250
    """Rows in one request."""
    bytes: int = 900_000
    """Encoded bytes in one request; the server refuses 10 MiB, proxies in front of it often 1 MB."""
    url: int = 6_000
    """Bytes of an encoded query in a URL."""
    readers: int = 2
    """Reads at a time; a server process does one thing at a time."""
    settle: float = 5.0
    """Seconds, at least, before the fate of a write without an answer is looked up."""
    settle_row: float = 0.010
    """Seconds more for each row of that write."""
    patience: float = 60.0
    """Seconds to wait for a server that takes no connections or asks for patience (429, 503)."""
    attempts: int = 4
    """Times that a chunk is sent whose answer does not arrive."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            least = 1 if item.name in ("rows", "bytes", "url", "readers", "attempts") else 0
            if not value >= least:
                raise ValueError(f"{item.name}={value!r}: at least {least} is needed")

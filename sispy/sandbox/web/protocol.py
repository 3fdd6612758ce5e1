"""HTTP on the wire: uvicorn's protocol, with the manners of the server that is copied."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

IDLE = 5
"""Seconds after which a connection is closed on which nothing is asked."""
PATIENCE = 10.0
"""Seconds that a request may take from its first byte to its last,"""
SLOWEST = 4096
"""and one more for each so many bytes of it."""
_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class Protocol(H11Protocol):
    """Answers what is no HTTP with an empty body, and lets the application cut the connection.

    A client that sends half a request, or one byte now and then, is disconnected.
    """

    _began: float | None = None
    _got = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Hand the transport to the requests, whose faults may abort it."""
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "transport": transport}
        # A client that connects and sends nothing is idle, too.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._end_patience()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note when a request begins, and when it is complete."""
        super().data_received(data)
        state = self.conn.their_state
        if state is not h11.SEND_BODY and not (state is h11.IDLE and self.conn.trailing_data[0]):
            self._end_patience()
            return
        self._got += len(data)
        if self._began is None:
            self._began = self.loop.time()
            self._patience = self.loop.call_later(PATIENCE, self._check_patience)

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._began, self._got, self._patience = None, 0, None

    def _check_patience(self) -> None:
        until = (self._began or 0) + PATIENCE + self._got / SLOWEST
        if self.loop.time() < until:
            self._patience = self.loop.call_at(until, self._check_patience)
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's signature
        """Refuse a request that cannot be read, and hang up."""
        status = getattr(sys.exc_info()[1], "error_status_hint", 400)
        reason = _REASONS.get(status)
        if reason is None:
            status, reason = 400, _REASONS[400]
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %d %s\r\nConnection: close\r\n\r\n" % (status, reason))
            self.transport.close()

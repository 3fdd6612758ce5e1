"""HTTP on the wire: uvicorn's protocol, with the manners of the server that is copied."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class Protocol(H11Protocol):
    """Answers what is no HTTP with an empty body, and lets the application cut the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Hand the transport to the requests, whose faults may abort it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        # Who connects and says nothing is idle, too.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's signature
        """Refuse a request that cannot be read, and hang up."""
        status = getattr(sys.exc_info()[1], "error_status_hint", 400)
        reason = _REASONS.get(status)
        if reason is None:
            status, reason = 400, _REASONS[400]
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %d %s\r\nConnection: close\r\n\r\n" % (status, reason))
            self.transport.close()

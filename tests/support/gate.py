"""A request that is held up at the server's door: what happens meanwhile needs no clock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sispy.sandbox import Faults

if TYPE_CHECKING:
    from sispy.sandbox import Sandbox, Seen

SECONDS = 60
"""Until a test that waits for what never comes gives up."""


class Gate:
    """Holds the first request of a kind, or the one after so many, until it is opened or its block ends.

    Other requests pass.

    Args:
        sandbox: The server; its faults are the gate's until it is opened.
        route: Of the request, as in `Faults`.
        after: How many of the kind pass before.
    """

    def __init__(self, sandbox: Sandbox, route: str, *, after: int = 0) -> None:
        self._sandbox, self._route, self._left = sandbox, route, after
        self._reached, self._opened = threading.Event(), threading.Event()
        sandbox.faults = Faults(before=self._hold)

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()

    def wait(self) -> None:
        """Return when the request is there."""
        assert self._reached.wait(SECONDS), f"{self._route} does not come"

    def open(self) -> None:
        """Let it go on."""
        self._sandbox.faults = Faults()
        self._opened.set()

    def _hold(self, seen: Seen) -> None:
        if self._reached.is_set() or not seen.matches(self._route):
            return
        self._left -= 1
        if self._left < 0:
            self._reached.set()
            assert self._opened.wait(SECONDS), "nobody opens the gate"

"""Regular expressions of clients, which may not cost without bound."""

from __future__ import annotations

import re
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sispy import patterns

if TYPE_CHECKING:
    from typing import Self

    from regex import Pattern as Compiled

    from sispy.sandbox.js.scalars import Json

SECONDS = 0.1
"""How long one search may take."""
BUDGET = 0.5
"""Seconds that all searches of a request may take, beyond half of what the thread works in all."""
_LITERAL = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_JS_FLAGS = frozenset("gimsuy")


@dataclass
class _Meter:
    """The recent cost of searches, in seconds of the thread."""

    spent: float = 0.0
    since: float = field(default_factory=time.thread_time)

    def start(self) -> float:
        """Begin a search, if there is something left for it."""
        now = time.thread_time()
        self.spent = max(0.0, self.spent - max(0.0, now - self.since) / 2)
        self.since = now
        if self.spent > BUDGET:
            raise TimeoutError
        return now


_meter: ContextVar[_Meter | None] = ContextVar("meter", default=None)


def metered() -> None:
    """Let all patterns that are used from here on in this context share one budget."""
    _meter.set(_Meter())


class Pattern:
    """A compiled pattern. It is a client's: a search that costs too much is given up."""

    def __init__(self, compiled: Compiled[str]) -> None:
        self._search = compiled.search
        self._own = _Meter()

    @classmethod
    def of_query(cls, source: str, options: str = "") -> Self:
        """Compile the operand of `$regex` with its `$options`.

        Raises:
            ValueError: The pattern or an option is wrong.
        """
        return cls(patterns.database(source, options))

    @classmethod
    def of_match(cls, literal: Json) -> Self:
        """Compile a JavaScript regex in slashes.

        Raises:
            ValueError: It is no such text, or no pattern.
        """
        found = _LITERAL.fullmatch(literal) if isinstance(literal, str) else None
        if not found:
            raise ValueError(f"{literal!r} is no regular expression in slashes.")
        source, flags = found.groups()
        if not set(flags) <= _JS_FLAGS or len(set(flags)) < len(flags):
            raise ValueError(f"Invalid flags supplied to RegExp constructor '{flags}'")
        return cls(patterns.javascript(source, flags))

    def finds(self, text: str) -> bool:
        """Return whether the pattern is found in a text.

        Raises:
            TimeoutError: It takes too long, or all recent searches together did.
        """
        meter = _meter.get() or self._own
        start = meter.start()
        try:
            while True:
                try:
                    return self._search(text, timeout=SECONDS) is not None
                except TimeoutError:  # its clock is the whole process: other threads may have had the time
                    if time.thread_time() - start >= SECONDS / 2:
                        raise
        finally:
            meter.spent += time.thread_time() - start

"""Regular expressions of clients: compiled as JavaScript and the database read them, and never for long."""

from __future__ import annotations

import re
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from sispy.sandbox.js.scalars import Json

SECONDS = 0.1
"""How long one search may take."""
BUDGET = 0.5
"""Seconds that all searches of a request may take, beyond half of what the thread works in all."""
_LITERAL = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_JS_FLAGS = frozenset("gimsuy")
_FLAGS = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X}


@dataclass
class _Meter:
    """What searches have cost of late, in seconds of the thread."""

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

    def __init__(self, source: str, options: str = "") -> None:
        """Compile a pattern with the options of JavaScript or of `$options`.

        Raises:
            ValueError: the pattern or an option is wrong.
        """
        flags = regex.VERSION0
        for option in options:
            if option not in "imsxguy":
                raise ValueError(f"invalid flag in regex options: {option}")
            flags |= _FLAGS.get(option, 0)
        if len(source) > 32_764:
            raise ValueError("the regular expression is too long")
        # Named groups differ in spelling, and `$` without m is the very end.
        text = re.sub(r"\(\?<(?![=!])", "(?P<", source)
        if not flags & regex.M:
            text = re.sub(r"(?<!\\)((?:\\\\)*)\$(?=\)|\||$)", r"\1\\Z", text)
        try:
            self._search = regex.compile(text, flags).search
        except (regex.error, RecursionError, OverflowError, MemoryError) as error:
            raise ValueError(f"Regular expression is invalid: {error}") from error
        self._own = _Meter()

    def finds(self, text: str) -> bool:
        """Return whether the pattern is found in a text.

        Raises:
            TimeoutError: it takes too long, or all searches of late did.
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


def pattern_of(literal: Json) -> Pattern:
    """Compile a JavaScript regex in slashes.

    Raises:
        ValueError: it is no such text, or no pattern.
    """
    found = _LITERAL.fullmatch(literal) if isinstance(literal, str) else None
    if not found:
        raise ValueError(f"{literal!r} is no regular expression in slashes.")
    source, flags = found.groups()
    if not set(flags) <= _JS_FLAGS or len(set(flags)) < len(flags):
        raise ValueError(f"Invalid flags supplied to RegExp constructor '{flags}'")
    return Pattern(source, flags)

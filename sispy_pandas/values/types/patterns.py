"""The patterns of definitions, matched as JavaScript does and never for long: they are a server's.

`/^(a+)+$/` takes longer than anybody waits for some texts. What cannot be told in time is left to the server,
which looks at every value anyway.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sispy.patterns import javascript

if TYPE_CHECKING:
    from regex import Pattern

SECONDS = 0.05
"""How long one text may take."""
_UNDECIDED = 3
"""Texts of a pattern that may take longer: after so many all others are left to the server."""
_SPARE, _EACH = 1.0, 0.0002
"""Seconds that a pattern may take in all, and for each text: many that are just fast enough are slow, too."""

_KEPT, _LARGEST = 256, 2_000
"""How many patterns are kept compiled, and how large they may be: a kilobyte for each part of theirs."""


@dataclass(slots=True)
class _Meter:
    """What a pattern has cost so far."""

    texts: int = 0
    undecided: int = 0
    seconds: float = 0.0

    @property
    def is_spent(self) -> bool:
        return self.undecided >= _UNDECIDED or self.seconds > _SPARE + _EACH * self.texts


class Patterns:
    """Matches the texts of a plan: all cells of a field share one budget."""

    def __init__(self) -> None:
        self.left: Counter[str] = Counter()
        """Field path -> cells that were left to the server."""
        self._meters: dict[tuple[str, str], _Meter] = {}

    def fits(self, match: str, text: str, path: str) -> bool | None:
        """Return whether a text matches a pattern of a definition; None: only the server can tell in time.

        Args:
            match: A JavaScript regex in slashes.
            text: A cell, or a member of it.
            path: Of the cell's field.
        """
        pattern = _compiled(match)
        if pattern is None:
            return True
        meter = self._meters.setdefault((path, match), _Meter())
        if meter.is_spent:
            return None
        meter.texts += 1
        start = time.thread_time()
        try:
            return pattern.search(text, timeout=SECONDS) is not None
        except (TimeoutError, MemoryError):
            meter.undecided += 1
            return None
        finally:
            meter.seconds += time.thread_time() - start

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the plan has to know of the cells that were left to the server."""
        return tuple(
            f"column {path!r}: its pattern takes too long; {n:,} {'cells are' if n > 1 else 'cell is'}"
            " left to the server to check"
            for path, n in self.left.items()
            if n
        )


@lru_cache(maxsize=_KEPT)
def _compiled(match: str) -> Pattern[str] | None:
    """Compile a JavaScript regex; None for one that only the server can judge."""
    body, _, flags = match[1:].rpartition("/")
    if not match.startswith("/") or "u" in flags or "v" in flags:
        return None
    try:
        return javascript(body, flags, largest=_LARGEST)
    except ValueError:
        return None

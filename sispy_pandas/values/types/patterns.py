"""The patterns of definitions, matched as JavaScript does and never for long: they are a server's.

`/^(a+)+$/` takes longer than anybody waits for some texts. What cannot be told in time is left to the server,
which looks at every value anyway.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 0.05
"""How long one text may take."""
_UNDECIDED = 3
"""Texts of a pattern that may take longer: after so many all others are left to the server."""
_SPARE, _EACH = 1.0, 0.0002
"""Seconds that a pattern may take in all, and for each text: many that are just fast enough are slow, too."""
_LONGEST = 10_000
_HEAVIEST = 10_000
"""Characters of a pattern, and atoms with repeated ones counted as often as they are at least repeated."""

_TOKENS = re.compile(
    r"\\.|\[\^?\]|\(\?<[=!]|\(\?<[A-Za-z_]\w*>|\(\?[:=!]|\([?*]|\{\d+(?:,\d*)?\}|.", re.DOTALL | re.ASCII
)
_ESCAPES = frozenset("dDwWsSbBnrtvfxu")
"""Letters that mean the same behind a backslash, there and here."""


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
        """Tell whether a text matches a pattern of a definition; None: only the server can tell in time.

        Args:
            match: A JavaScript regex in slashes.
            text: A cell, or a member of it.
            path: Of the cell's field.
        """
        search = _search(match)
        if search is None:
            return True
        meter = self._meters.setdefault((path, match), _Meter())
        if meter.is_spent:
            return None
        meter.texts += 1
        start = time.thread_time()
        try:
            return search(text, timeout=SECONDS) is not None
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


@lru_cache(maxsize=1024)
def _search(match: str) -> Any:
    """Return the search of a JavaScript regex; None for one that only the server can judge."""
    body, _, flags = match[1:].rpartition("/")
    if not match.startswith("/") or len(match) > _LONGEST or "u" in flags or "v" in flags:
        return None
    options = regex.VERSION0 | regex.ASCII
    for flag, option in (("i", regex.I), ("m", regex.M), ("s", regex.S)):
        options |= option if flag in flags else 0
    try:
        return regex.compile("".join(_translated(body, multiline="m" in flags)), options).search
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError):
        return None


def _translated(body: str, *, multiline: bool) -> Iterator[str]:
    """Yield a JavaScript regex in Python's syntax, where the same signs mean something else.

    Raises:
        ValueError: There is no such thing in Python, or it would take too long to compile.
    """
    in_class = False
    weights, last = [0], 0  # of the groups that are open, and of what a quantifier would repeat
    for sign in _TOKENS.findall(body):
        if sign[0] == "\\" and sign[1:].isalpha() and sign.isascii() and sign[1] not in _ESCAPES:
            raise ValueError(sign)
        if in_class:
            yield "\\" + sign if sign[0] == "[" else sign
            in_class = sign[-1] != "]" or sign == "\\]"
            continue
        if sign[0] == "(":
            weights.append(0)
        elif sign == ")":
            last = weights.pop() + 1
            weights[-1:] = [sum(weights[-1:]) + last]
        elif sign[0] == "{" and len(sign) > 1:
            times = max(1, int(sign.strip("{}").partition(",")[0]))
            weights[-1] += last * (times - 1)
        else:
            last = 1
            weights[-1] += last
        if sum(weights) > _HEAVIEST or sign in ("(?", "(*"):
            raise ValueError(sign)
        if sign == "[]":
            yield "(?!)"
        elif sign == "[^]":
            yield r"[\s\S]"
        elif sign.startswith("(?<") and sign[-1] == ">":
            yield f"(?P<{sign[3:]}"
        elif sign == "$" and not multiline:
            yield r"\Z"
        elif sign in ("{", "}"):
            yield f"\\{sign}"
        else:
            yield sign
            in_class = sign == "["

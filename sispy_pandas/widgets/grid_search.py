"""What is searched in the texts of a grid: where it stands, and what is written in its place."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import regex

from sispy.patterns import javascript

from .cells import EMPTY_TEXT
from .grid_fill import positions_in
from .grid_texts import Mask, contains, may_hold, named_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..values.types.base import Field
    from .grid_fill import Area
    from .grid_model import GridModel

_SECONDS = 20.0
"""How long a pattern may take in all: a simple one is through the texts of 500,000 rows by then."""
_EACH = 0.25
"""How many seconds one text may take."""
_TOO_LONG = "the pattern takes too long: write a simpler one"
_AT_ONCE = 50
"""Texts between two looks at the clock."""
_GROUP = re.compile(r"\$(\$|&|\d{1,2})|\\(\d)")


class Search:
    """A text or a pattern that is looked for, in any case unless `case`.

    Args:
        text: What is looked for.
        pattern: It is a regular expression, in the syntax of JavaScript.
        case: Capital and small letters differ.

    Raises:
        ValueError: It is no regular expression.
    """

    def __init__(self, text: str, *, pattern: bool = False, case: bool = False) -> None:
        self.key: tuple[str, bool, bool] = (text, pattern, case)
        self._text, self._is_pattern, self._has_case = text, pattern, case
        flags = 0 if case else regex.IGNORECASE
        self._pattern = (
            javascript(text, "" if case else "i") if pattern else regex.compile(regex.escape(text), flags)
        )
        self._left = _SECONDS

    def among(self, model: GridModel, field: Field) -> Mask:
        """Return which of the frame's cells of a column hold it, before any edit."""
        if not self._is_pattern and not may_hold(field, self._text):
            return np.zeros(len(model.base), dtype=bool)
        texts = named_texts(model.labels, field, model.texts(field.path))
        if not self._is_pattern and not self._has_case:
            return contains(texts, self._text)
        codes, unique = pd.factorize(texts)  # the last place is for cells without a value, whose code is -1
        held = np.zeros(len(unique) + 1, dtype=bool)
        for start in range(0, len(unique), _AT_ONCE):
            with self._clock():
                part = [self._is_in(text) for text in unique[start : start + _AT_ONCE]]
            held[start : start + len(part)] = part
        found: Mask = held[codes]
        return found

    def is_in(self, text: str) -> bool:
        """Return whether a text holds it.

        Raises:
            ValueError: The pattern has taken too long already; so with `replaced`.
        """
        with self._clock():
            return self._is_in(text)

    def replaced(self, text: str, by: str) -> str:
        """Return a text with another in its place; for a pattern $1 is its first group, $& all of it."""

        def put(found: regex.Match[str]) -> str:
            return _expanded(found, by) if self._is_pattern else by

        with self._clock():
            written: str = self._pattern.sub(put, text, timeout=_EACH)
        return written

    def _is_in(self, text: str) -> bool:
        if self._is_pattern:
            return self._pattern.search(text, timeout=_EACH) is not None
        return self._text in text if self._has_case else self._text.casefold() in text.casefold()

    @contextmanager
    def _clock(self) -> Iterator[None]:
        """Count the time that the pattern takes."""
        if self._left <= 0:
            raise ValueError(_TOO_LONG)
        start = time.thread_time()
        try:
            yield
        except (TimeoutError, MemoryError):
            raise ValueError(_TOO_LONG) from None
        finally:
            self._left -= time.thread_time() - start


class Finder:
    """Positions of what is searched: the frame is looked through once, what was edited at the next question.

    Example:
        `Finder(model, Search("web")).next(0, 0)` is (position, column number, which, of how many), or None.
    """

    def __init__(self, model: GridModel, search: Search) -> None:
        self._model, self._search = model, search
        self._width = len(model.columns)
        self._seen = [search.among(model, column.field) for column in model.columns]
        self._found: np.ndarray[Any, np.dtype[np.int64]] | None = None

    def __len__(self) -> int:
        return len(self._hits)

    def forget(self) -> None:
        """Look again at the next question: cells were edited, or rows stand elsewhere."""
        self._found = None

    @property
    def _hits(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        if self._found is None:
            hits = [self._in(*found) for found in enumerate(self._seen)]
            self._found = np.sort(np.concatenate([np.array([], dtype=np.int64), *hits]))
        return self._found

    def _in(self, number: int, seen: Mask) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the hits of one column: the number of the cell, line by line."""
        order = self._model.order
        mask = np.zeros(max(int(order.max(initial=0)) + 1, len(seen)), dtype=bool)
        mask[: len(seen)] = seen
        for row, text in self._model.edited_texts(self._model.columns[number].field.path).items():
            if row < len(mask):
                mask[row] = self._search.is_in(text)
        return np.flatnonzero(mask[order]) * self._width + number

    def next(self, position: int, column: int, *, back: bool = False) -> tuple[int, int, int, int] | None:
        """Return the next hit after a cell, around the end; None if the text is nowhere."""
        if not len(self._hits):
            return None
        here = position * self._width + column
        after = int(np.searchsorted(self._hits, here, "right"))
        at = (int(np.searchsorted(self._hits, here, "left")) - 1 if back else after) % len(self._hits)
        hit = int(self._hits[at])
        return hit // self._width, hit % self._width, at + 1, len(self._hits)


@dataclass(frozen=True, slots=True)
class Replaced:
    """What would be written where something is found."""

    edits: list[tuple[int, str, str]]
    """As `GridModel.edit` takes them."""
    sample: tuple[str, str] | None
    """Before and after of the first."""
    locked: int
    """Cells that hold it, but cannot be edited."""

    @property
    def rows(self) -> int:
        """In how many rows."""
        return len({position for position, _, _ in self.edits})


def replacements(model: GridModel, search: Search, by: str, areas: Iterable[Area] | None = None) -> Replaced:
    """Return what is written if a text takes the place of what is searched, in areas or in all rows shown.

    It is looked for in what cells show, names of references among it; ticks are no texts.

    Raises:
        ValueError: The pattern takes too long.
    """
    edits: list[tuple[int, str, str]] = []
    locked, sample = 0, None
    scopes = positions_in(model, areas)
    for column, positions in zip(model.columns, scopes, strict=True):
        field = column.field
        if not len(positions) or field.kind.presentation == "boolean":
            continue
        edited = model.edited_texts(field.path)
        seen = search.among(model, field)
        rows = model.order[positions]
        hits = np.zeros(len(rows), dtype=bool)
        is_old = rows < len(seen)
        hits[is_old] = seen[rows[is_old]]
        if edited:
            hits[np.isin(rows, list(edited))] = True  # which is looked at below
        if not hits.any():
            continue
        numbers = rows[hits].tolist()
        old = [row for row in numbers if row not in edited]
        shown = named_texts(model.labels, field, model.texts(field.path).take(old))
        texts = dict(zip(old, shown, strict=True)) | edited
        after: dict[str, str] = {}
        for position, row in zip(positions[hits].tolist(), numbers, strict=True):
            text = texts[row]
            if text == EMPTY_TEXT or (row in edited and not search.is_in(text)):
                continue
            if column.readonly or row in model.fixed:
                locked += 1
                continue
            if text not in after:
                after[text] = search.replaced(text, by)
            if after[text] != text:
                edits.append((position, field.path, after[text]))
                sample = sample or (text, after[text])
    return Replaced(edits, sample, locked)


def _expanded(found: regex.Match[str], by: str) -> str:
    groups = len(found.groups())

    def part(sign: re.Match[str]) -> str:
        digits = sign[1] or sign[2]
        if digits in "$&":
            return "$" if digits == "$" else found[0]
        size = len(digits) if int(digits) <= groups else 1  # $12 is $1 and a 2 where there are no twelve
        number = int(digits[:size])
        return (found[number] or "") + digits[size:] if number <= groups else sign[0]

    return _GROUP.sub(part, by)

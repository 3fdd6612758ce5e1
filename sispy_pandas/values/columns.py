"""Columns of a frame, built page by page out of JSON values: one typed array per page, joined once.

A value that contradicts its declared type (SIS keeps such values when a schema changes) is kept: its column
becomes an object column, and the position is noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.errors import NotJSON

from .types.base import Contradiction
from .types.cells import objects
from .types.convert import from_json, is_declared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types.base import Field


class Column:
    """The values of one field, gathered page by page.

    Args:
        field: The field.
        stream: See `Type.join`.
    """

    def __init__(self, field: Field, *, stream: bool = False) -> None:
        self.field = field
        self._stream = stream
        self._pages: dict[Any, Any] = {}
        self._lengths: dict[Any, int] = {}
        self._odd: list[tuple[Any, int, Any]] = []
        self._maker = field.kind.pages()

    def add(self, values: Sequence[Any], *, slot: Any = None, checked: bool = False) -> None:
        """Take a page of JSON values.

        Args:
            values: One per row; None where there is none.
            slot: Says where the page belongs: pages are joined in the order of their slots. None: behind
                those that are there.
            checked: The decoder has already seen to it that values are of the declared type, and made cells
                of Mixed ones.

        Raises:
            NotJSON: A value is nested too deeply.
        """
        slot = len(self._lengths) if slot is None else slot
        field = self.field
        try:
            page = self._typed_or_objects(values, slot, checked=checked)
        except RecursionError as error:
            raise NotJSON(f"a value of {field.path!r} cannot be read: {error}") from error
        if field.enum and page.dtype != object:
            unlisted = np.flatnonzero(page >= len(field.enum)).tolist()
            self._odd += [(slot, i, values[i]) for i in unlisted]
        self._pages[slot], self._lengths[slot] = page, len(page)

    def _typed_or_objects(self, values: Sequence[Any], slot: Any, *, checked: bool) -> Any:
        field = self.field
        try:
            if not checked:
                field.kind.expect(values)
            return self._maker.page(values, checked=checked)
        except (Contradiction, UnicodeError, OverflowError):  # a whole number beyond all doubles
            self._odd += [(slot, i, v) for i, v in enumerate(values) if not is_declared(field, v)]
            return objects([from_json(field, value) for value in values])

    @property
    def odd(self) -> list[tuple[int, Any]]:
        """Positions and values that contradict the definition; texts outside the enum are among them."""
        starts, start = {}, 0
        for slot in sorted(self._lengths):
            starts[slot] = start
            start += self._lengths[slot]
        return sorted([(starts[slot] + i, value) for slot, i, value in self._odd], key=lambda pair: pair[0])

    def series(self) -> pd.Series[Any]:
        """Return the whole column; its pages are forgotten."""
        data = self._join()
        series: pd.Series[Any] = pd.Series(data, dtype=data.dtype, copy=False)  # objects: no guess again
        return series

    def _join(self) -> Any:
        pages = [self._pages[slot] for slot in sorted(self._pages)]
        self._pages.clear()
        if any(_are_objects(page) for page in pages):
            return np.concatenate([self._as_objects(page) for page in pages])
        return self._maker.join(pages, stream=self._stream)

    def _as_objects(self, page: Any) -> Any:
        if _are_objects(page):
            return page
        typed = pd.array(self._maker.join([page], stream=self._stream))
        cells = typed.astype(object)
        cells[typed.isna()] = None
        return cells


def _are_objects(page: Any) -> bool:
    return isinstance(page, np.ndarray) and page.dtype == object

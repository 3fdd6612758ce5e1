"""Columns of a frame, built block by block out of JSON values: one typed array per page, joined once.

A value that contradicts its declared type (SIS keeps such values when a schema changes) is kept: its column
becomes an object column, and the position is noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.errors import NotJSON

from .types.base import Contradiction
from .types.cells import HAS_ARROW, objects
from .types.convert import from_json, is_declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .types.base import Field

if HAS_ARROW:
    import pyarrow as pa


class Column:
    """The values of one field, gathered block by block.

    Args:
        field: The field.
        stream: See `Type.join`.
    """

    def __init__(self, field: Field, *, stream: bool = False) -> None:
        self.field = field
        self._stream = stream
        self._pages: dict[Any, list[Any]] = {}
        self._lengths: dict[Any, int] = {}
        self._odd: list[tuple[Any, int, Any]] = []
        self._maker = field.kind.pages()
        self._areas = _Areas()

    def add(self, values: Sequence[Any], *, slot: Any = None, checked: bool = False) -> None:
        """Take a block of JSON values.

        Args:
            values: One per row; None where there is none.
            slot: Of the block's page: pages are joined in the order of their slots, and the blocks of a page,
                which come one after the other, in theirs. None: a page of its own, behind those that are
                there.
            checked: The decoder has already seen to it that values are of the declared type, and made cells
                of Mixed ones.

        Raises:
            NotJSON: A value is nested too deeply.
        """
        slot = len(self._lengths) if slot is None else slot
        if slot not in self._pages:
            self._end_page()
        field, at = self.field, (slot, self._lengths.get(slot, 0))
        try:
            block = self._typed_or_objects(values, at, checked=checked)
        except RecursionError as error:
            raise NotJSON(f"a value of {field.path!r} cannot be read: {error}") from error
        if field.enum and block.dtype != object:
            self._note(at, values, np.flatnonzero(block >= len(field.enum)).tolist())
        self._pages.setdefault(slot, []).append(block)
        self._lengths[slot] = at[1] + len(block)

    def _end_page(self) -> None:
        slot = next(reversed(self._pages), None)
        if len(blocks := self._pages.get(slot, [])) > 1:
            self._pages[slot] = self._areas.merged(blocks)

    def _note(self, at: tuple[Any, int], values: Sequence[Any], odd: Iterable[int]) -> None:
        slot, start = at
        self._odd += [(slot, start + i, values[i]) for i in odd]

    def _typed_or_objects(self, values: Sequence[Any], at: tuple[Any, int], *, checked: bool) -> Any:
        field = self.field
        try:
            if not checked:
                field.kind.expect(values)
            return self._maker.page(values, checked=checked)
        except (Contradiction, UnicodeError, OverflowError):  # a whole number beyond all doubles
            self._note(at, values, [i for i, v in enumerate(values) if not is_declared(field, v)])
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
        self._end_page()
        pages = [block for slot in sorted(self._pages) for block in self._pages[slot]]
        self._pages.clear()
        self._areas = _Areas()
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


class _Areas:
    """Room for the pages of a column, in few large arrays.

    Small ones would lie between those of other columns, and leave holes that are of no use for a whole column
    and do not go back to the system.
    """

    def __init__(self) -> None:
        self._area, self._used = np.empty(0), 0

    def merged(self, blocks: list[Any]) -> list[Any]:
        """Return the blocks of a page as one, unless they are of different kinds."""
        first = blocks[0]
        if len({getattr(block, "dtype", None) for block in blocks}) > 1:
            return blocks
        if isinstance(first, np.ndarray):
            return [np.concatenate(blocks, out=self._room(sum(map(len, blocks)), first.dtype))]
        return [pa.concat_arrays(blocks)] if HAS_ARROW else blocks

    def _room(self, n: int, dtype: Any) -> Any:
        start, stop = self._used, self._used + n
        if stop > len(self._area) or self._area.dtype != dtype:
            start, stop = 0, n
            self._area = np.empty(max(n, 2 * len(self._area)), dtype)
        self._used = stop
        return self._area[start:stop]


def _are_objects(page: Any) -> bool:
    return isinstance(page, np.ndarray) and page.dtype == object

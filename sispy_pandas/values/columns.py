"""Columns of a frame, built page by page out of JSON values: one typed array per page, joined once.

A value that contradicts its declared type (SIS keeps such values when a schema changes) is kept: its column
becomes an object column, and the position is noted.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.errors import NotJSON

from .addresses import ip_text
from .kinds import STRINGS, TIMES, categories, from_json, is_declared
from .numerals import WHOLE
from .types.frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .schema import Field

try:
    import pyarrow as pa
except ImportError:
    pa = None

_NONE = type(None)


class Contradiction(Exception):  # noqa: N818 - no error: it leads to the other way of building a column
    """A page holds a value that its column's dtype cannot hold."""


class Column:
    """The values of one field, gathered page by page.

    Args:
        field: The field.
        stream: See `dtype`.
    """

    def __init__(self, field: Field, *, stream: bool = False) -> None:
        self.field = field
        self._stream = stream
        self._pages: dict[Any, Any] = {}
        self._lengths: dict[Any, int] = {}
        self._odd: list[tuple[Any, int, Any]] = []
        self._codes: dict[Any, int] = {value: code for code, value in enumerate(field.enum)}
        self._codes[None] = -1

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
                _refuse_other_types(field, values)
            return self._page(values, checked=checked)
        except (Contradiction, UnicodeError):
            self._odd += [(slot, i, v) for i, v in enumerate(values) if not is_declared(field, v)]
            return _objects([from_json(field, value) for value in values])

    def _page(self, values: Sequence[Any], *, checked: bool) -> Any:
        kind, item = self.field.type, self.field.item
        if kind == "Number":
            return np.array(values, dtype=np.float64)
        if kind == "Boolean":
            return np.fromiter(map(_BOOLEANS.__getitem__, values), np.int8, len(values))
        if kind == "Date":
            return _times(self.field, values, set() if checked else set(map(type, values)))
        if kind == "IpAddress":
            return _strings([_address(value) for value in values])
        if kind == "Array" and item and item.type in _PYTHON_TYPES:
            cells = [tuple(value) if value else () for value in values]
            if item.type == "String":  # equal lists share one tuple; those of numbers could not: 1 == 1.0
                shared: dict[Any, Any] = {}
                cells = [shared.setdefault(cell, cell) for cell in cells]
            return _objects(cells)
        if kind == "Documents":
            return _objects([freeze(value) if value else () for value in values])
        if kind == "Mixed":
            return _objects(values if checked else [None if v == {} else freeze(v) for v in values])
        if kind == "Array":
            return _objects([from_json(self.field, value) for value in values])
        if self.field.enum:
            return self._coded(values)
        return _strings(values)

    def _coded(self, values: Sequence[Any]) -> Any:
        """Return category codes; texts that the definition does not list get the next ones."""
        codes = self._codes
        try:
            return np.fromiter(map(codes.__getitem__, values), np.int32, len(values))
        except KeyError:
            for value in values:
                if value not in codes:
                    codes[value] = len(codes) - 1  # one entry is None's
            return np.fromiter(map(codes.__getitem__, values), np.int32, len(values))

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
        if self.field.type in ("Array", "Documents", "Mixed"):
            return np.concatenate([_objects([]), *pages])
        if any(isinstance(page, np.ndarray) and page.dtype == object for page in pages):
            return np.concatenate([self._as_objects(page) for page in pages])
        return self._typed(pages)

    def _typed(self, pages: list[Any]) -> Any:
        kind = self.field.type
        if kind == "Number":
            return _numbers(np.concatenate([np.empty(0), *pages]), stream=self._stream)
        if kind == "Boolean":
            data = np.concatenate([np.empty(0, np.int8), *pages])
            return pd.arrays.BooleanArray(data == 1, data == -1)
        if kind == "Date":
            return pd.array(np.concatenate([np.empty(0, np.int64), *pages]), dtype=TIMES)
        if self.field.enum:
            codes = np.concatenate([np.empty(0, np.int32), *pages])
            names = [name for name in self._codes if name is not None]
            return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories(names)))
        if pa:
            texts = pa.chunked_array(pages, type=pa.large_string())
            return STRINGS.__from_arrow__(texts.combine_chunks())
        return STRINGS.construct_array_type()._concat_same_type(pages or [pd.array([], dtype=STRINGS)])

    def _as_objects(self, page: Any) -> Any:
        if isinstance(page, np.ndarray) and page.dtype == object:
            return page
        typed = pd.array(self._typed([page]))
        cells = typed.astype(object)
        cells[typed.isna()] = None
        return cells


_PYTHON_TYPES: dict[str, set[type]] = {
    "String": {str, _NONE},
    "ObjectId": {str, _NONE},
    "Number": {int, float, _NONE},
    "Boolean": {bool, _NONE},
    "Array": {list, tuple, _NONE},
    "Documents": {list, tuple, _NONE},
}


def _refuse_other_types(field: Field, values: Sequence[Any]) -> None:
    allowed = _PYTHON_TYPES.get(field.type)
    if allowed and not set(map(type, values)) <= allowed:
        raise Contradiction
    if field.type == "Array" and field.item and field.item.type in _PYTHON_TYPES:
        members = set(map(type, chain.from_iterable(value for value in values if value)))
        if not members <= _PYTHON_TYPES[field.item.type]:
            raise Contradiction


_BOOLEANS = {True: 1, False: 0, None: -1}


def _objects(cells: Sequence[Any]) -> Any:
    return np.fromiter(cells, dtype=object, count=len(cells))


def _strings(values: Sequence[Any]) -> Any:
    """Return a page of texts: an Arrow array, or without pyarrow the one of pandas."""
    if pa:
        return pa.array(values, type=pa.large_string())
    return pd.array(_objects(values), dtype=STRINGS)


def _address(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    text = ip_text(value)
    if text is None:
        raise Contradiction
    return text


def _numbers(data: Any, *, stream: bool) -> Any:
    mask = np.isnan(data)
    if not stream:
        data[mask] = 0
        if len(data) == 0 or (np.abs(data).max() <= WHOLE and (data == np.trunc(data)).all()):
            return pd.arrays.IntegerArray(data.astype(np.int64), mask)
        data[mask] = np.nan
    return pd.arrays.FloatingArray(data, mask)


_NAT = np.iinfo(np.int64).min


def _times(field: Field, values: Sequence[Any], kinds: set[type]) -> Any:
    """Return the ms since 1970 of a page of ISO texts, or of numbers in `_sis`.

    Args:
        field: The field.
        values: One per row.
        kinds: Types of the values; empty: they are the right ones.
    """
    if field.path.startswith("_") and kinds <= {int, _NONE}:
        return np.array([_NAT if value is None else value for value in values], dtype=np.int64)
    if not kinds <= {str, _NONE}:
        raise Contradiction
    try:
        if pa:
            texts = pa.array(values, type=pa.string())
            return texts.cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).fill_null(_NAT).to_numpy()
        plain = ["NaT" if value is None else value[:-1] for value in values]
        if not all(value is None or (len(value) == 24 and value[-1] == "Z") for value in values):
            raise Contradiction
        return np.array(plain, dtype="datetime64[ms]").astype(np.int64)
    except ValueError:  # Arrow's own errors are ValueErrors, too
        raise Contradiction from None

"""String: text, or one of the values of an enum."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from sispy.remedies import nearest

from .base import Field, Type
from .cell_text import HARMLESS, as_text, escape, unescape
from .cells import HAS_ARROW, STRINGS, kind_of, objects, shown
from .number import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sispy.remedies import Remedy

    from .base import Fits, Presentation, Style

if HAS_ARROW:
    import pyarrow as pa

_LISTED = 12
"""Values of an enum that a refusal names."""


class Text(Type):
    """A type whose cells are texts."""

    presentation: Presentation = "text"
    json_types: tuple[type, ...] = (str,)
    suspect: ClassVar[str | None] = "'"

    def holds(self, value: Any) -> bool:
        try:  # nothing else would accept lone surrogates
            return isinstance(value, str) and value.encode() is not None
        except UnicodeEncodeError:
            return False

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return strings(values)

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        if HAS_ARROW:
            return STRINGS.__from_arrow__(pa.chunked_array(pages, type=pa.large_string()))
        return STRINGS.construct_array_type()._concat_same_type(pages or [pd.array([], dtype=STRINGS)])

    def text(self, value: Any, style: Style) -> str:
        return escape(value)

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        if not isinstance(cells.dtype, pd.StringDtype):
            return None
        texts = cells.tolist()
        return ["" if type(c) is not str else c if c[:1] in HARMLESS else escape(c) for c in texts]

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        suspect = re.compile(f"^(?:{self.suspect})", re.MULTILINE)
        return None if suspect.search("\n".join(texts)) else [text or None for text in texts]


class String(Text, name="String"):
    """Text as it is; with an enum one of few, which a column holds as categories."""

    is_scalar = is_ordered = is_searched = is_name = has_empty = True
    mark = "'"
    arrow = "string"

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        if field.enum:
            self.presentation = "choice"

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        values, match = options.get("enum"), options.get("match")
        listed = [v for v in values if isinstance(v, str)] if isinstance(values, list) else ()
        return {
            "enum": tuple(dict.fromkeys(listed)),
            "minlength": _int(options.get("minlength")),
            "maxlength": _int(options.get("maxlength")),
            "match": match if isinstance(match, str) else None,
            "trim": options.get("trim") is True,
            "case": next((case for case in ("lower", "upper") if options.get(f"{case}case") is True), None),
        }

    def cast(self, cell: Any) -> str:
        text = str.__str__(cell) if isinstance(cell, str) else _text_of(cell)  # an enum's str() is its own
        field = self.field
        if field.trim:
            text = text.strip()
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{shown(text)} holds half a character: UTF-8 has no such text") from None
        return text.lower() if field.case == "lower" else text.upper() if field.case == "upper" else text

    def typed(self, text: str) -> Any:
        alike = [value for value in self.field.enum if value.casefold() == text.strip().casefold()]
        return alike[0] if len(alike) == 1 and text not in self.field.enum else text

    def check(self, value: Any, fits: Fits) -> str | None:
        if not isinstance(value, str):
            return None
        field = self.field
        if field.enum and value not in field.enum:
            return _not_allowed(value, field.enum)
        length = len(value.encode("utf-16-le", "surrogatepass")) // 2
        if field.minlength is not None and length < field.minlength:
            return f"shorter than {field.minlength} characters"
        if field.maxlength is not None and length > field.maxlength:
            return f"longer than {field.maxlength} characters"
        matches = not (field.match and value) or fits(field.match, value)
        return None if matches else f"does not match {field.match}"

    def why_odd(self, value: Any) -> str:
        listed = self.field.enum and isinstance(value, str)
        return "not among the values of the enum" if listed else super().why_odd(value)

    def pages(self) -> Type:
        return _Choices(self.field) if self.field.enum else self

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        return None if self.field.trim or self.field.case else super().texts(cells, style)

    def read(self, text: str, style: Style) -> Any:
        return read_text(text)

    def from_boolean(self, cell: bool) -> Any:
        return str(cell).upper()

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        return (as_text(self.field),)  # every text is one: it is of another type, or may have lost digits

    def from_number(self, cell: float, style: Style) -> Any:
        return str(cell) if abs(cell) < 10**15 else super().from_number(cell, style)

    def from_time(self, cell: datetime.datetime, style: Style) -> Any:
        if style.is_exported:
            return super().from_time(cell, style)
        return (cell.date() if cell.time() == datetime.time() else cell).isoformat()

    def to_arrow(self, cells: pd.Series[Any], pa: Any) -> Any:
        if cells.dtype == object:
            return super().to_arrow(cells, pa)
        texts = pa.array(cells.astype("str"), type=pa.string())
        return texts.dictionary_encode() if self.field.enum else texts


class _Choices(String):
    """One column of an enum: pages are codes; texts that the definition does not list get the next ones."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._codes: dict[Any, int] = {value: code for code, value in enumerate(field.enum)}
        self._codes[None] = -1

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        codes = self._codes
        try:
            return np.fromiter(map(codes.__getitem__, values), np.int32, len(values))
        except KeyError:
            for value in values:
                if value not in codes:
                    codes[value] = len(codes) - 1  # one entry is None's
            return np.fromiter(map(codes.__getitem__, values), np.int32, len(values))

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        codes = np.concatenate([np.empty(0, np.int32), *pages])
        names = pd.Index([name for name in self._codes if name is not None], dtype=STRINGS)
        return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(names))


def strings(values: Sequence[Any]) -> Any:
    """Return a page of texts: an Arrow array, or without pyarrow the one of pandas."""
    if HAS_ARROW:
        return pa.array(values, type=pa.large_string())
    return pd.array(objects(values), dtype=STRINGS)


def read_text(text: str) -> Any:
    """Return the text that a cell of a file holds, or the object that contradicts its column."""
    if text[:2] in ("'{", "'["):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text[1:])
    return unescape(text)


def _text_of(cell: Any) -> str:
    """Return the text of a cell of another type.

    Raises:
        ValueError: It has none.
    """
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    if isinstance(cell, int | float | np.number):
        return number_text(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        return cell.isoformat()
    raise ValueError(f"{kind_of(cell)} is not text")


def _int(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@lru_cache(maxsize=1024)  # many rows have the same one
def _not_allowed(value: str, allowed: tuple[str, ...]) -> str:
    """Return why a value is refused that an enum does not list."""
    more = f" and {len(allowed) - _LISTED} more" if len(allowed) > _LISTED else ""
    meant = nearest(value.strip(), allowed) or f"; allowed are {', '.join(allowed[:_LISTED])}{more}"
    return f"{value!r} is not allowed{meant}"

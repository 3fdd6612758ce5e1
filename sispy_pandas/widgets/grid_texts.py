"""Whole columns as the texts that a grid shows, fast: what is searched and what is copied."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.extras import optional
from ..values.times import brief
from ..values.types.cells import HAS_ARROW, STRINGS, plain
from ..values.types.convert import is_blank, json_values
from .cells import show
from .columns import ref_of
from .grid_names import named, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field
    from .grid_names import Labels

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_EXACT = 2**53
"""Whole numbers below it are exact as doubles."""
_PLAIN = (0.001, 1e9)
"""Between them Arrow writes fractions as Python does; beyond, it has other exponents."""
_SIGNS = {
    "number": frozenset("0123456789.-+einfa"),
    "date": frozenset("0123456789-: ."),
    "boolean": frozenset("truefals"),
}
"""What the texts of a column are made of, by how it is presented."""


def texts_of(field: Field, cells: pd.Series[Any]) -> pd.Series[Any]:
    """Write the cells of a frame as `cells.show` writes each of them; booleans as true and false."""
    if isinstance(cells.dtype, pd.StringDtype):
        texts = cells.astype(STRINGS)
        return texts.mask(texts == "", str(show(field, "")))
    if isinstance(cells.dtype, pd.Int64Dtype | pd.Float64Dtype):
        return _number_texts(cells)
    if cells.dtype == object and not (field.item and field.item.kind.json_types == (str,)):
        return pd.Series(_shown(field, cells), dtype=STRINGS)
    codes, unique = pd.factorize(cells.array)  # most columns hold few values
    return _taken(_shown(field, pd.Series(unique)), codes)


def named_texts(labels: Labels | None, field: Field, texts: pd.Series[Any]) -> pd.Series[Any]:
    """Put names in place of the ids in texts, as the grid shows them."""
    if labels is None or ref_of(field) is None:
        return texts
    codes, unique = pd.factorize(texts)
    names = names_of(labels, field, unique)
    return _taken([named(names, field, text) for text in unique], codes) if names else texts


def contains(texts: pd.Series[Any], needle: str) -> Mask:
    """Return which texts hold another, regardless of case."""
    has_case = needle.lower() == needle.upper()  # without letters that is faster, and the same
    return texts.str.contains(needle, case=has_case, regex=False).to_numpy(dtype=bool, na_value=False)


def may_hold(field: Field, needle: str) -> bool:
    """Return whether a text may stand in a column at all, before its texts are made."""
    signs = _SIGNS.get(field.kind.presentation)
    return signs is None or signs.issuperset(needle.lower())


def as_text(shown: str | bool | None) -> str | None:
    """Return what a grid shows as text."""
    return str(shown).lower() if isinstance(shown, bool) else shown


def _taken(texts: Sequence[str | None], codes: np.ndarray[Any, Any]) -> pd.Series[Any]:
    """Return the texts by their numbers; -1, no value, is the last."""
    return pd.Series(pd.array([*texts, None], dtype=STRINGS).take(codes))


def _shown(field: Field, cells: pd.Series[Any]) -> list[str | None]:
    presentation = field.kind.presentation
    if presentation == "json" and cells.dtype == object:
        return _json_texts(field, cells)
    values = json_values(field, cells)
    if presentation == "date" and isinstance(cells.dtype, pd.DatetimeTZDtype):
        return [None if value is None else brief(value) for value in values]
    return [None if value is None else as_text(show(field, value)) for value in values]


def _number_texts(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Write numbers without asking for each of them; those without a fraction have none in their texts."""
    is_int = isinstance(cells.dtype, pd.Int64Dtype)
    numbers = cells.to_numpy("int64" if is_int else "float64", na_value=0)
    is_blank = cells.isna().to_numpy() | np.isnan(numbers)
    numbers = np.where(is_blank, 0, numbers)
    is_whole, size = numbers == np.trunc(numbers), abs(numbers)
    if HAS_ARROW and np.where(is_whole, size < _EXACT, (size > _PLAIN[0]) & (size < _PLAIN[1])).all():
        texts = _arrow_texts(numbers, is_whole)
    else:
        texts = pd.Series(list(map(repr if is_int else _number_text, numbers.tolist())), dtype=STRINGS)
    return texts.mask(is_blank)


def _arrow_texts(numbers: np.ndarray[Any, Any], is_whole: Mask) -> pd.Series[Any]:
    pa, compute = optional("pyarrow", "fast"), optional("pyarrow.compute", "fast")
    whole, given = (pa.array(one).cast(pa.large_string()) for one in (numbers.astype("int64"), numbers))
    texts: pd.Series[Any] = pd.Series(compute.if_else(pa.array(is_whole), whole, given), dtype=STRINGS)
    return texts


def _number_text(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)


def _json_texts(field: Field, cells: pd.Series[Any]) -> list[str | None]:
    """Write cells as JSON in one go: to call an encoder costs more than to encode most cells."""
    all_cells = cells.tolist()
    blank = [
        no or (not cell and is_blank(cell, field))
        for no, cell in zip(cells.isna().tolist(), all_cells, strict=True)
    ]
    kept = [cell for cell, no in zip(all_cells, blank, strict=True) if not no]
    if not kept:
        return [None] * len(blank)
    mark = secrets.token_hex(8)  # no cell holds it
    between = [part for cell in kept for part in (cell, mark)][:-1]
    texts = iter(json.dumps(between, ensure_ascii=False, default=plain)[1:-1].split(f', "{mark}", '))
    return [None if no else next(texts) for no in blank]

"""What a column is: the dtype of a field, and the cell that stands for a JSON value."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .addresses import ip_text
from .dates import milliseconds
from .schema import Field
from .types.frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Sequence

HAS_ARROW = find_spec("pyarrow") is not None
STRINGS: Any = pd.StringDtype("pyarrow" if HAS_ARROW else "python", na_value=np.nan)
TIMES = pd.DatetimeTZDtype("ms", "UTC")


def dtype(field: Field, *, stream: bool = False) -> Any:
    """Return the dtype of a field's column, for all values that keep to the definition.

    Args:
        field: The field.
        stream: Of a table that is never seen as a whole: Numbers are then always Float64, else Int64 as long
            as all are whole and within 2**53.
    """
    if field.type in ("Array", "Documents", "Mixed"):
        return np.dtype(object)
    if field.type == "Number":
        return pd.Float64Dtype() if stream else pd.Int64Dtype()
    if field.type == "Boolean":
        return pd.BooleanDtype()
    if field.type == "Date":
        return TIMES
    return pd.CategoricalDtype(categories(field.enum)) if field.enum else STRINGS


def categories(values: Sequence[str]) -> Any:
    """Return texts as the categories of a column."""
    return pd.Index(list(values), dtype=STRINGS)


def from_json(field: Field, value: Any) -> Any:
    """Return the cell that a frame shows for a JSON value; no value is None, for arrays an empty tuple."""
    if value is None or value == {}:
        return () if field.type in ("Array", "Documents") else None
    if field.type == "IpAddress":
        text = ip_text(value)
        return freeze(value) if text is None else text
    if field.type == "Date":
        ms = stored_ms(field, value)
        return freeze(value) if ms is None else pd.Timestamp(ms, unit="ms", tz="UTC").as_unit("ms")
    if field.type == "Array" and field.item and field.item.type == "IpAddress" and isinstance(value, list):
        return tuple([None if member is None else from_json(field.item, member) for member in value])
    return freeze(value)


def is_declared(field: Field, value: Any) -> bool:
    """Tell whether a JSON value has the declared type, so that the column's dtype can hold it."""
    if value is None or field.type == "Mixed":
        return True
    if field.type == "Number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if field.type == "Boolean":
        return isinstance(value, bool)
    if field.type in ("Array", "Documents"):
        item = field.item or Field("", "Mixed")
        return isinstance(value, list | tuple) and all(is_declared(item, member) for member in value)
    if field.type == "Date":
        return stored_ms(field, value) is not None
    if field.type == "IpAddress":
        return isinstance(value, str) or ip_text(value) is not None
    return _is_unicode(value)


def _is_unicode(value: Any) -> bool:
    """Tell whether a value is a text without lone surrogates, which nothing else would accept."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def stored_ms(field: Field, value: Any) -> int | None:
    """Return the ms of a stored time: a text with `Z`, or, in `_sis` alone, a number."""
    if isinstance(value, str):
        return milliseconds(value) if value.endswith("Z") else None
    return value if field.path.startswith("_") and type(value) is int else None
